// Voices: notes of the route of keys, played by Web Audio. A voice is struck, goes on in its note's loop, follows the knobs
// by fading into the note that they ask for, and is let go. What can be heard soon is fetched ahead and kept.
const MOST_VOICES = 8;
const FADE_S = 0.03; // from one sound of a held note into the next
const SOON_S = 0.005; // after what is made already, when a fade that is asked for now can begin
const KEPT_NOTES = 96;
const KEPT_BYTES = 48e6;
const COMPARED = 512; // samples by which two sounds are laid upon one another
const FALL = 6.9; // time constants in which a release falls by 60 dB
const WAV_HEADER = 56;
const kept = new Map(); // 'request|midi|hold' -> a note
const voices = []; // the oldest first
let audio = null; // {context, output}
let bendCents = 0;
let pedal = false;
let said = () => {}; // where a sentence for people goes

const asked = () => window.synthExplorerRequest || '';

function wake() {
  if (!audio) {
    const context = new AudioContext({ latencyHint: 'interactive' });
    audio = { context, output: context.createGain(), log: [] };
    audio.output.connect(context.destination);
    window.synthExplorerAudio = audio; // for whoever wants to listen
  }
  if (audio.context.state === 'suspended') audio.context.resume();
  return audio;
}

// --- Notes -------------------------------------------------------------------------------------------------------------

async function fetched(request, midi, more) {
  const query = new URLSearchParams({ request, ...more });
  if (midi !== null) query.set('midi', midi);
  const answer = await fetch(new URL('sound/note.wav?' + query, document.baseURI));
  if (answer.status === 204) return null; // not now: others wait
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), { status: answer.status });
  const bytes = await answer.arrayBuffer();
  const told = (name) => Number(answer.headers.get(name));
  const [start, end] = (answer.headers.get('X-Loop') || '0 0').split(' ').map(Number);
  return {
    samples: new Float32Array(bytes, WAV_HEADER),
    rate: new DataView(bytes).getUint32(24, true),
    start,
    end,
    looped: end > start,
    releaseS: told('X-Release-S'),
    fromS: told('X-From-S'), // of the sound, where it begins
    midi: told('X-Midi'),
    moving: 'from_s' in more,
    first: answer.headers.has('X-First'), // only its beginning
  };
}

const nameOf = (request, midi, hold) => [request, midi, hold].join('|');

function known(request, midi, hold) {
  const name = nameOf(request, midi, hold);
  const note = kept.get(name);
  if (note) {
    kept.delete(name); // it is the one that was used last
    kept.set(name, note);
  }
  return note;
}

function keep(request, midi, hold, note) {
  kept.set(nameOf(request, midi, hold), note);
  let bytes = [...kept.values()].reduce((sum, one) => sum + one.samples.byteLength, 0);
  for (const [name, one] of kept) { // the one that was used longest ago first
    if (kept.size <= KEPT_NOTES && bytes <= KEPT_BYTES) break;
    kept.delete(name);
    bytes -= one.samples.byteLength;
  }
  return note;
}

const flags = (hold) => (hold ? { hold: 'true' } : {});

async function noteOf(request, midi, hold) {
  return known(request, midi, hold) || keep(request, midi, hold, await fetched(request, midi, flags(hold)));
}

// --- One sound of a voice ------------------------------------------------------------------------------------------------

// Sample of a note at a place, loops and all.
function wrapped(note, place) {
  return note.looped && place >= note.end ? note.start + ((place - note.start) % (note.end - note.start)) : place;
}

const rateOf = (note) => note.rate * 2 ** (bendCents / 1200);

function place(part, timeS) {
  return wrapped(part.note, part.place + Math.max(0, timeS - part.placeS) * rateOf(part.note));
}

function sound(voice, note, timeS, offset) {
  const { context } = audio;
  if (!note.buffer) {
    note.buffer = context.createBuffer(1, Math.max(1, note.samples.length), note.rate);
    note.buffer.copyToChannel(note.samples, 0);
  }
  const source = context.createBufferSource();
  const fade = context.createGain();
  source.buffer = note.buffer;
  source.detune.value = bendCents;
  source.loop = note.looped;
  source.loopStart = note.start / note.rate;
  source.loopEnd = note.end / note.rate;
  source.connect(fade).connect(voice.gain);
  source.start(timeS, offset / note.rate);
  const part = { source, fade, note, place: offset, placeS: Math.max(timeS, context.currentTime), untilS: timeS };
  source.onended = () => {
    fade.disconnect();
    if (voice.part === part && (voice.released || !note.first)) end(voice);
  };
  return part;
}

function end(voice) {
  voice.ended = true;
  const at = voices.indexOf(voice);
  if (at >= 0) voices.splice(at, 1);
  if (voice.gain) voice.gain.disconnect();
  tell();
}

function tell() {
  window.synthExplorerSounding = voices.some((voice) => !voice.released && !voice.stands); // beside the result
  window.dispatchEvent(new CustomEvent('voices-changed'));
}

// --- A voice -------------------------------------------------------------------------------------------------------------

