// The map of sounds: [id, name, x, y, family, measures ...] from the route `map`, y = 0 below. A drag pans, a drag of the
// chosen sound takes it to a corner of the pad, or to a letter under the map; what is drawn is a walk (`map_walk.js`).
const map = element.querySelector('.map');
const field = element.querySelector('.map-field');
const canvas = element.querySelector('canvas');
const label = element.querySelector('.map-name');
const legend = element.querySelector('.map-legend');
const colour = element.querySelector('.map-colour');
const said = element.querySelector('.map-said');
const list = element.querySelector('.map-list');
const chosenWords = element.querySelector('.map-chosen');
const near = element.querySelector('.map-near');
const takes = [...element.querySelectorAll('[data-slot]')];
const context = canvas.getContext('2d');
const MEASURES = { brightness_octaves: 'Brightness', noisiness_db: 'Noise', attack_s: 'Attack', decay_db_s: 'Decay', pitch_midi: 'Pitch', loudness_db: 'Loudness' };
const FARTHEST_PX = 14; // of the pointer from what it means
const MARGIN = 0.06;
const MANY = 1500; // sounds that are drawn as pixels, which is quicker
let sounds = []; // {id, name, x, y, family, values}
let families = [];
let flat = { x: new Float32Array(), y: new Float32Array(), colour: new Uint32Array() }; // of all sounds, as they are drawn
let size = { width: 0, height: 0, radius: 5 };
let image = null;
let found = null; // a set of sounds, or null for all
let chosen = null;
let over = null;
let here = null; // {place, sources}, of the result
let view = { x: 0.5, y: 0.5, zoom: 1 };
let drawing = 0;
const player = new Audio();

const state = () => (window.synthExplorerState ? window.synthExplorerState() : null);
const capital = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replace(/_/g, ' ');

// --- Drawn --------------------------------------------------------------------------------------------------------------------

const scale = () => view.zoom * (1 - 2 * MARGIN);
const toScreen = (x, y) => [size.width * (0.5 + scale() * (x - view.x)), size.height * (0.5 - scale() * (y - view.y))];
const toMap = (px, py) => [view.x + (px / size.width - 0.5) / scale(), view.y - (py / size.height - 0.5) / scale()];
const line = () => { // pixels = origin + slope * place
  const [kx, ky] = [size.width * scale(), -size.height * scale()];
  return [kx, ky, size.width / 2 - kx * view.x, size.height / 2 - ky * view.y];
};

function ring(one, radius, style) {
  const [px, py] = toScreen(one.x, one.y);
  context.beginPath();
  context.arc(px, py, radius, 0, 2 * Math.PI);
  context.strokeStyle = style;
  context.stroke();
}

function circles(some, radius) {
  some.forEach((one) => {
    const [px, py] = toScreen(one.x, one.y);
    context.fillStyle = one.colour;
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.fill();
  });
}

