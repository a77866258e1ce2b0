// The morph pad. value = {x, y, count, names, colours}; y = 0 is the bottom edge; prop mix = [low, high] of two.
const field = element.querySelector('.pad-field');
const glow = element.querySelector('.pad-glow');
const puck = element.querySelector('.pad-puck');
const bar = element.querySelector('.pad-weights');
const led = element.querySelector('.pad-led');
const corners = [...element.querySelectorAll('.pad-corner')];
const letters = ['A', 'B', 'C', 'D'];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
let here = { x: 0.5, y: 0.5 };
let drawn = '';
let moved = false; // by keys that are still held
let isLed = false; // curves or the pitch say where the sound lies
let heard = []; // the weights of the sound that is shown

const range = () => (props.value.count === 2 ? props.mix : [0, 1]);

function weights(x, y) {
  if (props.value.count === 2) return [1 - x, x];
  const four = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  return props.value.count === 3 ? [four[0], four[1], four[2] + four[3]] : four;
}

function mixed(parts) {
  const kept = parts.map((part) => Math.max(part, 0));
  const total = kept.reduce((sum, part) => sum + part, 0) || 1;
  const colours = props.value.colours.map(channels);
  return [0, 1, 2].map((c) => kept.reduce((sum, part, index) => sum + (part / total) * colours[index][c], 0));
}

function drawGlow() {
  const context = glow.getContext('2d');
  const image = context.createImageData(24, 24);
  const [low, high] = range();
  for (let row = 0; row < 24; row += 1) {
    for (let column = 0; column < 24; column += 1) {
      const rgb = mixed(weights(low + ((high - low) * column) / 23, 1 - row / 23));
      image.data.set([...rgb, 255], (row * 24 + column) * 4);
    }
  }
  context.putImageData(image, 0, 0);
}

function drawNames() {
  const { count, names } = props.value;
  field.classList.toggle('is-strip', count === 2);
  const [low, high] = props.mix;
  ['zero', 'one'].forEach((name, at) => element.closest('.card').style.setProperty('--' + name, (100 * (at - low)) / (high - low) + '%'));
  field.dataset.count = count;
  corners.forEach((corner, index) => {
    corner.hidden = index >= count;
    corner.innerHTML = '<b></b><i></i>';
    corner.firstChild.textContent = letters[index];
    corner.lastChild.textContent = names[index] || '';
    corner.style.setProperty('--slot', props.value.colours[index]);
  });
}

function draw() {
  const [low, high] = range();
  const parts = isLed && heard.length === props.value.count ? heard : weights(here.x, here.y);
  const strip = props.value.count === 2;
  field.style.setProperty('--x', (100 * (here.x - low)) / (high - low) + '%');
  field.style.setProperty('--y', strip ? '50%' : 100 * (1 - here.y) + '%');
  puck.style.backgroundColor = 'rgb(' + mixed(parts).map(Math.round).join(',') + ')';
  const shares = parts.map((part, index) => ({ part, index, percent: Math.round(part * 100) }));
  bar.innerHTML = '';
  shares.forEach(({ part, index, percent }) => {
    const share = document.createElement('span');
    share.style.setProperty('--slot', props.value.colours[index]);
    share.style.flexGrow = Math.max(part, 0.0001);
    share.innerHTML = '<b></b>';
    share.firstChild.textContent = letters[index] + ' ' + percent;
    bar.append(share);
  });
  field.setAttribute('aria-valuenow', Math.round(here.x * 100));
  field.setAttribute('aria-valuetext', shares.map(({ index, percent }) => letters[index] + ' ' + percent + ' percent').join(', '));
}

function take() {
  if (!props.value) return;
  const look = JSON.stringify([props.value.count, props.value.names, props.value.colours]);
  if (!moved && !field.classList.contains('is-held')) here = { x: props.value.x, y: props.value.y };
  if (look !== drawn) {
    drawn = look;
    drawNames();
    drawGlow();
  }
  draw();
}

function move(x, y) {
  const [low, high] = range();
  here = { x: clamp(x, low, high), y: clamp(y, 0, 1) };
  draw();
}

const round = (value) => Math.round(value * 100) / 100;

function send(name) {
  props.value = { ...props.value, x: round(here.x), y: round(here.y) };
  trigger(name, { x: here.x, y: here.y });
}

// While it is dragged held notes follow, and so do the sliders that say the same, once a frame.
let telling = 0;
function tellPlace() {
  const [x, y] = [round(here.x), round(here.y)]; // as it will be asked when it is let go of
  const detail = props.value.count === 2 ? { mix: x } : { x, y };
  window.dispatchEvent(new CustomEvent('pad-moving', { detail }));
  cancelAnimationFrame(telling);
  telling = requestAnimationFrame(() => field.classList.contains('is-held') && send('move'));
}

function follow(event) {
  const box = field.getBoundingClientRect();
  const [low, high] = range();
  move(low + ((high - low) * (event.clientX - box.left)) / box.width, 1 - (event.clientY - box.top) / box.height);
  tellPlace();
}

field.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  field.setPointerCapture(event.pointerId);
  field.classList.add('is-held');
  follow(event);
});
field.addEventListener('pointermove', (event) => {
  if (field.hasPointerCapture(event.pointerId)) follow(event);
});
const drop = () => {
  if (!field.classList.contains('is-held')) return;
  field.classList.remove('is-held');
  send('release');
};
field.addEventListener('pointerup', drop);
field.addEventListener('lostpointercapture', drop);

const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
field.addEventListener('keydown', (event) => {
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const size = event.shiftKey ? 0.1 : 0.02;
  move(here.x + size * step[0], here.y + size * step[1]);
  moved = true;
  tellPlace();
});
// The mod wheel moves it across; `rests` once it has stopped.
window.addEventListener('morph-wheel', ({ detail }) => {
  const [low, high] = range();
  move(low + (high - low) * detail.part, here.y);
  if (detail.rests) send('release');
  else tellPlace();
});
field.addEventListener('keyup', (event) => {
  if (!moved || !steps[event.key]) return;
  moved = false;
  send('release');
});

// Curves that are drawn over time move the sound instead of the pad, or the pitch does.
function tell(request) {
  const { count, curves, by_pitch: byPitch } = JSON.parse(request).knobs;
  const points = (curves && curves.points) || {};
  const [across, up] = ['across', 'up'].map((name) => Boolean((points[name] || []).length));
  const both = across && up && count > 2;
  if (byPitch) led.textContent = 'The pitch chooses between the notes; the pad plays no part.';
  else if (both) led.textContent = 'The horizontal and the vertical curve lead; clear one to move the sound here.';
  else if (across && count === 2) led.textContent = 'The curve of Mix leads; clear it to move the sound here.';
  else if (across) led.textContent = 'The horizontal curve leads; only up and down count here.';
  else if (up && count > 2) led.textContent = 'The vertical curve leads; only left and right count here.';
  else led.textContent = '';
  led.hidden = !led.textContent;
  isLed = byPitch || both || (across && count === 2);
  field.classList.toggle('is-led', isLed);
  if (props.value) draw();
}
window.addEventListener('sound-asked', (event) => tell(event.detail));
window.addEventListener('sound-shown', ({ detail }) => {
  heard = detail.weights;
  if (isLed) draw();
});
if (window.synthExplorerRequest) tell(window.synthExplorerRequest);

watch('value', take);
take();
element.dataset.ready = 'true';
