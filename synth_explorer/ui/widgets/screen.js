// A spectrogram that plays. value = {path or address, picture, label, file_name, duration_s, level, clips, hz, colour, play, stamp} or
// null; or a question {request, stamp, play, complete, slow}, whose sound has an address of its own: it is played at once, and the
// event `heard` then asks for a value as above that bears the question's request and stamp; or {waits, link}: a sound that is made
// when somebody presses Render.
const screen = element.querySelector('.screen');
const picture = element.querySelector('img');
const field = element.querySelector('.screen-picture');
const hint = element.querySelector('.screen-hint');
const head = element.querySelector('.screen-head');
const button = element.querySelector('.screen-play');
const time = element.querySelector('.screen-time');
const level = element.querySelector('.screen-level');
const save = element.querySelector('.screen-save');
const scale = element.querySelector('.screen-hz');
const player = element.querySelector('audio');
const LATEST_MS = 1500;
const STEP_S = 0.1; // of an arrow key
let shown = null; // what is drawn
let asked = null; // the newest question; its sound may be playing before anything of it is drawn
let settled = null; // stamp of the question whose sound has come, or has not
let timer = 0;

// What the result is, as the name of another file of it, by what ends it.
window.synthExplorerFileName = (end) =>
  (document.querySelector('#screen-result .screen-save').download || 'sound.wav').replace(/\.wav$/, '-' + end);
const seconds = (value) => value.toFixed(2) + ' s';
const served = (path) => new URL(path, document.baseURI).href;
const fileAddress = (path) => served('gradio_api/file=' + path.split('/').map(encodeURIComponent).join('/'));
const soundAddress = (request) => served('sound/result.wav?request=' + encodeURIComponent(request));

function place(timeS) {
  const total = player.duration || (shown && shown.duration_s) || 1;
  head.style.left = (100 * timeS) / total + '%';
  head.setAttribute('aria-valuemax', total.toFixed(1));
  head.setAttribute('aria-valuenow', timeS.toFixed(1));
}

function follow() {
  place(player.currentTime);
  if (screen.dataset.state === 'playing') {
    time.textContent = seconds(player.currentTime);
    requestAnimationFrame(follow);
  }
}

function rest() {
  screen.dataset.state = shown ? 'ready' : 'empty';
  time.textContent = shown ? seconds(shown.duration_s) : '';
  button.setAttribute('aria-pressed', 'false');
}

function stop() {
  player.pause();
  rest();
}

function play(from) {
  if (!player.src) return;
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: player }));
  if (from !== undefined) player.currentTime = from;
  player.play().catch((error) => {
    if (error.name === 'AbortError') return; // another sound took its place
    rest();
    settle();
  });
}

// The sound of the newest question plays, is there, or will not come: now the rest may be asked for.
function settle() {
  if (!asked || settled === asked.stamp) return;
  settled = asked.stamp;
  clearTimeout(timer);
  trigger('heard', { stamp: settled });
}

function hear() {
  if (!asked.complete) {
    stop();
    settle();
    return;
  }
  const source = soundAddress(asked.request);
  clearTimeout(timer);
  timer = setTimeout(settle, LATEST_MS);
  if (player.src === source && !player.error) {
    player.currentTime = 0;
    if (asked.play) play();
    settle();
    return;
  }
  player.src = source;
  if (asked.play) play();
  else rest();
}

function clear() {
  hint.textContent = ''; // what it waited for has come to its end
  scale.innerHTML = '';
  player.removeAttribute('src');
  picture.hidden = true;
  save.hidden = true;
  button.disabled = true;
  level.textContent = '';
  rest();
}

function draw() {
  picture.hidden = false;
  picture.src = shown.picture;
  picture.alt = 'Spectrogram of ' + shown.label;
  screen.style.setProperty('--slot', shown.colour);
  scale.innerHTML = '';
  shown.hz.forEach(([label, height]) => {
    const mark = document.createElement('li');
    mark.textContent = label;
    mark.style.bottom = 100 * height + '%';
    scale.append(mark);
  });
  level.textContent = shown.level;
  level.classList.toggle('is-over', shown.clips);
  level.title = shown.clips ? 'Above full scale: the file keeps it, loudspeakers will clip it.' : 'Peak level of the file';
  save.hidden = !shown.file_name;
  save.href = player.src;
  save.download = shown.file_name || '';
  button.disabled = false;
  if (shown.file_name) { // the result: curves are drawn over it, also by a widget that comes later
    window.synthExplorerSeconds = shown.duration_s;
    window.dispatchEvent(new CustomEvent('sound-drawn'));
    if (shown.link) window.dispatchEvent(new CustomEvent('sound-shown', { detail: shown })); // to whoever keeps it
  }
  if (screen.dataset.state !== 'playing') rest();
}

