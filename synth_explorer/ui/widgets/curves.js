// Curves over time. value = {points: {target: [[time_s, value], ...]}, count, targets}; props ranges = {target: [low, high]}, units, digits, most (points), latest (s).
// One curve is shown at a time; points are straight-lined, held before the first and after the last.
const tabs = element.querySelector('.curves-tabs');
const field = element.querySelector('.curves-field');
const line = element.querySelector('.curves-line');
const zero = element.querySelector('.curves-zero');
const dots = element.querySelector('.curves-points');
const text = element.querySelector('.curves-text');
const words = element.querySelector('.curves-words');
const clear = element.querySelector('.curves-clear');
const labels = { high: element.querySelector('.curves-high'), low: element.querySelector('.curves-low'), end: element.querySelector('.curves-end') };
const { units, digits, most, latest } = props;
const clamp = (number, low, high) => Math.min(Math.max(number, low), high);
let target = '';
let chosen = -1; // which point of the curve is dragged or has the keys
let soundS = window.synthExplorerSeconds || 4; // how long the result lasts
let changed = false;
let unread = false; // what is in the field of text could not be read; it stays there

function say(sentence) {
  unread = Boolean(sentence);
  words.textContent = sentence;
  words.hidden = !sentence;
}

const offered = () => (props.value.count === 2 ? ['across'] : ['across', 'up']).concat(props.value.targets);
const points = () => (props.value.points && props.value.points[target]) || [];
const range = () => (target === 'across' && props.value.count > 2 ? [0, 1] : props.ranges[target]);
const spanS = () => Math.max(soundS, ...points().map(([timeS]) => timeS));
const title = (name) => (name === 'across' ? (props.value.count === 2 ? 'Mix' : 'Horizontal') : name === 'up' ? 'Vertical' : name[0].toUpperCase() + name.slice(1));

function keep(made) {
  const kept = { ...(props.value.points || {}) };
  if (made.length) kept[target] = made;
  else delete kept[target];
  props.value = { ...props.value, points: kept };
  changed = true;
  say('');
  draw();
}

function send() {
  if (!changed) return;
  changed = false;
  trigger('release', { target });
}

function drawTabs() {
  tabs.innerHTML = '';
  offered().forEach((name) => {
    const tab = document.createElement('button');
    tab.type = 'button';
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-selected', name === target);
    tab.dataset.target = name;
    tab.classList.toggle('is-drawn', Boolean(((props.value.points || {})[name] || []).length));
    tab.textContent = title(name);
    tab.title = `Show the curve of ${title(name).toLowerCase()} over time, and draw it`;
    tab.addEventListener('click', () => {
      target = name;
      chosen = -1;
      say('');
      draw();
    });
    tabs.append(tab);
  });
}

function draw() {
  if (!offered().includes(target)) target = props.value.targets[0] || offered()[0];
  drawTabs();
  const [low, high] = range();
  const end = spanS();
  const x = (timeS) => (1000 * timeS) / end;
  const y = (number) => 1000 - (1000 * (clamp(number, low, high) - low)) / (high - low);
  const drawn = points();
  const path = drawn.map(([timeS, number]) => `${x(timeS)} ${y(number)}`);
  line.setAttribute('d', path.length ? `M0 ${y(drawn[0][1])}L${path.join('L')}L1000 ${y(drawn[drawn.length - 1][1])}` : '');
  zero.setAttribute('d', low < 0 && high > 0 ? `M0 ${y(0)}H1000` : '');
  dots.innerHTML = '';
  drawn.forEach(([timeS, number], index) => {
    const dot = document.createElement('i');
    dot.style.left = x(timeS) / 10 + '%';
    dot.style.top = y(number) / 10 + '%';
    dot.classList.toggle('is-chosen', index === chosen);
    dots.append(dot);
  });
  const unit = units[target] && ' ' + units[target];
  labels.high.textContent = high + unit;
  labels.low.textContent = String(low).replace('-', '−') + unit;
  labels.end.textContent = end.toFixed(2) + ' s';
  clear.disabled = !drawn.length;
  if (!unread && document.activeElement !== text) text.value = drawn.map(([timeS, number]) => `${timeS}=${number}`).join(', ');
}

const round = (number, digits) => Number(number.toFixed(digits));

