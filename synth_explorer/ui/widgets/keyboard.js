// The keyboard strip: mouse, touch, letters, arrow keys and MIDI strike the voices (voices.js). props = {lowest, highest,
// knobs: {id of a slider: its knob}}.
const root = element.querySelector('.keys');
const strip = element.querySelector('.keys-strip');
const words = element.querySelector('.keys-words');
const range = element.querySelector('.keys-range');
const holder = element.querySelector('.keys-hold');
const plug = element.querySelector('.keys-midi');
const LETTERS = ['KeyA', 'KeyW', 'KeyS', 'KeyE', 'KeyD', 'KeyF', 'KeyT', 'KeyG', 'KeyY', 'KeyH', 'KeyU', 'KeyJ', 'KeyK', 'KeyO', 'KeyL', 'KeyP', 'Semicolon'];
const NAMES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];
const BLACK = [1, 3, 6, 8, 10];
const NARROWEST = 34;
const MOST_WHITE = 29;
const down = new Map(); // what holds a key down, a pointer, a letter or MIDI -> its voice
const latched = new Map(); // midi (null: the sound's own pitch) -> a voice that Hold keeps
let base = Number(viewed().base) || 60; // the C that the letter A plays
let loud = Number(viewed().loud) || 100; // velocity of a letter
let low = base - (element.clientWidth < 700 ? 0 : 12); // the lowest key that is shown
let hand = base; // the key that was played last
let awake = false; // whether anybody has come near
let holding = false;
let focused = base;

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const nameOfKey = (midi) => NAMES[midi % 12] + (Math.floor(midi / 12) - 1);
const isBlack = (midi) => BLACK.includes(midi % 12);
const playable = (midi) => midi >= props.lowest && midi <= props.highest;

said = (sentence) => {
  words.textContent = sentence;
};

// --- Looks -----------------------------------------------------------------------------------------------------------------

function draw() {
  const white = clamp(Math.floor(strip.clientWidth / NARROWEST), 8, MOST_WHITE);
  const letters = new Map(LETTERS.map((code, at) => [base + at, code === 'Semicolon' ? ';' : code.slice(3)]));
  strip.innerHTML = '';
  let midi = low;
  for (let at = 0; at < white; midi += 1) {
    const key = document.createElement('button');
    key.type = 'button';
    key.dataset.midi = midi;
    key.tabIndex = midi === focused ? 0 : -1;
    key.setAttribute('aria-label', nameOfKey(midi));
    key.disabled = !playable(midi);
    key.innerHTML = '<i></i><b></b>';
    key.firstChild.textContent = letters.get(midi) || '';
    key.lastChild.textContent = midi % 12 === 0 ? nameOfKey(midi) : '';
    key.className = isBlack(midi) ? 'is-black' : 'is-white';
    key.style.left = (100 * at) / white + '%';
    key.style.width = (isBlack(midi) ? 60 : 100) / white + '%';
    strip.append(key);
    if (!isBlack(midi)) at += 1;
  }
  if (!strip.querySelector('[tabindex="0"]')) strip.querySelector(`[data-midi="${low}"]`).tabIndex = 0;
  range.textContent = nameOfKey(low) + ' – ' + nameOfKey(midi - 1);
  light();
}

function light() {
  const sounding = new Map(voices.map((voice) => [voice.midi, voice]));
  for (const key of strip.children) {
    const voice = sounding.get(Number(key.dataset.midi));
    key.classList.toggle('is-down', Boolean(voice && !voice.released));
    key.classList.toggle('is-waiting', Boolean(voice && !voice.part));
  }
  root.dataset.voices = voices.filter((voice) => voice.part && !voice.released).length;
  const plain = voices.some((voice) => !voice.released) && !words.dataset.plugged;
  if (plain && words.textContent) said('');
}
window.addEventListener('voices-changed', light);

const lastShown = () => Number(strip.lastChild.dataset.midi);

function shift(octaves) {
  base = clamp(base + 12 * octaves, 24, 96);
  low = clamp(low + 12 * octaves, 12, 84);
  hand = base;
  if (focused < low || focused > lastShown()) focused = low;
  keepViewed({ base });
  draw();
  prepare();
}

function strengthen(steps) {
  loud = clamp(loud + 20 * steps, 20, 127);
  keepViewed({ loud });
  said(`Letters play with a velocity of ${loud}.`);
}

// --- Playing ---------------------------------------------------------------------------------------------------------------

