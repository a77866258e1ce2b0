// The final render of the sound that the knobs ask for: its WAV file is read while it is made and every piece is put
// behind the last one at once (a browser's own player waits for a second of sound before it begins). value = {available}.
const finalRender = element.querySelector('.final-render');
const begin = element.querySelector('.final-render-play');
const end = element.querySelector('.final-render-stop');
const words = element.querySelector('.final-render-words');
const save = element.querySelector('.final-render-save');
const HEADER = 56;
const AHEAD_S = 0.08; // the first piece begins so much later, and a piece that comes late too
const LOOK_MS = 500; // between two looks at its place in the line
const NAME = crypto.getRandomValues(new Uint32Array(3)).join('-'); // by which the server knows this page's
let request = window.synthExplorerRequest || '';
let running = null; // {controller, context}

const served = (path) => new URL(`${path}page=${NAME}`, document.baseURI).href;
const address = () => served(`sound/final.wav?request=${encodeURIComponent(request)}&`);
const available = () => Boolean(props.value && props.value.available);

function say(state, text) {
  finalRender.dataset.state = state;
  words.textContent = text;
  begin.disabled = !available() || !request;
  end.disabled = state !== 'waiting' && state !== 'playing';
}

function stop(text) {
  const ended = running;
  running = null;
  if (ended) {
    ended.controller.abort(); // closes the connection, which ends the render
    if (ended.context) ended.context.close();
  }
  say('ready', text);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

// Puts the samples of `bytes` behind what was put before; returns how many bytes were whole samples.
function put(job, bytes) {
  const count = bytes.length >> 2;
  if (!count) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4 * count);
  const buffer = job.context.createBuffer(1, count, job.context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let n = 0; n < count; n++) {
    samples[n] = view.getFloat32(4 * n, true);
    job.peak = Math.max(job.peak, Math.abs(samples[n]));
  }
  const source = job.context.createBufferSource();
  source.buffer = buffer;
  source.connect(job.context.destination);
  const now = job.context.currentTime;
  if (job.next === 0) {
    job.next = now + AHEAD_S;
    finalRender.dataset.latencyMs = Math.round(performance.now() - job.began + 1000 * AHEAD_S);
    say('playing', 'Playing while it is made');
  } else if (job.next < now) {
    job.next = now + AHEAD_S;
    job.late = true;
  }
  source.start(job.next);
  job.next += count / job.context.sampleRate;
  job.last = source;
  return 4 * count;
}

// Says how many renders of other pages come first, until its turn.
async function wait(job) {
  for (;;) {
    await new Promise((go) => setTimeout(go, LOOK_MS));
    if (running !== job || job.answered) return;
    const answer = await fetch(served('sound/final/place?')).catch(() => null);
    const place = answer && answer.ok ? await answer.json() : { ahead: 0 };
    if (running !== job || job.answered) return;
    const about = place.seconds === null ? '' : `, about ${Math.max(1, Math.round(place.seconds))} s`;
    say('waiting', place.ahead ? `${place.ahead} before yours${about}` : 'Beginning');
  }
}

async function play() {
  stop('');
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: finalRender }));
  const job = { controller: new AbortController(), context: null, next: 0, began: performance.now(), late: false, peak: 0 };
  running = job;
  const made = request;
  save.hidden = true;
  say('waiting', 'Beginning');
  wait(job);
  try {
    const answer = await fetch(address(), { signal: job.controller.signal });
    job.answered = true;
    if (!answer.ok) throw new Error(await answer.text());
    const reader = answer.body.getReader();
    const parts = [];
    let rest = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (running !== job) return;
      if (done) break;
      parts.push(value);
      rest = joined([rest, value]);
      if (!job.context) {
        if (rest.length < HEADER) continue;
        const rate = new DataView(rest.buffer, rest.byteOffset).getUint32(24, true);
        job.context = new AudioContext({ sampleRate: rate });
        await job.context.resume();
        rest = rest.slice(HEADER);
      }
      rest = rest.slice(put(job, rest));
    }
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(new Blob(parts, { type: 'audio/wav' }));
    save.hidden = false;
    window.dispatchEvent(new CustomEvent('final-made', { detail: made }));
    const said = [];
    if (job.late) said.push('Made slower than it plays; the download has no gaps');
    if (job.peak > 1) said.push(`Clips by ${(20 * Math.log10(job.peak)).toFixed(1)} dB; the download keeps it`);
    say('playing', said.join('. ') || 'Made');
    const finished = () => running === job && stop(said.join('. '));
    if (job.last && job.next > job.context.currentTime) job.last.onended = finished;
    else finished();
  } catch (error) {
    if (running === job) stop(error.name === 'TypeError' ? 'The connection was lost.' : error.message);
  }
}

begin.addEventListener('click', play);
end.addEventListener('click', () => stop('Stopped.'));
// Another player has begun, or the knobs have moved.
window.addEventListener('screen-plays', (event) => {
  if (event.detail !== finalRender && running) stop('');
});
window.addEventListener('sound-asked', (event) => {
  if (event.detail === request) return; // the knobs were put where they were
  request = event.detail;
  save.hidden = true;
  stop('');
});
window.addEventListener('sound-shown', () => (save.download = window.synthExplorerFileName('final.wav')));

function take() {
  finalRender.hidden = !available();
  say(finalRender.dataset.state, words.textContent);
}
watch('value', take);
take();
element.dataset.ready = 'true';
