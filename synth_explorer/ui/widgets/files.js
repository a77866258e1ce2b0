// Files that come by hand: dropped anywhere, recorded, or longer than a note may be, of which a part is chosen. All go on
// as if they had been chosen by the button of their slot. prop longest: how much of a file is used, in seconds.
const words = element.querySelector('.files-words');
const dialog = element.querySelector('.files-part');
const wave = element.querySelector('canvas');
const frame = element.querySelector('.files-wave i');
const from = element.querySelector('.files-part input');
const RATE_HZ = 48000;
const LONGEST_TAKE_S = 60;
const slots = () => [...document.querySelectorAll('.slot')].filter((slot) => slot.offsetParent);
const inputOf = (slot) => slot.querySelector('input[type=file]');
let giving = false; // a file that needs no part chosen

function give(input, file) {
  const hand = new DataTransfer();
  hand.items.add(file.type ? file : new File([file], file.name, { type: 'audio/other' })); // Gradio takes none without
  input.value = '';
  input.files = hand.files;
  giving = true;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  giving = false;
}

// A WAV file, 32-bit float, of channels [C][T].
function wav(channels, rate, name) {
  const [count, size] = [channels.length, channels[0].length];
  const bytes = new DataView(new ArrayBuffer(44 + 4 * count * size));
  const text = (at, letters) => [...letters].forEach((letter, n) => bytes.setUint8(at + n, letter.charCodeAt(0)));
  [[0, 'RIFF'], [8, 'WAVEfmt '], [36, 'data']].forEach(([at, letters]) => text(at, letters));
  [[4, 36 + 4 * count * size], [16, 16], [24, rate], [28, 4 * count * rate], [40, 4 * count * size]].forEach(([at, value]) => bytes.setUint32(at, value, true));
  [[20, 3], [22, count], [32, 4 * count], [34, 32]].forEach(([at, value]) => bytes.setUint16(at, value, true));
  for (let n = 0; n < size; n++) channels.forEach((samples, c) => bytes.setFloat32(44 + 4 * (n * count + c), samples[n], true));
  return new File([bytes], name, { type: 'audio/wav' });
}

// --- Dropped -----------------------------------------------------------------------------------------------------------------

const holds = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
const under = (event) => event.target instanceof Element && slots().find((slot) => slot.contains(event.target));
function mark(event) {
  if (event && !holds(event)) return;
  document.querySelectorAll('.is-target').forEach((slot) => slot.classList.remove('is-target'));
  element.firstElementChild.classList.toggle('is-over', Boolean(event));
  if (!event) return;
  event.preventDefault();
  (under(event) || slots()[0])?.classList.add('is-target');
}
['dragenter', 'dragover'].forEach((name) => window.addEventListener(name, mark));
window.addEventListener('dragleave', (event) => event.relatedTarget || mark());
window.addEventListener('drop', (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  event.stopPropagation();
  const files = [...event.dataTransfer.files];
  const saved = files.find((file) => /\.(zip|json)$/i.test(file.name));
  const first = Math.max(0, slots().indexOf(under(event)));
  mark();
  if (saved) return give(document.querySelector('.deck-row input[type=file]'), saved);
  slots().slice(first).forEach((slot, at) => files[at] && choose(inputOf(slot), files[at]));
}, true);

// --- Longer than a note --------------------------------------------------------------------------------------------------------

const FADE_S = 0.005;
let part = null; // {input, file, sound, player, begin, lasts}, in seconds

function show(begin, lasts = props.longest) {
  Object.assign(part, { begin, lasts: Math.min(lasts, props.longest) });
  from.value = begin;
  frame.style.left = (100 * begin) / part.sound.duration + '%';
  frame.style.width = (100 * part.lasts) / part.sound.duration + '%';
  element.querySelector('.files-from').textContent = `${begin.toFixed(1)} to ${(begin + part.lasts).toFixed(1)} s`;
}

function draw() {
  const context = wave.getContext('2d');
  const samples = part.sound.getChannelData(0);
  const step = Math.max(1, Math.floor(samples.length / wave.width));
  context.clearRect(0, 0, wave.width, wave.height);
  context.fillStyle = getComputedStyle(part.input.closest('.slot')).getPropertyValue('--slot');
  for (let x = 0; x < wave.width; x++) {
    let peak = 0;
    for (let n = x * step; n < (x + 1) * step; n += Math.ceil(step / 200)) peak = Math.max(peak, Math.abs(samples[n] || 0));
    const tall = Math.max(1, Math.min(1, peak) * wave.height);
    context.fillRect(x, (wave.height - tall) / 2, 1, tall);
  }
}

function quiet() {
  part?.player?.close();
  if (part) part.player = null;
}

