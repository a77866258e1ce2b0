// A walk over the map, in the scope of `map.js`: a line that is drawn while Walk is on or Shift is held, or goes from sound to
// sound by Shift and the arrow keys; the sounds that it passes become the sources, and the time at which it passes them the morph.
const walker = element.querySelector('.map-walk');
const LEAST_PX = 3; // between two points
let walk = null; // {points: [[time_s, x, y], ...], pointer, begun, by: 'hand' or 'keys'}
let isWalking = false;

function drawWalk() {
  if (!walk) return;
  context.beginPath();
  walk.points.forEach(([, x, y], at) => context[at ? 'lineTo' : 'moveTo'](...toScreen(x, y)));
  context.lineWidth = 3;
  context.lineJoin = 'round';
  context.strokeStyle = look.ink;
  context.stroke();
}

function walking(on) {
  isWalking = on;
  walker.setAttribute('aria-pressed', String(on));
  canvas.classList.toggle('is-walking', on);
  if (!on) return;
  walk = null;
  redraw();
  chosenWords.textContent = 'Draw a line past sounds, or go on with Shift and arrows; Enter ends it.';
  if (document.activeElement === canvas && chosen) byKeys();
}

function point(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.timeStamp - walk.begun) / 1000, ...toMap(event.clientX - box.left, event.clientY - box.top)];
}

function byKeys() {
  walk = { points: [[0, chosen.x, chosen.y]], by: 'keys' };
}

async function walked() {
  const { points, by } = walk;
  const now = state();
  walking(false);
  if (points.length < 2 || !now) return;
  if (by === 'keys') points.forEach((one, at) => (one[0] = (at * (window.synthExplorerSeconds || 3)) / points.length));
  chosenWords.textContent = 'Taking the sounds';
  try {
    const body = JSON.stringify({ checkpoint: now.said.checkpoint, points, aspect: size.width / size.height });
    const { tokens, names, curves } = await ask('map/walk', {}, 'POST', body);
    const { across, up, ...others } = (now.said.knobs.curves || {}).points || {};
    const knobs = { ...now.said.knobs, count: tokens.length, by_pitch: false, curves: { points: { ...others, ...curves } } };
    const sources = now.said.sources.map((source, slot) => tokens[slot] || source);
    window.synthExplorerPut({ said: window.synthExplorerThin({ ...now.said, sources, knobs }), fit: null });
    chosenWords.textContent = `Walked: ${names.join(', ')}.`;
  } catch (error) {
    chosenWords.textContent = error.message;
  }
}

// Before the map's own hands: what draws neither pans nor chooses.
function beginWalk(event) {
  if (event.target !== canvas || event.button !== 0) return;
  if (!isWalking && !event.shiftKey) {
    walk = null; // what was walked has been seen
    return;
  }
  event.stopPropagation();
  if (walk && walk.pointer !== undefined) { // a second finger
    walk = null;
    redraw();
    return;
  }
  canvas.setPointerCapture(event.pointerId);
  walk = { points: [], pointer: event.pointerId, begun: event.timeStamp, by: 'hand' };
  walk.points.push(point(event));
}
field.addEventListener('pointerdown', beginWalk, true);
field.addEventListener('pointermove', (event) => {
  if (!walk || walk.pointer !== event.pointerId) return;
  event.stopPropagation();
  const made = point(event);
  const [ax, ay] = toScreen(...walk.points[walk.points.length - 1].slice(1));
  const [bx, by] = toScreen(...made.slice(1));
  if (Math.hypot(ax - bx, ay - by) < LEAST_PX) return;
  walk.points.push(made);
  redraw();
}, true);
field.addEventListener('pointerup', (event) => {
  if (!walk || walk.pointer !== event.pointerId) return;
  event.stopPropagation();
  walk.pointer = undefined;
  walked();
}, true);
field.addEventListener('pointercancel', () => {
  walk = null;
  redraw();
});
walker.addEventListener('click', () => walking(!isWalking));

field.addEventListener('keydown', (event) => { // before the map's own keys
  if (event.target !== canvas || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.shiftKey && WAYS[event.key] && !isWalking) walking(true);
  const acts = { Enter: walk && walk.by === 'keys' && walked, Escape: () => walking(false) };
  const act = isWalking && acts[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);
field.addEventListener('keydown', (event) => { // after them: an arrow has chosen the next sound
  if (!isWalking || !WAYS[event.key] || !chosen) return;
  if (!walk) byKeys();
  else walk.points.push([0, chosen.x, chosen.y]);
  redraw();
});
element.dataset.ready = 'true';