// Put a point at a time and a value; it stays between its neighbours. index -1 adds one. Returns its index.
function put(index, timeS, number) {
  const [low, high] = range();
  const made = points().map((point) => [...point]);
  let at = index;
  if (at < 0) {
    if (made.length >= most) return -1;
    at = made.filter(([other]) => other < timeS).length;
    made.splice(at, 0, [timeS, number]);
  }
  const first = at > 0 ? made[at - 1][0] + 0.01 : 0;
  const last = at < made.length - 1 ? made[at + 1][0] - 0.01 : latest;
  made[at] = [round(clamp(timeS, first, Math.max(first, last)), 2), round(clamp(number, low, high), digits[target])];
  keep(made);
  return at;
}

function remove(index) {
  if (index < 0) return;
  chosen = -1;
  keep(points().filter((_, other) => other !== index));
}

function place(event) {
  const box = field.getBoundingClientRect();
  const [low, high] = range();
  const timeS = clamp((event.clientX - box.left) / box.width, 0, 1) * field.spanS;
  return [timeS, high - clamp((event.clientY - box.top) / box.height, 0, 1) * (high - low)];
}

function near(event) {
  const marks = [...dots.children].map((dot) => {
    const box = dot.getBoundingClientRect();
    return Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
  });
  const best = marks.indexOf(Math.min(...marks));
  return marks[best] < 14 ? best : -1;
}

field.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  field.setPointerCapture(event.pointerId);
  field.spanS = spanS();
  chosen = near(event);
  if (chosen < 0) chosen = put(-1, ...place(event));
  else draw();
});
field.addEventListener('pointermove', (event) => {
  if (field.hasPointerCapture(event.pointerId) && chosen >= 0) put(chosen, ...place(event));
});
field.addEventListener('pointerup', send);
field.addEventListener('lostpointercapture', send);
field.addEventListener('dblclick', (event) => {
  remove(near(event));
  send();
});

const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
field.addEventListener('keydown', (event) => {
  const drawn = points();
  if (event.key === 'Delete' || event.key === 'Backspace') {
    event.preventDefault();
    remove(chosen);
    return;
  }
  const step = steps[event.key];
  if (!step || !drawn.length) return;
  event.preventDefault();
  if (chosen < 0) chosen = 0;
  const [low, high] = range();
  const size = event.shiftKey ? 5 : 1;
  put(chosen, drawn[chosen][0] + 0.05 * size * step[0], drawn[chosen][1] + ((high - low) / 100) * size * step[1]);
});
field.addEventListener('keyup', send);

// "0=0, 1.5=-12" as points; throws a sentence about what is none.
function parsed(written) {
  const at = new Map();
  written.split(/[,;\n]+/).map((part) => part.trim()).filter(Boolean).forEach((part) => {
    const [timeS, number, ...more] = part.replaceAll('−', '-').split(/[=:]/).map((word) => (word.trim() ? Number(word) : NaN));
    if (!Number.isFinite(timeS) || !Number.isFinite(number) || more.length) {
      throw new Error(`“${part}” is no point; write time=value with decimal points, as in 0=0, 1.5=-12.`);
    }
    if (timeS < 0 || timeS > latest) throw new Error(`“${part}” lies outside 0 to ${latest} s.`);
    at.set(round(timeS, 3), clamp(number, ...range()));
  });
  if (at.size > most) throw new Error(`These are ${at.size} points; a curve has at most ${most}.`);
  return [...at].sort((a, b) => a[0] - b[0]);
}

function read() {
  let made;
  try {
    made = parsed(text.value);
  } catch (error) {
    say(error.message + ' The curve is as it was.');
    return;
  }
  say('');
  if (JSON.stringify(made) !== JSON.stringify(points())) {
    chosen = -1;
    keep(made);
  }
  text.value = made.map(([timeS, number]) => `${timeS}=${number}`).join(', ');
  send();
}
text.addEventListener('change', read);
clear.addEventListener('click', () => {
  chosen = -1;
  keep([]);
  send();
});

window.addEventListener('sound-drawn', () => {
  soundS = window.synthExplorerSeconds;
  if (!changed) draw();
});

watch('value', () => {
  say('');
  draw();
});
draw();
element.dataset.ready = 'true';