function listen() {
  quiet();
  part.player = new AudioContext();
  const source = new AudioBufferSourceNode(part.player, { buffer: part.sound });
  source.connect(part.player.destination);
  source.start(0, part.begin, part.lasts);
}

// A stretch of the recording as a file of its own, faded so that it does not click.
function cut(begin, lasts, name) {
  const { sound, file } = part;
  const [first, last] = [begin, begin + lasts].map((at) => Math.max(0, Math.round(at * sound.sampleRate)));
  const channels = Array.from({ length: Math.min(2, sound.numberOfChannels) }, (_, c) => sound.getChannelData(c).slice(first, last));
  const fade = Math.min(Math.round(FADE_S * sound.sampleRate), channels[0].length >> 1);
  channels.forEach((samples) => {
    for (let n = 0; n < fade; n++) {
      samples[n] *= n / fade;
      samples[samples.length - 1 - n] *= n / fade;
    }
  });
  return wav(channels, sound.sampleRate, file.name.replace(/\.\w+$/, '') + ` ${name}.wav`);
}

function use() {
  const { input, begin, lasts } = part;
  dialog.close();
  give(input, cut(begin, lasts, `from ${begin.toFixed(1)} s`));
}

async function length(file) {
  const player = new Audio(URL.createObjectURL(file));
  const found = await new Promise((done) => {
    player.onloadedmetadata = () => done(player.duration);
    player.onerror = () => done(0); // the server says what is wrong with it
  });
  URL.revokeObjectURL(player.src);
  return found;
}

async function choose(input, file) {
  const sound = (await length(file)) > props.longest + 0.5 && (await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(await file.arrayBuffer()).catch(() => null));
  if (!sound) {
    give(input, file);
    return;
  }
  part = { input, file, sound, player: null };
  forget();
  element.querySelector('h2').textContent = `${file.name} lasts ${sound.duration.toFixed(1)} s`;
  from.max = (sound.duration - props.longest).toFixed(1);
  dialog.showModal();
  draw();
  show(0);
}
document.addEventListener('change', (event) => {
  const file = event.target instanceof Element && event.target.matches('.slot input[type=file]') && event.target.files[0];
  if (!file || giving) return;
  event.stopPropagation();
  choose(event.target, file);
}, true);
from.addEventListener('input', () => show(Number(from.value)));
element.querySelector('.files-wave').addEventListener('pointerdown', (event) => {
  const box = event.currentTarget.getBoundingClientRect();
  const middle = (part.sound.duration * (event.clientX - box.left)) / box.width;
  show(Math.min(Math.max(middle - props.longest / 2, 0), part.sound.duration - props.longest));
});
dialog.addEventListener('click', ({ target }) => ({ listen, use, find: findNotes, highlights: useHighlights, cancel: () => dialog.close() })[target.dataset.does]?.());
dialog.addEventListener('close', quiet);

// --- Recorded -----------------------------------------------------------------------------------------------------------------

let take = null; // {button, stream, context, parts, began}
const TAPE = `registerProcessor('take', class extends AudioWorkletProcessor {
  process([[samples]]) {
    if (samples) this.port.postMessage(samples.slice());
    return true;
  }
})`;

function heard({ data }) {
  if (!take) return; // it was stopped
  take.parts.push(data);
  const seconds = (take.parts.length * data.length) / take.context.sampleRate;
  take.button.dataset.time = 'Stop ' + seconds.toFixed(1) + ' s';
  take.button.style.setProperty('--level', Math.min(100, 140 * data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)) + '%');
  if (seconds > LONGEST_TAKE_S) stop();
}

async function record(button) {
  const constraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: constraints });
  const context = new AudioContext();
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAPE], { type: 'text/javascript' })));
  take = { button, stream, context, parts: [] };
  const tape = new AudioWorkletNode(context, 'take');
  tape.port.onmessage = heard;
  context.createMediaStreamSource(stream).connect(tape);
  button.setAttribute('aria-pressed', 'true');
}

function stop() {
  const { button, stream, context, parts } = take;
  take = null;
  stream.getTracks().forEach((track) => track.stop());
  context.close();
  button.setAttribute('aria-pressed', 'false');
  const samples = new Float32Array(parts.reduce((size, one) => size + one.length, 0));
  parts.reduce((at, one) => (samples.set(one, at), at + one.length), 0);
  if (samples.length) give(inputOf(button.closest('.slot')), wav([samples], context.sampleRate, 'recording.wav'));
}

document.addEventListener('click', async (event) => {
  const button = event.target instanceof Element && event.target.closest('.slot [id^=record-]');
  if (!button) return;
  const other = take && take.button !== button;
  if (take) stop();
  else if (!other) await record(button).catch((error) => (words.textContent = `The microphone cannot be used: ${error.message}.`));
});
