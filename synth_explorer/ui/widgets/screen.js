// A spectrogram that plays. value = {path, picture, label, file_name, duration_s, level, clips, hz, colour, play, stamp} or null.
const screen = element.querySelector('.screen');
const picture = element.querySelector('img');
const field = element.querySelector('.screen-picture');
const head = element.querySelector('.screen-head');
const button = element.querySelector('.screen-play');
const time = element.querySelector('.screen-time');
const level = element.querySelector('.screen-level');
const save = element.querySelector('.screen-save');
const scale = element.querySelector('.screen-hz');
const player = element.querySelector('audio');
let shown = null;

const seconds = (value) => value.toFixed(2) + ' s';
const address = (path) => new URL('gradio_api/file=' + path.split('/').map(encodeURIComponent).join('/'), document.baseURI).href;

function follow() {
  const total = player.duration || (shown && shown.duration_s) || 1;
  head.style.left = (100 * player.currentTime) / total + '%';
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
  if (!shown) return;
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: player }));
  if (from !== undefined) player.currentTime = from;
  player.play().catch(() => rest());
}

function take() {
  const value = props.value;
  const before = shown;
  shown = value && value.path ? value : null;
  if (!shown) {
    player.removeAttribute('src');
    picture.hidden = true;
    save.hidden = true;
    button.disabled = true;
    level.textContent = '';
    rest();
    return;
  }
  const source = address(shown.path);
  if (player.src !== source) player.src = source;
  else if (before && before.stamp !== shown.stamp && shown.play) player.currentTime = 0;
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
  save.href = source;
  save.download = shown.file_name || '';
  button.disabled = false;
  head.style.left = '0';
  rest();
  if (shown.play && (!before || before.stamp !== shown.stamp)) play();
}

player.addEventListener('playing', () => {
  screen.dataset.state = 'playing';
  button.setAttribute('aria-pressed', 'true');
  follow();
});
player.addEventListener('ended', () => {
  rest();
  head.style.left = '0';
});
window.addEventListener('screen-plays', (event) => {
  if (event.detail !== player && !player.paused) stop();
});
button.addEventListener('click', () => {
  if (screen.dataset.state === 'playing') stop();
  else play(0);
});
field.addEventListener('click', (event) => {
  if (!shown) return;
  const box = field.getBoundingClientRect();
  play(((event.clientX - box.left) / box.width) * shown.duration_s);
});

watch('value', take);
take();
element.dataset.ready = 'true';
