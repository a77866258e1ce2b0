// Undo, redo, links and saving. The page's states are requests (see `request.js`), each {said, fit, link}: what is not at
// rest, and how often its notes were listened to again. value = {request, link, play, stamp}: the one that the page is turned
// to, by the events `apply` (its knobs) or `dress` (its notes and its checkpoint too). props rest = the knobs at rest, steps =
// how often a note is listened to again.
const buttons = Object.fromEntries(['back', 'forth', 'link', 'save'].map((name) => [name, element.querySelector('.deck-' + name)]));
const words = element.querySelector('.deck-words');
const MOST = 500;
const FITTING_MS = 2000;
const LONGEST_DRESSING_MS = 10000;
const SETTLED_MS = 300; // browsers refuse an address that changes too often
let list = [];
let at = -1; // which of them the page shows
let shown = null; // what the page asked for last
let link = '';
let timer = 0;
let quiet = 0;
let fitting = 0;
let dressing = 0; // since when the server dresses the page

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
const text = (value) => JSON.stringify(value);
const same = (a, b) => text(a) === text(b);

function plain(name, value) {
  if (name === 'curves') return { points: sorted((value && value.points) || {}) };
  if (name === 'pitch_midi' && typeof value === 'number') return window.synthExplorerPitch(value); // as its field has it
  return Array.isArray(value) ? [...value].sort() : value;
}

// What a request says beyond the knobs that are at rest.
function thin(asked) {
  const knobs = {};
  Object.entries(props.rest).forEach(([name, rest]) => {
    const value = plain(name, name in asked.knobs ? asked.knobs[name] : rest);
    if (!same(value, plain(name, rest))) knobs[name] = value;
  });
  return { checkpoint: asked.checkpoint, sources: asked.sources, mean: asked.mean || null, knobs };
}

const request = ({ said, fit }) => text({ ...said, knobs: { ...props.rest, ...said.knobs }, fit: fit ?? null });

function say(sentence) {
  words.textContent = sentence;
  clearTimeout(quiet);
  quiet = setTimeout(() => (words.textContent = ''), 4000);
}

function keep() {
  try {
    const address = window.location.hash.slice(1); // the last link, until this one has settled
    sessionStorage.setItem('synth-explorer-undo', text({ list, at, link, address }));
    localStorage.setItem('synth-explorer-last', text(list[at]));
  } catch (error) {
    say(`The browser keeps nothing more (${error.name}).`);
  }
}

function draw() {
  buttons.back.disabled = at <= 0;
  buttons.forth.disabled = at >= list.length - 1;
  buttons.link.disabled = buttons.save.disabled = at < 0;
}

// Turns the page to the state where `at` is, its slots too where they may differ or it is `whole`; its request comes back by
// `noted`. While the server dresses it, it waits.
function put(play = true, whole = false) {
  const state = list[at];
  window.synthExplorerWanted = Math.max(Date.now(), (window.synthExplorerWanted || 0) + 1);
  if (Date.now() - dressing < LONGEST_DRESSING_MS) return;
  const known = !whole && shown && shown.checkpoint === state.said.checkpoint && same(shown.sources, state.said.sources);
  props.value = { request: request(state), play, stamp: window.synthExplorerWanted };
  if (known) {
    trigger('apply');
    return;
  }
  dressing = Date.now();
  trigger('dress');
}

// The page was dressed for what is wanted no more: its slots are those of that, its knobs are not.
function late(deck) {
  if (!deck || !deck.dressed) return;
  dressing = 0;
  if (!deck.request || at < 0) return; // it cannot be shown, as the server has said
  shown = thin(JSON.parse(deck.request));
  put();
}

function go(to) {
  if (to < 0 || to >= list.length) return;
  at = to;
  keep(); // also where the page is left before it is turned
  draw();
  put();
}

function push(said, fit) {
  list = [...list.slice(0, at + 1), { said, fit }].slice(-MOST);
  at = list.length - 1;
}

