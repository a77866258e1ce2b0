// The sounds that were heard, the newest first, kept in the browser and shared by its tabs: {id, said, fit, name, facts, colour,
// picture, file_name, favourite, final}, where said and fit are a state as the deck has it. A click takes one.
const list = element.querySelector('.shelf-list');
const hint = element.querySelector('.shelf-hint');
const words = element.querySelector('.shelf-words');
const only = element.querySelector('.shelf-only');
const clear = element.querySelector('.shelf-clear');
const more = element.querySelector('.shelf-more');
const NAME = 'synth-explorer-sounds';
const MOST = 60; // beside favourites
const FIRST = 12; // shown before somebody asks for more
const PASSING_MS = 2500; // a sound that was heard no longer is not kept
const WIDTH = 144;
const HEIGHT = 48;
let seen = 0; // when the newest one came
let opening = true;
let whole = false;
let newest = null; // what was heard last, as an entry
const player = new Audio();

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) || '[]');
    return Array.isArray(found) ? found : [];
  } catch {
    return []; // what another version left, or a browser that keeps nothing
  }
}

function say(sentence, isGood = false) {
  words.textContent = sentence;
  words.classList.toggle('is-good', isGood);
}

function change(how) {
  const entries = how(read());
  let others = 0;
  const kept = entries.filter((entry) => entry.favourite || (others += 1) <= MOST);
  try {
    localStorage.setItem(NAME, JSON.stringify(kept));
    say('');
  } catch (error) {
    say(`The browser keeps nothing more (${error.name}).`);
  }
  draw();
}

const edit = (id, what) => change((all) => all.map((entry) => (entry.id === id ? { ...entry, ...what } : entry)));

async function small(picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  canvas.getContext('2d').drawImage(image, 0, 0, WIDTH, HEIGHT);
  return canvas.toDataURL('image/webp', 0.8);
}

function add(entry) {
  const passing = newest && !entry.final && Date.now() - seen < PASSING_MS ? newest.id : '';
  change((all) => {
    const known = all.find((one) => Boolean(one.final) === Boolean(entry.final) && same(one.said, entry.said));
    const { id: place, favourite, named, name } = known || entry;
    const made = { ...entry, id: place, favourite, named, name: named ? name : entry.name };
    if (!entry.final) newest = made;
    if (known) return all.map((one) => (one === known ? made : one)); // where it was
    return [made, ...all.filter((one) => one.id !== passing || one.favourite || one.named)];
  });
  if (!entry.final) seen = Date.now();
}

const id = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8);

async function shown(detail) {
  const asked = JSON.parse(detail.request);
  const { name, facts, colour, file_name } = detail;
  const said = window.synthExplorerThin(asked);
  const entry = { id: id(), said, fit: asked.fit, name, facts, colour, file_name, picture: await small(detail.picture) };
  if (opening && !read().some((one) => same(one.said, said))) {
    opening = false;
    newest = entry; // a page that opens is nobody's choice
    return;
  }
  opening = false;
  add(entry);
}

function address(entry) {
  const file = entry.final ? 'sound/final.wav' : 'sound/result.wav';
  return new URL(`${file}?request=` + encodeURIComponent(window.synthExplorerRequestOf(entry)), document.baseURI).href;
}

function take(entry) {
  window.synthExplorerPut(entry, !entry.final);
  if (!entry.final) return;
  player.src = address(entry);
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: player }));
  player.play().catch((error) => error.name !== 'AbortError' && say('It cannot be played now.'));
}

async function kept(entry) {
  const given = { ...(entry.named && { name: entry.name }), ...(entry.final && { final: 1 }) };
  say('Keeping it', true);
  try {
    say(await window.synthExplorerKeep(entry, given), true);
  } catch (error) {
    say(error.message);
  }
}

function part(kind, name, looks = {}) {
  const made = document.createElement(kind);
  made.className = name;
  Object.assign(made, looks);
  if (kind === 'button') made.type = 'button';
  return made;
}

