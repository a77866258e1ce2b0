// Snapshots: four sounds to flip between, from the moment at which the other one was, and faded into it; while the switch is on,
// each is played as loud as the softest of them. A snapshot is {said, fit} as the deck has states, with what was heard of it: {loudness_db, colour, name}.
const store = element.querySelector('.compare-store');
const equal = element.querySelector('.compare-equal');
const words = element.querySelector('.compare-words');
const numbers = [...element.querySelectorAll('[data-place]')];
const NAME = 'synth-explorer-compare';
const FADE_S = 0.03;
const SOON_S = 0.01;
const MOST_SOUNDS = 8;
const sounds = new Map(); // request -> promise of its AudioBuffer
let kept = numbers.map(() => null);
let heard = null; // the newest sound, as a snapshot
let armed = false;
let playing = null; // {snapshot, source, gain, level, from, begun, end}
let flips = 0;

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const now = () => window.synthExplorerState && window.synthExplorerState();

function context() {
  if (!window.synthExplorerCompare) {
    const made = new AudioContext({ latencyHint: 'interactive' });
    window.synthExplorerCompare = { context: made, output: made.createGain() };
    window.synthExplorerCompare.output.connect(made.destination);
  }
  window.synthExplorerCompare.context.resume();
  return window.synthExplorerCompare.context;
}

function sound(snapshot) {
  const request = window.synthExplorerRequestOf(snapshot);
  if (!sounds.has(request)) {
    const address = new URL('sound/result.wav?request=' + encodeURIComponent(request), document.baseURI);
    const made = fetch(address).then(async (answer) => {
      if (!answer.ok) throw new Error(await answer.text());
      return context().decodeAudioData(await answer.arrayBuffer());
    });
    made.catch(() => sounds.delete(request));
    sounds.set(request, made);
    if (sounds.size > MOST_SOUNDS) sounds.delete(sounds.keys().next().value);
  }
  return sounds.get(request);
}

const isEqual = () => equal.getAttribute('aria-pressed') === 'true';

// How much softer a snapshot is played than it is, dB.
function matchDb(snapshot) {
  if (!isEqual()) return 0;
  const levels = kept.filter((one) => one && Number.isFinite(one.loudness_db)).map((one) => one.loudness_db);
  return Number.isFinite(snapshot.loudness_db) ? Math.min(...levels) - snapshot.loudness_db : 0;
}

function fade(voice, seconds) {
  const { currentTime } = voice.gain.context;
  const parts = [(currentTime - voice.begun) / FADE_S, (voice.end - currentTime) / SOON_S, 1];
  voice.gain.gain.cancelScheduledValues(currentTime);
  voice.gain.gain.setValueAtTime(voice.level * Math.max(0, Math.min(...parts)), currentTime); // as it is now
  voice.gain.gain.linearRampToValueAtTime(0, currentTime + seconds);
  voice.source.stop(currentTime + seconds + 0.01);
}

function stop() {
  if (playing) fade(playing, FADE_S);
  playing = null;
}

// The moment of the sound that is heard now, in seconds; null where nothing plays.
function moment() {
  if (playing) return context().currentTime - playing.begun + playing.from;
  const player = document.querySelector('#screen-result audio');
  return player && !player.paused && !player.ended ? player.currentTime : null;
}

async function play(buffer, snapshot) {
  const at = moment();
  const from = at !== null && at < buffer.duration ? at : 0;
  const audio = context();
  const source = audio.createBufferSource();
  const gain = audio.createGain();
  source.buffer = buffer;
  source.connect(gain).connect(window.synthExplorerCompare.output);
  const begun = audio.currentTime + SOON_S;
  gain.gain.value = 0; // the source may begin a sample before its ramp does
  gain.gain.setValueAtTime(0, begun);
  const end = begun + buffer.duration - from;
  const level = 10 ** (matchDb(snapshot) / 20);
  gain.gain.linearRampToValueAtTime(level, Math.min(begun + FADE_S, end));
  gain.gain.setValueAtTime(level, Math.max(begun + FADE_S, end - SOON_S)); // a sound that is cut off ends without a click
  gain.gain.linearRampToValueAtTime(0, Math.max(begun + FADE_S, end));
  source.start(begun, from);
  if (playing) fade(playing, SOON_S + FADE_S);
  const mine = { snapshot, source, gain, begun, from, end, level };
  playing = mine;
  source.onended = () => playing === mine && (playing = null);
  await hush();
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: element }));
}