function noted(asked) {
  shown = thin(asked);
  if (window.synthExplorerTurned) {
    dressing = 0;
    list[at].said = shown; // as far as the server could show it
  } else window.synthExplorerWanted = (window.synthExplorerWanted || 0) + 1; // a hand came first: what is on its way is late
  if (at < 0) {
    const left = window.synthExplorerLeft; // what `open.js` found
    if (left && same(left.list[left.at].said, shown)) ({ list, at, link } = left);
  }
  if (at < 0 || !same(list[at].said, shown)) push(shown, asked.fit);
  list[at].fit = asked.fit;
  if (asked.fit) listened(asked);
  keep();
  draw();
}

// Notes are listened to again in the background; what is asked for once that is done is made of what was found.
const fitted = new Set();
const names = (checkpoint, sources) => sources.map((source) => text([checkpoint, source]));
window.synthExplorerFit = (checkpoint, sources) => (names(checkpoint, sources).every((name) => fitted.has(name)) ? props.steps : 0);

function listened(asked) {
  names(asked.checkpoint, asked.sources.slice(0, asked.knobs.count)).forEach((name) => fitted.add(name));
}

function hearAgain(asked, steps) {
  clearTimeout(fitting);
  if (steps) {
    listened(asked);
    return;
  }
  const later = () => hearAgain(asked, 0);
  fitting = setTimeout(() => {
    if (document.hidden) later();
    else server.fitted(text(asked)).then((now) => hearAgain(asked, now), later); // also while there is no connection
  }, FITTING_MS);
}

function answered({ request: given, fit, link: address }) {
  const asked = JSON.parse(given);
  hearAgain(asked, fit);
  if (at < 0 || !same(thin(asked), list[at].said)) return;
  link = address;
  keep();
  clearTimeout(timer);
  timer = setTimeout(() => window.history.replaceState(window.history.state, '', '#' + link), SETTLED_MS);
}

window.addEventListener('sound-asked', (event) => noted(JSON.parse(event.detail)));
window.addEventListener('sound-late', (event) => late(event.detail));
['sound-linked', 'sound-shown'].forEach((name) => window.addEventListener(name, (event) => answered(event.detail)));
window.addEventListener('hashchange', () => {
  const given = window.location.hash.slice(1);
  if (!given.includes('=') || given === link) return; // a place on the page, or what is shown
  props.value = { link: given, play: true };
  trigger('dress');
});
buttons.back.addEventListener('click', () => go(at - 1));
buttons.forth.addEventListener('click', () => go(at + 1));

const WORDS = 'textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])';
document.addEventListener(
  'keydown',
  (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const letter = event.key.toLowerCase();
    if (letter !== 'z' && letter !== 'y') return;
    const numbers = window.synthExplorerNumbers;
    if (event.target instanceof Element && event.target.matches(WORDS) && !numbers.are(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (numbers.typed(event) && at >= 0) put(false, event.target.matches('.pitch-field input')); // what was not heard goes first
    else go(letter === 'y' || event.shiftKey ? at + 1 : at - 1);
  },
  true,
);

buttons.link.addEventListener('click', async () => {
  const address = new URL('#' + link, window.location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    say('Link copied.');
  } catch {
    window.prompt('The link to this sound', address); // where a page may not write to the clipboard
  }
});

buttons.save.addEventListener('click', async () => {
  const address = new URL('sound/patch.zip?request=' + encodeURIComponent(request(list[at])), document.baseURI);
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(await answer.text());
    const file = document.createElement('a');
    file.href = URL.createObjectURL(await answer.blob());
    file.download = (/filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') || '') || [])[1] || 'patch.zip';
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60000);
  } catch (error) {
    say(error.name === 'TypeError' ? 'The connection was lost.' : error.message);
  }
});

// For the widgets that hold states.
window.synthExplorerPut = ({ said, fit }, play = true) => {
  if (at < 0 || !same(said, list[at].said)) push(said, fit);
  put(play);
};
window.synthExplorerState = () => (at < 0 ? null : list[at]);
window.synthExplorerThin = thin;
window.synthExplorerRequestOf = request;
if (window.synthExplorerRequest) noted(JSON.parse(window.synthExplorerRequest));
element.dataset.ready = 'true';
