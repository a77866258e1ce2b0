// Nine variations around the sound, and surprises. The server makes requests of the page's request; a click takes one.
const near = element.querySelector('.explore-near');
const surprise = element.querySelector('.explore-surprise');
const close = element.querySelector('.explore-close');
const words = element.querySelector('.explore-words');
const grid = element.querySelector('.explore-grid');
let tiles = []; // {button, said}

const seed = () => Math.floor(Math.random() * 2 ** 31);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function take(request) {
  const asked = JSON.parse(request);
  window.synthExplorerPut({ said: window.synthExplorerThin(asked), fit: asked.fit });
}

function mark() {
  const state = window.synthExplorerState && window.synthExplorerState();
  if (state && tiles.some(({ said }) => !same(said.sources, state.said.sources))) open(false); // around other notes
  tiles.forEach(({ button, said }) => button.setAttribute('aria-pressed', Boolean(state && same(state.said, said))));
}

function open(is) {
  grid.hidden = close.hidden = !is;
  near.setAttribute('aria-expanded', is);
}

function tile({ request, words: told, picture, colour }) {
  const button = document.createElement('button');
  button.type = 'button';
  button.style.setProperty('--slot', colour);
  button.innerHTML = '<img alt="" draggable="false"><span></span><span></span>';
  button.firstChild.src = picture;
  [...button.querySelectorAll('span')].forEach((line, at) => (line.textContent = told[at] || ''));
  button.title = told.filter(Boolean).join(', ');
  button.addEventListener('click', () => take(request));
  return { button, said: window.synthExplorerThin(JSON.parse(request)) };
}

// Asks the server; what it says against it is shown.
async function ask(button, what) {
  const state = window.synthExplorerState && window.synthExplorerState();
  if (!state || near.disabled) return null;
  near.disabled = surprise.disabled = true;
  words.textContent = button === near ? 'Listening around' : '';
  try {
    const found = await what(JSON.stringify({ request: window.synthExplorerRequestOf(state), seed: seed() }));
    words.textContent = found.error || '';
    return found.error ? null : found;
  } catch {
    words.textContent = 'The connection was lost.';
    return null;
  } finally {
    near.disabled = surprise.disabled = false;
  }
}

near.addEventListener('click', async () => {
  const found = await ask(near, server.nearby);
  if (!found) return;
  tiles = found.tiles.map(tile);
  grid.replaceChildren(...tiles.map(({ button }) => button));
  open(true);
  mark();
});
surprise.addEventListener('click', async () => {
  const found = await ask(surprise, server.surprise);
  if (found) take(found.request);
});
close.addEventListener('click', () => {
  open(false);
  near.focus();
});
window.addEventListener('sound-asked', mark);
element.dataset.ready = 'true';
