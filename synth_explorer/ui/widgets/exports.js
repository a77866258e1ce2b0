// Exports of the sound that the knobs ask for, made by the server in the background. Their names are kept in the browser,
// so that a page that is loaded again finds them; the server forgets the oldest.
const kind = element.querySelector('.exports-kind');
const begin = element.querySelector('.exports-begin');
const words = element.querySelector('.exports-words');
const list = element.querySelector('.exports-list');
const STORE = 'synth_explorer exports';
const EVERY_MS = 700;
const MOST = 20;
const LOST = 'The page cannot reach its program; is it still running?';
const rows = new Map();
let timer = 0;

const address = (path) => new URL(path, document.baseURI).href;
const title = (value) => kind.querySelector(`option[value=${value}]`)?.textContent || value;

function kept() {
  try {
    const names = JSON.parse(localStorage.getItem(STORE));
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

function keep(names) {
  try {
    localStorage.setItem(STORE, JSON.stringify(names.slice(0, MOST)));
  } catch {} // a browser that keeps nothing: they are here until the page is left
}

function part(name, text = '') {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const drop = (name) => keep(kept().filter((one) => one !== name));

function forget(name) {
  rows.get(name)?.row.remove();
  rows.delete(name);
  drop(name);
}

function add(name) {
  const row = part('li');
  const said = part('span');
  said.className = 'exports-name';
  const bar = part('progress');
  const link = part('a', 'Download');
  link.className = 'screen-save';
  link.hidden = true;
  const away = part('button', 'Stop');
  away.type = 'button';
  away.addEventListener('click', () => {
    fetch(address(`export/${name}`), { method: 'DELETE' }).catch(() => {});
    forget(name);
  });
  row.append(said, bar, link, away);
  list.append(row);
  rows.set(name, { row, said, bar, link, away, ended: false });
}

function show(name, facts) {
  const { said, bar, link, away, row } = rows.get(name);
  const what = facts.name || title(facts.kind);
  const going = facts.state === 'waiting' || facts.state === 'working';
  rows.get(name).ended = !going;
  row.dataset.state = facts.state;
  bar.hidden = !going;
  bar.max = facts.total;
  bar.value = facts.done;
  bar.setAttribute('aria-label', `${what}: ${facts.done} of ${facts.total}`);
  const size = `${(facts.bytes / 1e6).toFixed(1)} MB`;
  const how = { waiting: 'waits', working: `${facts.done} of ${facts.total}`, done: size, failed: facts.reason, stopped: 'stopped' };
  said.textContent = `${what}: ${how[facts.state]}`;
  away.textContent = going ? 'Stop' : 'Remove';
  away.setAttribute('aria-label', `${away.textContent} ${what}`);
  if (facts.state === 'done') {
    link.hidden = false;
    link.href = address(`export/${name}/file`);
    link.download = facts.name;
    link.setAttribute('aria-label', `Download ${what}`);
  }
}

// The server knows it no more: it was started anew, or made many others since. It is said once.
function lose(name, reason) {
  drop(name);
  show(name, { name: 'Export', state: 'failed', reason, done: 0, total: 1, bytes: 0 });
}

async function look() {
  clearTimeout(timer);
  for (const [name, { ended }] of [...rows]) {
    if (ended) continue;
    try {
      const answer = await fetch(address(`export/${name}`));
      const facts = answer.status === 404 ? await answer.text() : await answer.json();
      if (!rows.has(name)) continue;
      if (answer.status === 404) lose(name, facts);
      else show(name, facts);
    } catch {
      words.textContent = LOST;
    }
  }
  clearTimeout(timer);
  if ([...rows.values()].some(({ ended }) => !ended)) timer = setTimeout(look, EVERY_MS);
}

begin.addEventListener('click', async () => {
  const asked = window.synthExplorerRequest;
  if (!asked) return;
  words.textContent = '';
  try {
    const said = new URLSearchParams({ kind: kind.value, request: asked });
    const answer = await fetch(address(`export?${said}`), { method: 'POST' });
    if (!answer.ok) {
      words.textContent = await answer.text();
      return;
    }
    const { name } = await answer.json();
    keep([...kept(), name].slice(-MOST));
    add(name);
    look();
  } catch {
    words.textContent = LOST;
  }
});

kept().forEach(add);
look();
element.dataset.ready = 'true';