function take() {
  const value = props.value;
  if (value && asked && value.stamp < asked.stamp) return; // the answer to an earlier question
  if (value && value.slow) { // made when somebody presses Render: what is drawn stays
    asked = null;
    trigger('heard', { stamp: value.stamp });
    return;
  }
  if (value && value.waits) {
    window.dispatchEvent(new CustomEvent('sound-linked', { detail: value }));
    return;
  }
  if (value && 'complete' in value) {
    asked = value;
    hear();
    return;
  }
  const before = shown;
  shown = value && (value.path || value.address) ? value : null;
  if (!shown) {
    clear();
    return;
  }
  const isNew = !before || before.stamp !== shown.stamp;
  const hasSound = shown.request && player.src === soundAddress(shown.request) && !player.error;
  const source = shown.address ? served(shown.address) : fileAddress(shown.path);
  if (!hasSound && player.src !== source) {
    player.src = source;
    place(0);
    rest();
    if (shown.play && isNew) play();
  }
  draw();
}

player.addEventListener('playing', () => {
  screen.dataset.state = 'playing';
  button.setAttribute('aria-pressed', 'true');
  follow();
  setTimeout(settle); // Gradio takes a while to send an event: let the frame be drawn first
});
player.addEventListener('loadeddata', () => {
  if (asked && !asked.play) settle();
});
player.addEventListener('error', settle);
player.addEventListener('ended', () => {
  rest();
  place(0);
});
window.addEventListener('screen-plays', (event) => {
  if (event.detail !== player && !player.paused) stop();
});
button.addEventListener('click', () => {
  if (screen.dataset.state === 'playing') stop();
  else play(0);
});
element.querySelector('.screen-loop').addEventListener('click', ({ currentTarget }) => {
  player.loop = !player.loop;
  currentTarget.setAttribute('aria-pressed', player.loop);
});
field.addEventListener('click', (event) => {
  if (!player.src) return;
  const box = field.getBoundingClientRect();
  play(((event.clientX - box.left) / box.width) * (player.duration || 0));
});
head.addEventListener('keydown', (event) => {
  const last = Math.max((player.duration || 0) - STEP_S, 0);
  const to = { ArrowLeft: player.currentTime - STEP_S, ArrowRight: player.currentTime + STEP_S, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  play(Math.min(Math.max(to, 0), last));
});

// While a knob turns, the result shows glimpses of what it would be, one after the other, until the answer comes.
let wanted = '';
let looking = false;
let glimpse = '';
async function look() {
  looking = true;
  for (let request = wanted; request; request = wanted) {
    wanted = '';
    const [question, sinceMs] = [asked, performance.now()];
    const answer = await fetch(served('sound/picture.png?request=' + encodeURIComponent(request))).catch(() => null);
    const drawn = answer && answer.status === 200 ? await answer.blob() : null;
    if (drawn && asked === question && shown) {
      URL.revokeObjectURL(glimpse);
      glimpse = URL.createObjectURL(drawn);
      picture.src = glimpse;
      const peak = Number(answer.headers.get('X-Peak'));
      level.classList.toggle('is-over', peak > 1);
      level.textContent = peak > 0 ? `peak ${(20 * Math.log10(peak)).toFixed(1)} dB`.replace('-', '−') : 'silent';
      const midi = answer.headers.get('X-Midi');
      const words = document.querySelector('#message-result .caption b');
      if (midi && words) words.textContent = window.synthExplorerPitch(Number(midi));
    }
    const tookMs = performance.now() - sinceMs; // as long as a glimpse takes, the hand and its sound have for themselves
    await new Promise((go) => setTimeout(go, Math.max(80, tookMs)));
  }
  looking = false;
}
// The hand mostly rests before it lets go: what it will ask for then is made meanwhile.
const REST_MS = 80;
let resting = 0;
let making = false;
async function make(request) {
  if (making || window.synthExplorerSounding) return; // held notes follow the hand: nothing else will be played
  making = true;
  await fetch(soundAddress(request), { method: 'HEAD' }).catch(() => null);
  making = false;
}
window.addEventListener('sound-moving', ({ detail }) => {
  if (!asked || !shown) return; // not the result's screen, or nothing on it
  wanted = detail;
  if (!looking) look();
  clearTimeout(resting);
  resting = setTimeout(() => make(detail), REST_MS);
});
window.addEventListener('sound-asked', () => {
  wanted = '';
  clearTimeout(resting);
});

watch('value', take);
if (props.value) take();
element.dataset.ready = 'true';
