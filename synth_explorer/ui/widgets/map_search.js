// The map's other half, in the scope of `map.js`: its search, what is found, what lies on it, and where the result lies.
const words = element.querySelector('.map-words');
const SEEN = 'synth-explorer-map-seen';
const MOST_SEEN = 100;
const SURPRISES = 6; // at once
const HERE_MS = 250;
const lacking = new Set(); // ids of sounds that were found and are not drawn, though all was read again
let isElsewhere = false; // whether the result may have moved since it was asked where it lies
let isLocating = false;

// --- Searched -----------------------------------------------------------------------------------------------------------------

function seen() {
  try {
    return JSON.parse(localStorage.getItem(SEEN) || '[]').slice(-Math.min(MOST_SEEN, sounds.length >> 1));
  } catch {
    return []; // a browser that keeps nothing
  }
}

function show(ids, sentence) {
  const by = new Map(sounds.map((one) => [one.id, one]));
  const there = ids.map((id) => by.get(id)).filter(Boolean);
  found = there.length ? new Set(there) : null;
  list.replaceChildren(...there.map((one) => {
    const item = document.createElement('li');
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: one.name });
    button.dataset.id = one.id;
    button.addEventListener('click', () => choose(one));
    item.append(button);
    return item;
  }));
  said.textContent = sentence;
  redraw();
  return there;
}

const unknown = (ids) => {
  const known = new Set(sounds.map(({ id }) => id));
  return ids.filter((id) => !known.has(id));
};

async function find(given, most = Infinity) {
  const now = state();
  if (!given.id && now) given = { ...given, request: window.synthExplorerRequestOf(now) };
  said.textContent = 'Listening';
  try {
    const { ids: all, understood, count: fit } = await ask('map/find', given);
    const ids = all.slice(0, most);
    if (unknown(ids).some((id) => !lacking.has(id))) { // they came since
      await read();
      unknown(ids).forEach((id) => lacking.add(id));
    }
    const away = unknown(ids).length;
    const rest = away ? ` ${ids.length - away} are shown; the map draws the newest ${sounds.length}.` : '';
    return show(ids, ids.length ? `Understood: ${understood || 'everything'}; the nearest ${ids.length} of ${fit} that fit.${rest}` : `Nothing fits: ${understood}.`);
  } catch (error) {
    return show([], error.message);
  }
}

element.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = words.value.trim();
  if (text) find({ words: text, ...(chosen ? { id: chosen.id } : {}) });
  else show([], '');
});
words.addEventListener('input', () => !words.value && show([], ''));
element.querySelector('.map-like').addEventListener('click', () => find({}));
near.addEventListener('click', () => chosen && find({ id: chosen.id }));
element.querySelector('.map-surprise').addEventListener('click', async () => {
  const there = await find({ spread: 1, seen: seen().join() }, SURPRISES);
  try {
    localStorage.setItem(SEEN, JSON.stringify([...seen(), ...there.map((one) => one.id)]));
  } catch {} // nothing is remembered
  if (there.length) choose(there[0]);
});

// --- Read once it is seen, and again when something came; and where the result lies --------------------------------------------------------------------------

// One question at a time, and the next at once where the hand has moved on: the cross follows it.
async function locate() {
  isElsewhere = true;
  if (isLocating || !sounds.length || !size.width) return;
  isLocating = true;
  while (isElsewhere) {
    await new Promise((done) => setTimeout(done, HERE_MS));
    isElsewhere = false;
    const now = state();
    if (!now) continue;
    try {
      here = await ask('map/here', { request: window.synthExplorerRequestOf(now) });
    } catch {
      if (!isElsewhere) here = null; // it was not rendered yet, or is silent: it lies nowhere
    }
    redraw();
  }
  isLocating = false;
}

async function read() {
  const facts = await ask('map');
  families = facts.families;
  counted(facts.doubtful);
  sounds = facts.sounds.map(([id, name, x, y, family, ...values]) => ({ id, name, x, y, family, values }));
  if (chosen) chosen = sounds.find(({ id }) => id === chosen.id) || chosen;
  over = null;
  grouped();
}

function showKept() { // also what was kept before the map was opened
  const one = sounds.find(({ id }) => id === window.synthExplorerKept);
  window.synthExplorerKept = '';
  if (one) choose(one, false);
}

async function load() {
  if (map.dataset.state !== 'empty') return;
  map.dataset.state = 'busy';
  said.textContent = 'Listening to the notes';
  try {
    await read();
    said.textContent = '';
    map.dataset.state = 'ready';
    showKept();
    locate();
  } catch (error) {
    said.textContent = error.message;
    map.dataset.state = 'empty'; // until it is opened again
  }
}

[['family', 'Family'], ...Object.entries(MEASURES)].forEach(([value, text]) => colour.append(new Option(text, value)));
new ResizeObserver(() => {
  Object.assign(size, { width: field.clientWidth, height: field.clientHeight });
  if (size.width) load();
  redraw();
  if (!here) locate();
}).observe(field);
window.addEventListener('library-changed', () => {
  if (map.dataset.state === 'ready') read().then(showKept, (error) => (said.textContent = error.message));
});
window.addEventListener('screen-plays', (event) => event.detail !== player && player.pause());
window.addEventListener('sound-shown', () => {
  locate();
  marked();
});