// Where the result lies, and its sources, by their letters.
function marks({ place, sources }) {
  const css = getComputedStyle(element);
  context.font = '600 11px sans-serif';
  context.textAlign = 'center';
  sources.forEach((source, slot) => {
    const [px, py] = toScreen(...source);
    context.fillStyle = css.getPropertyValue('--' + 'abcd'[slot]) || look.ink;
    context.beginPath();
    context.arc(px, py - size.radius - 9, 7.5, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = css.getPropertyValue('--on-slot') || look.halo;
    context.fillText('ABCD'[slot], px, py - size.radius - 5);
  });
  const [px, py] = toScreen(...place);
  context.font = '600 13px sans-serif';
  context.textAlign = 'left';
  context.strokeStyle = look.halo;
  context.fillStyle = look.ink;
  context.lineWidth = 3;
  context.strokeText('result', px + 11, py + 16);
  context.fillText('result', px + 11, py + 16);
  context.strokeStyle = look.ink;
  context.lineWidth = 2;
  context.beginPath();
  [[-9, 0, 9, 0], [0, -9, 0, 9]].forEach(([ax, ay, bx, by]) => {
    context.moveTo(px + ax, py + ay);
    context.lineTo(px + bx, py + by);
  });
  context.stroke();
}

function pixels(ratio) {
  const { width, height } = canvas;
  if (!image || image.width !== width || image.height !== height) image = context.createImageData(width, height);
  const buffer = new Uint32Array(image.data.buffer);
  buffer.fill(0);
  const radius = Math.max(1, Math.round(size.radius * ratio));
  const halves = Array.from({ length: 2 * radius + 1 }, (_, at) => Math.floor(Math.sqrt((radius + 0.4) ** 2 - (at - radius) ** 2)));
  const [kx, ky, ox, oy] = line().map((value) => value * ratio);
  const alpha = (found ? 60 : 235) << 24;
  for (let i = 0; i < flat.x.length; i++) {
    const px = Math.round(ox + kx * flat.x[i]);
    const py = Math.round(oy + ky * flat.y[i]);
    if (px < radius || py < radius || px >= width - radius || py >= height - radius) continue;
    const value = flat.colour[i] | alpha;
    for (let row = -radius; row <= radius; row++) {
      const half = halves[row + radius];
      const last = (py + row) * width + px + half;
      for (let at = last - 2 * half; at <= last; at++) buffer[at] = value; // quicker than `fill` of so few
    }
  }
  context.putImageData(image, 0, 0);
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  if (!size.width) return;
  const { width, height } = size;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    [canvas.width, canvas.height] = [width, height].map((side) => Math.round(side * ratio));
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const radius = Math.min(8, Math.max(1.5, (5 * Math.sqrt(view.zoom)) / Math.max(1, Math.sqrt(sounds.length / 150))));
  size.radius = radius;
  if (sounds.length > MANY) pixels(ratio);
  else {
    context.clearRect(0, 0, width, height);
    context.globalAlpha = found ? 0.22 : 0.9;
    circles(sounds, radius);
  }
  context.globalAlpha = 1;
  context.lineWidth = 2;
  if (found) circles(found, radius + 2);
  if (chosen) ring(chosen, radius + 5, look.ink);
  context.globalAlpha = 0.6;
  if (over && over !== chosen) ring(over, radius + 4, look.ink);
  context.globalAlpha = 1;
  drawWalk();
  if (here) marks(here);
  const named = over || (document.activeElement === canvas ? chosen : null);
  label.hidden = !named;
  if (named) {
    const [px, py] = toScreen(named.x, named.y);
    label.textContent = named.name;
    label.style.left = Math.max(4, Math.min(px + 12, width - label.offsetWidth - 4)) + 'px';
    label.style.top = Math.max(4, Math.min(py - 30, height - 26)) + 'px';
  }
}

function redraw() {
  if (!drawing) drawing = requestAnimationFrame(() => {
    drawing = 0;
    draw();
  });
}

function zoom(factor, px = size.width / 2, py = size.height / 2) {
  const [x, y] = toMap(px, py);
  view.zoom = factor ? Math.min(60, Math.max(1, view.zoom * factor)) : 1;
  if (view.zoom === 1) view = { x: 0.5, y: 0.5, zoom: 1 };
  else {
    const [nx, ny] = toMap(px, py);
    view.x += x - nx;
    view.y += y - ny;
  }
  redraw();
}

// --- Chosen, heard and taken --------------------------------------------------------------------------------------------------

function play(one) {
  player.src = address('map/sound', { id: one.id });
  window.dispatchEvent(new CustomEvent('screen-plays', { detail: player }));
  player.play().catch((error) => error.name !== 'AbortError' && (chosenWords.textContent = `${one.name} cannot be played here.`));
}

function choose(one, heard = true) {
  chosen = one;
  near.disabled = !one;
  marked();
  tell(one);
  if (!one) return;
  const family = families[one.family];
  chosenWords.textContent = one.name + (family ? `, ${family.replace(/_/g, ' ')}` : '');
  [...list.querySelectorAll('button')].forEach((button) => button.setAttribute('aria-pressed', button.dataset.id === one.id));
  const [px, py] = toScreen(one.x, one.y);
  if (px < 0 || py < 0 || px > size.width || py > size.height) [view.x, view.y] = [one.x, one.y];
  if (heard) play(one);
  redraw();
}

const count = () => (state() ? state().said.knobs.count || 4 : 0);
const marked = () => takes.forEach((button, slot) => (button.disabled = !chosen || slot >= count()));

async function take(one, slot) {
  const now = state();
  if (!now || slot >= count()) return;
  try {
    const { token } = await ask('map/take', { id: one.id, checkpoint: now.said.checkpoint }, 'POST');
    const sources = now.said.sources.map((source, at) => (at === slot ? token : source));
    window.synthExplorerPut({ said: { ...now.said, sources }, fit: null });
    chosenWords.textContent = `${one.name} is ${'ABCD'[slot]}.`;
  } catch (error) {
    chosenWords.textContent = error.message;
  }
}

// --- Hands --------------------------------------------------------------------------------------------------------------------

function at(event) {
  const box = canvas.getBoundingClientRect();
  const [px, py] = [event.clientX - box.left, event.clientY - box.top];
  const far = ({ x, y }) => {
    const [qx, qy] = toScreen(x, y);
    return (qx - px) ** 2 + (qy - py) ** 2;
  };
  const first = found && [...found].sort((a, b) => far(a) - far(b))[0];
  if (first && far(first) < FARTHEST_PX ** 2) return first;
  const [kx, ky, ox, oy] = line();
  let [best, least] = [-1, FARTHEST_PX ** 2];
  for (let i = 0; i < flat.x.length; i++) {
    const squared = (ox + kx * flat.x[i] - px) ** 2 + (oy + ky * flat.y[i] - py) ** 2;
    if (squared < least) [best, least] = [i, squared];
  }
  return sounds[best] || null;
}

function target(event) {
  const under = document.elementsFromPoint(event.clientX, event.clientY);
  const button = under.find((part) => part.matches('.map-take button'));
  if (button) return [Number(button.dataset.slot), button];
  const pad = under.find((part) => part.matches('.pad-field'));
  if (!pad) return null;
  const corners = [...pad.querySelectorAll('.pad-corner')].filter((corner) => !corner.hidden);
  const far = (corner) => {
    const box = corner.getBoundingClientRect();
    return Math.hypot((box.left + box.right) / 2 - event.clientX, (box.top + box.bottom) / 2 - event.clientY);
  };
  const corner = corners.sort((a, b) => far(a) - far(b))[0];
  return corner ? [Number(corner.dataset.corner), corner] : null;
}

const pointers = new Map();
let moved = 0;
let dragged = null;
let aim = null;

function aimed(to) {
  if (aim) aim[1].classList.remove('is-target');
  aim = to;
  if (aim) aim[1].classList.add('is-target');
}

canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = 0;
  const one = at(event);
  dragged = one && one === chosen ? one : null;
});
canvas.addEventListener('pointermove', (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    over = at(event);
    canvas.classList.toggle('is-over', Boolean(over));
    redraw();
    return;
  }
  const now = [event.clientX, event.clientY];
  const other = [...pointers].find(([id]) => id !== event.pointerId);
  moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
  pointers.set(event.pointerId, now);
  if (other) {
    const box = canvas.getBoundingClientRect();
    const far = ([x, y]) => Math.hypot(x - other[1][0], y - other[1][1]);
    zoom(far(now) / Math.max(1, far(before)), (now[0] + other[1][0]) / 2 - box.left, (now[1] + other[1][1]) / 2 - box.top);
  } else if (dragged) {
    canvas.classList.toggle('is-taking', moved > 4);
    aimed(target(event));
  } else if (moved > 4) {
    canvas.classList.add('is-panning');
    view.x -= (now[0] - before[0]) / size.width / scale();
    view.y += (now[1] - before[1]) / size.height / scale();
    redraw();
  }
});
canvas.addEventListener('pointerup', (event) => {
  if (moved <= 4) choose(at(event));
  else if (dragged && aim) take(dragged, aim[0]);
});
canvas.addEventListener('lostpointercapture', (event) => {
  pointers.delete(event.pointerId);
  aimed(null);
  dragged = null;
  canvas.classList.remove('is-panning', 'is-taking');
});
canvas.addEventListener('pointerleave', () => {
  over = null;
  redraw();
});
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
canvas.addEventListener('dblclick', (event) => {
  const box = canvas.getBoundingClientRect();
  if (!at(event)) zoom(2, event.clientX - box.left, event.clientY - box.top);
});
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function next([dx, dy]) {
  const from = chosen || { x: view.x, y: view.y };
  let [best, least] = [null, Infinity];
  (found || sounds).forEach((one) => {
    const [x, y] = [one.x - from.x, one.y - from.y];
    const along = x * dx + y * dy;
    const cost = Math.hypot(x, y) + 2 * Math.abs(x * dy - y * dx);
    if (one !== chosen && along > 0 && cost < least) [best, least] = [one, cost];
  });
  return best;
}

canvas.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = {
    Enter: () => chosen && play(chosen),
    '+': () => zoom(2, ...(chosen ? toScreen(chosen.x, chosen.y) : [])),
    '=': () => zoom(2, ...(chosen ? toScreen(chosen.x, chosen.y) : [])),
    '-': () => zoom(0.5),
    0: () => zoom(0),
    Escape: () => show([], ''),
  };
  const act = WAYS[event.key]
    ? () => choose(next(WAYS[event.key]) || chosen, false)
    : /^[1-4]$/.test(event.key) ? () => chosen && take(chosen, Number(event.key) - 1) : acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
['focus', 'blur'].forEach((what) => canvas.addEventListener(what, redraw));
element.querySelector('.map-zoom').addEventListener('click', ({ target: { dataset } }) => dataset.zoom && zoom(Number(dataset.zoom)));
takes.forEach((button, slot) => button.addEventListener('click', () => chosen && take(chosen, slot)));
colour.addEventListener('change', grouped);