// midi: null for the sound's own pitch. velocity: 1..127, its level as samplers have it. sinceMs: when the key went down.
// stands: it stands for the result, and fades into the loop of its note without its beginning.
function strike(midi, velocity, { hold = false, stands = false, sinceMs = performance.now() } = {}) {
  const { context } = wake();
  while (voices.length >= MOST_VOICES) cut(voices.find((voice) => voice.released) || voices[0]);
  const request = asked();
  const voice = { midi, hold, stands, request, heard: nameOf(request, midi, hold), gain: context.createGain(), part: null, sinceMs };
  voice.gain.gain.value = (velocity / 127) ** 2;
  voice.gain.connect(audio.output);
  voices.push(voice);
  const note = known(request, midi, hold);
  if (note) begin(voice, note);
  else wait(voice).catch((error) => fail(voice, error));
  tell();
  return voice;
}

// Its beginning sounds as soon as that is there, and the whole note goes on with it.
async function wait(voice) {
  const { request, midi, hold } = voice;
  const note = await fetched(request, midi, { ...flags(hold), first: 'true' });
  begin(voice, note);
  if (!note.first) keep(request, midi, hold, note);
  else if (!voice.ended) succeed(voice, note, await noteOf(request, midi, hold));
}

function succeed(voice, first, note) {
  if (voice.whole === first) voice.whole = note;
  if (voice.ended || voice.part.note !== first) return; // it follows a knob by now
  const apart = Math.round((first.fromS - note.fromS) * note.rate);
  const timeS = Math.ceil(soon(voice) * note.rate) / note.rate;
  fadeInto(voice, note, timeS, wrapped(note, Math.round(place(voice.part, timeS)) + apart), 1);
  if (voice.released) fall(voice);
  audio.log.push({ midi: voice.midi, wholeMs: performance.now() - voice.sinceMs, timeS });
}

function begin(voice, note) {
  if (voice.ended) return;
  const { context } = audio;
  voice.part = sound(voice, note, context.currentTime, voice.stands && note.looped ? note.start : 0);
  if (voice.stands) {
    const { fade, placeS } = voice.part;
    fade.gain.value = 0; // a source may begin a sample before its ramp does
    fade.gain.setValueAtTime(0, placeS);
    fade.gain.linearRampToValueAtTime(1, placeS + FADE_S);
    voice.part.untilS = placeS + FADE_S + 0.002;
  }
  voice.whole = note;
  audio.log.push({ midi: voice.midi, waitedMs: performance.now() - voice.sinceMs, timeS: context.currentTime });
  audio.log.splice(0, audio.log.length - 200);
  if (voice.released) fall(voice);
  else follow();
  tell();
}

function fail(voice, error) {
  if (!voice.ended) end(voice);
  said(error.name === 'TypeError' ? 'The connection was lost.' : error.message);
}

function release(voice) {
  if (voice.released) return;
  if (pedal && !voice.hold) {
    voice.pedalled = true;
    return;
  }
  voice.released = true;
  if (voice.part) fall(voice);
  tell();
}

function fall(voice) {
  const now = audio.context.currentTime;
  const releaseS = Math.max(voice.whole.releaseS, 0.03);
  voice.gain.gain.setTargetAtTime(0, now, releaseS / FALL);
  voice.part.source.stop(now + releaseS);
}

// Another voice needs its place.
function cut(voice) {
  const now = audio.context.currentTime;
  voices.splice(voices.indexOf(voice), 1);
  voice.ended = voice.released = true;
  if (!voice.part) return;
  voice.gain.gain.cancelScheduledValues(now);
  voice.gain.gain.setTargetAtTime(0, now, 0.004);
  voice.part.source.stop(now + 0.04);
}

function setPedal(down) {
  pedal = down;
  if (!down) [...voices].filter((voice) => voice.pedalled).forEach(release);
}

function bend(cents) {
  if (audio) {
    const now = audio.context.currentTime;
    voices.filter((voice) => voice.part).forEach(({ part }) => {
      part.place = place(part, now);
      part.placeS = Math.max(part.placeS, now);
      part.source.detune.setValueAtTime(cents, now);
    });
  }
  bendCents = cents;
}

// --- Held notes follow the knobs -------------------------------------------------------------------------------------------

// Where the new note goes on: within a period, where its wave lies upon the old one's. Returns [offset, correlation].
function laidUpon(before, at, note, base) {
  const count = Math.min(COMPARED, note.samples.length >> 1);
  const old = new Float32Array(count);
  let energy = 1e-12;
  for (let n = 0; n < count; n++) {
    old[n] = before.samples[Math.floor(wrapped(before, at + n))] || 0;
    energy += old[n] ** 2;
  }
  const period = Math.ceil(note.rate / (440 * 2 ** ((note.midi - 69) / 12)));
  const coming = new Float32Array(count + period);
  for (let n = 0; n < coming.length; n++) coming[n] = note.samples[Math.floor(wrapped(note, base + n))] || 0;
  let best = [base, 0];
  for (let lag = 0; lag < period; lag++) {
    let product = 0;
    let own = 1e-12;
    for (let n = 0; n < count; n++) {
      product += old[n] * coming[lag + n];
      own += coming[lag + n] ** 2;
    }
    const alike = product / Math.sqrt(energy * own);
    if (alike > best[1]) best = [base + lag, alike];
  }
  return [wrapped(note, best[0]), Math.min(best[1], 1)];
}