// What plays goes over to the level that the switch asks for.
function relevel() {
  const { snapshot, gain, begun, end } = playing;
  const at = Math.max(gain.context.currentTime, begun + FADE_S);
  if (at + FADE_S > end - SOON_S) return; // it ends by then
  const level = 10 ** (matchDb(snapshot) / 20);
  gain.gain.cancelScheduledValues(at);
  gain.gain.setValueAtTime(playing.level, at);
  gain.gain.linearRampToValueAtTime(level, at + FADE_S);
  gain.gain.setValueAtTime(level, end - SOON_S);
  gain.gain.linearRampToValueAtTime(0, end);
  playing.level = level;
}

async function flip(place) {
  const snapshot = kept[place];
  flips += 1;
  const turn = flips;
  try {
    if (moment() !== null || document.querySelector('#autoplay input').checked) {
      const buffer = await sound(snapshot);
      if (turn === flips) await play(buffer, snapshot); // faded into what is heard, before the page falls silent
    }
  } catch (error) {
    words.textContent = error.name === 'TypeError' ? 'The connection was lost.' : error.message;
  }
  if (turn === flips) window.synthExplorerPut(snapshot, false); // also where it cannot be heard, or not yet
}

function keep(place) {
  const state = now();
  if (!state) return;
  kept[place] = { ...(heard && same(heard.said, state.said) ? heard : {}), said: state.said, fit: state.fit };
  arm(false);
  save();
  sound(kept[place]).catch(() => {}); // said when it is flipped to
}

function save() {
  try {
    [sessionStorage, localStorage].forEach((storage) => storage.setItem(NAME, JSON.stringify(kept)));
  } catch (error) {
    words.textContent = `The browser keeps nothing more (${error.name}).`;
  }
  draw();
}

function arm(on) {
  armed = on;
  store.setAttribute('aria-pressed', on);
  element.querySelector('.compare').classList.toggle('is-armed', on);
  draw();
}

function draw() {
  const state = now();
  words.textContent = armed ? 'Where to?' : '';
  numbers.forEach((button, place) => {
    const snapshot = kept[place];
    const active = Boolean(snapshot && state && same(snapshot.said, state.said));
    const softer = snapshot ? -matchDb(snapshot) : 0;
    const level = softer >= 0.05 ? `, ${softer.toFixed(1)} dB softer to match` : '';
    button.classList.toggle('is-filled', Boolean(snapshot));
    button.setAttribute('aria-pressed', active);
    button.style.setProperty('--slot', (snapshot && snapshot.colour) || '');
    const does = snapshot ? (snapshot.name || 'a sound') + level : 'empty, keeps this sound here';
    button.setAttribute('aria-label', `Snapshot ${place + 1}: ${does}`);
    button.title = `${does[0].toUpperCase()}${does.slice(1)} (${place + 1})`;
    if (active && level && !armed) words.textContent = `−${softer.toFixed(1)} dB`;
  });
}

const press = (place, storing) => (storing || armed || !kept[place] ? keep(place) : flip(place));
numbers.forEach((button, place) => button.addEventListener('click', (event) => press(place, event.shiftKey)));
store.addEventListener('click', () => arm(!armed));
equal.addEventListener('click', () => {
  equal.setAttribute('aria-pressed', !isEqual());
  keepViewed({ equal: isEqual() });
  if (playing) relevel();
  draw();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && armed) arm(false);
  const place = ['Digit1', 'Digit2', 'Digit3', 'Digit4'].indexOf(event.code);
  if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])')) return;
  press(place, event.shiftKey);
});
window.addEventListener('screen-plays', (event) => event.detail !== element && stop());
window.addEventListener('sound-asked', draw);
window.addEventListener('sound-shown', ({ detail }) => {
  const { loudness_db, colour, name } = detail;
  heard = { said: window.synthExplorerThin(JSON.parse(detail.request)), loudness_db, colour, name };
  let filled = false;
  kept.forEach((snapshot) => {
    if (!snapshot || 'loudness_db' in snapshot || !same(snapshot.said, heard.said)) return;
    Object.assign(snapshot, { loudness_db, colour, name });
    filled = true;
  });
  if (filled) save();
  else draw();
});

try {
  const left = JSON.parse(sessionStorage.getItem(NAME) || localStorage.getItem(NAME) || 'null');
  if (Array.isArray(left)) kept = numbers.map((_, place) => left[place] || null);
} catch {
  kept = numbers.map(() => null); // what another version left, or a browser that keeps nothing
}
equal.setAttribute('aria-pressed', viewed().equal !== false);
draw();
element.dataset.ready = 'true';
