// The inspection of a sound. value = {request, stamp} or null; the page of HTML has an address that the question makes. It is
// fetched once, shown in a frame that has no access to this page, and offered for download.
const inspection = element.querySelector('.inspection');
const words = element.querySelector('.inspection-words');
const frame = element.querySelector('iframe');
const save = element.querySelector('.inspection-save');
let newest = 0;
let shown = '';

const address = (request) => new URL('inspection/report.html?request=' + encodeURIComponent(request), document.baseURI).href;

function say(state, text) {
  inspection.dataset.state = state;
  words.textContent = text;
}

async function look({ request, stamp }) {
  newest = stamp;
  say('busy', 'Looking at it');
  const name = window.synthExplorerFileName('inspection.html');
  let answer;
  let text;
  try {
    answer = await fetch(address(request));
    text = await answer.text();
  } catch (error) {
    answer = { ok: false };
    text = 'The page cannot reach its program; is it still running?';
  }
  if (stamp !== newest) return; // another was asked for meanwhile
  if (!answer.ok) {
    say('failed', text);
    return;
  }
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([text], { type: 'text/html' }));
  save.download = name;
  save.hidden = false;
  frame.srcdoc = text; // dark or light as the system is, as this page
  frame.hidden = false;
  shown = request;
  say('ready', '');
}

function take() {
  const value = props.value;
  if (!value || !value.request || value.stamp <= newest) return;
  look(value);
}

window.addEventListener('sound-asked', (event) => {
  if (inspection.dataset.state === 'ready') words.textContent = event.detail === shown ? '' : 'This is of an earlier sound.';
});

watch('value', take);
take();
element.dataset.ready = 'true';