function tile(entry) {
  const item = part('li', 'shelf-item');
  item.style.setProperty('--slot', entry.colour);
  const called = `${entry.name}, ${entry.facts}${entry.final ? ', final render' : ''}`;
  const picture = part('button', 'shelf-take', { title: 'Go back to this sound' });
  picture.setAttribute('aria-label', `Take ${called}`);
  picture.append(part('img', '', { src: entry.picture, alt: '', draggable: false }));
  if (entry.final) picture.append(part('span', 'shelf-final', { textContent: 'final' }));
  picture.addEventListener('click', () => take(entry));
  const name = part('input', 'shelf-name', { type: 'text', value: entry.name, maxLength: 60, spellcheck: false });
  name.setAttribute('aria-label', `Name of ${called}`);
  name.addEventListener('change', () => edit(entry.id, { name: name.value.trim() || entry.name, named: true }));
  name.addEventListener('keydown', (event) => event.key === 'Enter' && name.blur());
  const foot = part('div', 'shelf-foot');
  const star = part('button', 'shelf-star', { textContent: entry.favourite ? '★' : '☆', title: 'Favourite' });
  star.setAttribute('aria-label', `Favourite: ${called}`);
  star.setAttribute('aria-pressed', Boolean(entry.favourite));
  star.addEventListener('click', () => edit(entry.id, { favourite: !entry.favourite }));
  const file = part('a', 'shelf-file', { textContent: '↓', href: address(entry), download: entry.file_name, title: 'Download' });
  file.setAttribute('aria-label', `Download ${called}`);
  const keep = part('button', 'shelf-keep', { textContent: '+', title: 'Keep in library', hidden: !window.synthExplorerOwns });
  keep.setAttribute('aria-label', `Keep in library: ${called}`);
  keep.addEventListener('click', () => kept(entry));
  const drop = part('button', 'shelf-drop', { textContent: '×', title: 'Remove' });
  drop.setAttribute('aria-label', `Remove ${called}`);
  drop.addEventListener('click', () => change((all) => all.filter((one) => one.id !== entry.id)));
  foot.append(part('span', 'shelf-facts', { textContent: entry.facts, title: entry.facts }), star, keep, file, drop);
  item.append(picture, name, foot);
  return item;
}

function draw() {
  if (!window.synthExplorerRequestOf) return;
  const all = read();
  const wanted = only.getAttribute('aria-pressed') === 'true' ? all.filter((entry) => entry.favourite) : all;
  const visible = whole ? wanted : wanted.slice(0, FIRST);
  list.replaceChildren(...visible.map(tile));
  hint.hidden = wanted.length > 0;
  hint.textContent = all.length ? 'Nothing is marked with a star yet.' : hint.dataset.first;
  only.disabled = clear.disabled = !all.length;
  more.hidden = wanted.length <= FIRST;
  more.textContent = whole ? 'Show fewer' : `Show all ${wanted.length}`;
}

hint.dataset.first = hint.textContent;
only.addEventListener('click', () => {
  only.setAttribute('aria-pressed', only.getAttribute('aria-pressed') !== 'true');
  draw();
});
clear.addEventListener('click', () => change((all) => all.filter((entry) => entry.favourite)));
more.addEventListener('click', () => {
  whole = !whole;
  draw();
});
window.addEventListener('screen-plays', (event) => event.detail !== player && player.pause());
window.addEventListener('library-owned', draw);
window.addEventListener('sound-shown', (event) => shown(event.detail));
window.addEventListener('storage', (event) => event.key === NAME && draw());
window.addEventListener('final-made', async ({ detail }) => {
  const asked = JSON.parse(detail);
  const said = window.synthExplorerThin(asked);
  const fast = newest;
  if (!fast || !same(fast.said, said)) return; // what it is called has not come
  const drawn = new URL('sound/picture.png?final=1&request=' + encodeURIComponent(detail), document.baseURI).href;
  const picture = await small(drawn).catch(() => fast.picture); // where the server remembers it no more
  const file_name = (fast.file_name || 'sound.wav').replace(/\.wav$/, '-final.wav');
  add({ ...fast, picture, id: id(), said, fit: asked.fit, final: true, favourite: false, file_name });
});
draw();
setTimeout(draw);
element.dataset.ready = 'true';