// Two weights that keep the power of what is as alike as r (Fink, Holters, Zölzer, DAFx-16), as `instruments.loops` has it.
function fades(r) {
  const steps = 33;
  const rising = Float32Array.from({ length: steps }, (_, n) => {
    const up = n / (steps - 1);
    return up / Math.sqrt(up ** 2 + (1 - up) ** 2 + 2 * r * up * (1 - up));
  });
  return [rising, rising.slice().reverse()];
}

// When a voice can begin to fade into another sound: sound is made `baseLatency` at a time, and a curve that begins in what
// is made already begins with a jump.
function soon(voice) {
  const { currentTime, baseLatency } = audio.context;
  return Math.max(currentTime + (baseLatency || 0) + SOON_S, voice.part.untilS);
}

function fadeInto(voice, note, timeS, offset, alike) {
  const old = voice.part;
  const [rising, falling] = fades(alike);
  voice.part = sound(voice, note, timeS, offset);
  voice.part.fade.gain.value = 0; // a source may begin a sample before the curve does
  voice.part.fade.gain.setValueCurveAtTime(rising, timeS, FADE_S);
  old.fade.gain.setValueCurveAtTime(falling, timeS, FADE_S);
  voice.part.untilS = timeS + FADE_S + 0.002;
  old.source.stop(timeS + FADE_S + 0.01);
}

function swap(voice, note, sinceMs) {
  if (voice.ended || !voice.part) return;
  const old = voice.part;
  const timeS = soon(voice);
  const at = place(old, timeS);
  const elsewhere = old.note.moving !== note.moving || Math.abs(old.note.fromS - note.fromS) > 0.1;
  let base = elsewhere ? at + (old.note.fromS - note.fromS) * note.rate : at;
  if (note.looped) base = base >= note.start || !note.moving ? wrapped(note, Math.max(base, 0)) : note.start;
  base = Math.min(Math.max(0, base), note.samples.length - 1);
  const [offset, alike] = laidUpon(old.note, at, note, Math.floor(base));
  const beginS = soon(voice); // laying them upon each other took its time, in which both went on
  fadeInto(voice, note, beginS, wrapped(note, offset + (beginS - timeS) * rateOf(note)), alike);
  if (!note.moving) voice.whole = note;
  audio.log.push({ midi: voice.midi, followedMs: performance.now() - sinceMs, timeS, alike });
  audio.log.splice(0, audio.log.length - 200);
}

const wanted = { request: '', moving: false, sinceMs: 0 };
let following = false;

const late = () => voices.filter((voice) => voice.part && !voice.released && voice.heard !== nameOf(wanted.request, voice.midi, voice.hold));

async function update(voice) {
  const { request, moving, sinceMs } = wanted;
  const { whole, midi, hold } = voice;
  try {
    const fromS = (whole.looped ? whole.start : place(voice.part, audio.context.currentTime)) / whole.rate + whole.fromS;
    const more = { ...flags(hold), from_s: fromS.toFixed(3) };
    swap(voice, await (moving ? fetched(request, midi, more) : noteOf(request, midi, hold)), sinceMs);
  } catch (error) {
    if (error.status !== 503) said(error.name === 'TypeError' ? 'The connection was lost.' : error.message);
  }
  voice.heard = nameOf(request, midi, hold);
  voice.movedMs = performance.now();
}

// Every voice that sounds goes over to what is wanted, those that waited longest first, two at a time, until nothing newer
// is wanted.
async function follow() {
  if (following) return;
  following = true;
  try {
    for (let behind = late(); behind.length; behind = late()) {
      behind.sort((one, other) => (one.movedMs || 0) - (other.movedMs || 0));
      await Promise.all(behind.slice(0, 2).map(update));
    }
  } finally {
    following = false;
  }
}

function want(request, moving) {
  Object.assign(wanted, { request, moving, sinceMs: performance.now() });
  follow();
}

window.addEventListener('sound-asked', (event) => want(event.detail, false));
wanted.request = asked();

// --- Ahead of the hand -----------------------------------------------------------------------------------------------------

let plan = 0;
const pause = (ms) => new Promise((go) => setTimeout(go, ms));

// Fetches the notes of these keys, the nearest first, while nobody waits for anything; whether all of them are there then.
async function ahead(keys, hold) {
  const mine = (plan += 1);
  const request = asked();
  await pause(400);
  for (const midi of keys) {
    for (let tries = 0; tries < 20 && mine === plan && !kept.has(nameOf(request, midi, hold)); tries++) {
      try {
        const note = await fetched(request, midi, { ...flags(hold), ahead: 'true' });
        if (!note) {
          await pause(300);
          continue;
        }
        keep(request, midi, hold, note);
      } catch {
        return false; // a key says why when it is pressed
      }
    }
    if (mine !== plan || request !== asked()) return false;
  }
  return keys.every((midi) => kept.has(nameOf(request, midi, hold)));
}