function prepare() {
  if (!awake || !asked()) return;
  const near = [...Array(15).keys()].map((at) => hand + (at % 2 ? 1 : -1) * Math.ceil(at / 2)).filter(playable);
  root.dataset.ready = 'false';
  ahead(near, holding).then((all) => {
    if (all) root.dataset.ready = 'true';
  });
}
window.addEventListener('sound-asked', prepare);

function approach() {
  if (awake) return;
  awake = true;
  prepare();
}

function press(what, midi, velocity, sinceMs) {
  if (!playable(midi) || down.has(what)) return;
  awake = true;
  hand = midi;
  if (!asked()) return said('The notes are still being opened.');
  if (holding) {
    const before = latched.get(midi);
    latched.delete(midi);
    if (before && !before.ended) return release(before);
    const voice = strike(midi, velocity, { hold: true, sinceMs });
    latched.set(midi, voice);
    return;
  }
  down.set(what, strike(midi, velocity, { sinceMs }));
  prepare();
}

function lift(what) {
  const voice = down.get(what);
  down.delete(what);
  if (voice) release(voice);
}

function liftAll() {
  [...down.keys()].forEach(lift);
}

function hold(wantedNow) {
  holding = wantedNow;
  holder.setAttribute('aria-pressed', holding);
  root.classList.toggle('is-held', holding);
  if (holding) {
    if (!asked()) return;
    const playing = [...down].filter(([, voice]) => !voice.released);
    playing.forEach(([what, voice]) => {
      down.delete(what);
      voice.hold = true;
      latched.set(voice.midi, voice);
    });
    follow(); // into their notes as they are held
    if (!playing.length) latched.set(null, strike(null, 127, { hold: true }));
  } else {
    setPedal(false);
    latched.forEach((voice) => release(voice));
    latched.clear();
  }
  prepare();
}
holder.addEventListener('click', () => hold(!holding));

const keyAt = (x, y) => {
  const key = document.elementFromPoint(x, y)?.closest('.keys-strip button');
  return key && !key.disabled && strip.contains(key) ? key : null;
};

// Lower on the key is louder, as on a real one the longer lever.
function velocityAt(key, y) {
  const box = key.getBoundingClientRect();
  return Math.round(clamp(45 + 95 * ((y - box.top) / box.height), 30, 127));
}

const over = new Map(); // pointer -> the key that it plays
strip.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  const key = keyAt(event.clientX, event.clientY);
  if (!key) return;
  strip.setPointerCapture(event.pointerId);
  over.set(event.pointerId, key);
  press('pointer ' + event.pointerId, Number(key.dataset.midi), velocityAt(key, event.clientY), event.timeStamp);
});
strip.addEventListener('pointermove', (event) => {
  if (!over.has(event.pointerId)) return;
  const key = keyAt(event.clientX, event.clientY);
  if (!key || key.dataset.midi === over.get(event.pointerId).dataset.midi) return;
  lift('pointer ' + event.pointerId);
  over.set(event.pointerId, key);
  press('pointer ' + event.pointerId, Number(key.dataset.midi), velocityAt(key, event.clientY), event.timeStamp);
});
['pointerup', 'pointercancel', 'lostpointercapture'].forEach((name) =>
  strip.addEventListener(name, (event) => {
    over.delete(event.pointerId);
    lift('pointer ' + event.pointerId);
  }),
);
root.addEventListener('pointerenter', approach);
root.addEventListener('focusin', approach);

strip.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) {
    event.preventDefault();
    focused = clamp(focused + step, Math.max(low, props.lowest), Math.min(lastShown(), props.highest));
    [...strip.children].forEach((key) => (key.tabIndex = Number(key.dataset.midi) === focused ? 0 : -1));
    strip.querySelector('[tabindex="0"]').focus();
  } else if ((event.key === 'Enter' || event.key === ' ') && event.target.dataset.midi) {
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) press('focus', Number(event.target.dataset.midi), loud, event.timeStamp);
  }
});
strip.addEventListener('keyup', (event) => (event.key === 'Enter' || event.key === ' ') && lift('focus'));
strip.addEventListener('focusout', () => lift('focus'));

// Letters play wherever one does not write.
const writes = (target) => target instanceof Element && target.closest('input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]');
window.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
  const at = LETTERS.indexOf(event.code);
  if (at >= 0) {
    event.preventDefault();
    if (!event.repeat) press(event.code, base + at, loud, event.timeStamp);
  } else if (!event.repeat) {
    if (event.code === 'KeyZ' || event.code === 'KeyX') shift(event.code === 'KeyZ' ? -1 : 1);
    if (event.code === 'KeyC' || event.code === 'KeyV') strengthen(event.code === 'KeyC' ? -1 : 1);
  }
});
window.addEventListener('keyup', (event) => lift(event.code));
window.addEventListener('blur', liftAll);
document.addEventListener('visibilitychange', () => document.hidden && liftAll());
element.querySelector('.keys-down').addEventListener('click', () => shift(-1));
element.querySelector('.keys-up').addEventListener('click', () => shift(1));

// --- MIDI --------------------------------------------------------------------------------------------------------------------

const BEND_CENTS = 200;
let wheelTimer = 0;

function wheel(part) {
  window.dispatchEvent(new CustomEvent('morph-wheel', { detail: { part, rests: false } }));
  clearTimeout(wheelTimer);
  wheelTimer = setTimeout(() => window.dispatchEvent(new CustomEvent('morph-wheel', { detail: { part, rests: true } })), 250);
}

function heard({ data, timeStamp }) {
  const [status, first, second] = data;
  const what = 'midi ' + (status & 15) + ' ' + first;
  const kind = status & 0xf0;
  if (kind === 0x90 && second) press(what, first, second, timeStamp || performance.now());
  else if (kind === 0x80 || kind === 0x90) lift(what);
  else if (kind === 0xe0) bend((BEND_CENTS * ((second << 7) + first - 8192)) / 8192);
  else if (kind === 0xb0 && first === 64) setPedal(second >= 64);
  else if (kind === 0xb0 && first === 1) wheel(second / 127);
  else if (kind === 0xb0 && (first === 120 || first === 123)) liftAll();
}

// Nobody lifts its keys any more, nor its pedal.
function unplugged() {
  [...down.keys()].filter((what) => what.startsWith('midi')).forEach(lift);
  setPedal(false);
}

function listen(access) {
  const inputs = [...access.inputs.values()];
  inputs.forEach((input) => (input.onmidimessage = heard));
  plug.setAttribute('aria-pressed', inputs.length > 0);
  words.dataset.plugged = inputs.length ? 'true' : '';
  said(inputs.length ? inputs.map((input) => input.name).join(', ') : 'No MIDI keyboard is plugged in.');
}

async function connect() {
  try {
    wake();
    awake = true;
    const access = await navigator.requestMIDIAccess();
    access.onstatechange = ({ port }) => {
      if (port.state === 'disconnected') unplugged();
      listen(access);
    };
    listen(access);
  } catch (error) {
    said('The browser does not let this page use MIDI.');
  }
}
plug.hidden = !navigator.requestMIDIAccess;
plug.addEventListener('click', connect);

// --- Knobs that are being turned ---------------------------------------------------------------------------------------------

let turned = {};
let moving = ''; // what the knobs ask for while they turn
let stand = null; // a voice that follows them in the place of the result, which looped
let standing = false;

function loops() {
  const player = document.querySelector('#screen-result audio');
  return player && player.loop && !player.paused;
}

// The result loops until the voice that follows in its place is there; when the knobs rest, it plays again.
async function standIn() {
  const request = asked();
  standing = true;
  try {
    await noteOf(request, null, true);
    if (!standing || asked() !== request || !loops()) return;
    stand = strike(null, 127, { hold: true, stands: true });
    hush();
    want(moving, true);
  } catch (error) {
    said(error.name === 'TypeError' ? 'The connection was lost.' : error.message);
    standing = false;
  }
}

function standBack() {
  standing = false;
  if (stand) release(stand);
  stand = null;
}
window.addEventListener('sound-asked', standBack);
window.addEventListener('screen-plays', standBack);

function turn(changes) {
  turned = { ...turned, ...changes };
  if (!asked()) return;
  const question = JSON.parse(asked());
  const request = JSON.stringify({ ...question, knobs: { ...question.knobs, ...turned } });
  window.dispatchEvent(new CustomEvent('sound-moving', { detail: request }));
  moving = request;
  if (!standing && !window.synthExplorerSounding && loops()) standIn();
  if (voices.length) want(request, true);
}
window.addEventListener('sound-asked', () => (turned = {}));
window.addEventListener('pad-moving', (event) => turn(event.detail));
document.addEventListener('input', (event) => {
  if (!(event.target instanceof Element) || !event.target.matches('input[type=range]')) return;
  let part = event.target;
  while (part && !(part.id in props.knobs)) part = part.parentElement;
  if (part) turn({ [props.knobs[part.id]]: Number(event.target.value) });
});

new ResizeObserver(draw).observe(strip);
draw();
element.dataset.ready = 'true';
