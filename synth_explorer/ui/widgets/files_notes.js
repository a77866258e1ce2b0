// The notes of a long recording, in the scope of `files.js`: what the route `recording` says is in it, as a tree whose parts
// and notes are heard and chosen by a click; its highlights go into the slots, one each.
const notesOf = element.querySelector('.files-notes');
const tree = element.querySelector('.files-tree');
const saidOf = element.querySelector('.files-said');
const finder = element.querySelector('[data-does=find]');
const opener = element.querySelector('[data-does=highlights]');
const BEFORE_S = 0.02; // kept before an onset
const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
let inside = null; // what the route says

function forget() {
  inside = null;
  finder.disabled = false;
  notesOf.hidden = opener.hidden = true;
  finder.hidden = false;
}

function chip(text, begin, end, title) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text, title });
  button.addEventListener('click', () => {
    tree.querySelectorAll('[aria-pressed=true]').forEach((one) => one.removeAttribute('aria-pressed'));
    button.setAttribute('aria-pressed', 'true');
    show(Math.max(0, begin - BEFORE_S), end - begin + BEFORE_S);
    listen();
  });
  return button;
}

function row(...parts) {
  const item = document.createElement('li');
  item.append(...parts);
  return item;
}

// The rows of parts that follow each other; what recurs is told where it is first.
function rows(parts, told) {
  const made = [];
  parts.forEach((one) => {
    if (one.name) {
      const words = one.differs ? `${one.name}, ${one.differs} of ${one.last - one.first + 1} notes differ` : one.name;
      const head = chip(`${words} at ${clock(one.begins_s)}`, one.begins_s, one.ends_s, 'Hear and choose this part');
      const list = document.createElement('ul');
      if (!told.has(one.name)) list.append(...rows(one.parts, told.add(one.name)));
      made.push(list.childElementCount ? row(head, list) : row(head));
      return;
    }
    const note = inside.notes[one.first - 1];
    const star = inside.starred.delete(note.group); // the first that is shown of its kind
    const made_of = chip(note.name + (star ? ' \u2605' : ''), note.onset_s, note.onset_s + note.duration_s, star ? 'One of the most characteristic notes: hear and choose it' : 'Hear and choose this note');
    const last = made[made.length - 1];
    if (last && last.classList.contains('is-notes')) last.append(made_of);
    else {
      made.push(row(made_of));
      made[made.length - 1].classList.add('is-notes');
    }
  });
  return made;
}

async function findNotes() {
  const asked = part;
  finder.disabled = true;
  notesOf.hidden = false;
  tree.replaceChildren();
  saidOf.textContent = 'Listening to its notes';
  try {
    const said = window.synthExplorerState && window.synthExplorerState();
    const given = new URLSearchParams({ name: part.file.name, checkpoint: said ? said.said.checkpoint : '' });
    const answer = await fetch(new URL('recording?' + given, document.baseURI), { method: 'POST', body: part.file });
    if (!answer.ok) throw new Error(answer.status === 422 ? await answer.text() : `The program answers ${answer.status}.`);
    const found = await answer.json();
    if (part !== asked || !dialog.open) return;
    inside = { ...found, starred: new Set(found.highlights.map((number) => found.notes[number - 1].group)) };
    const again = inside.recurring.map((one) => `${one.name} ${one.count} times`).join(', ');
    saidOf.textContent = `${inside.notes.length} notes, ${new Set(inside.notes.map((note) => note.group)).size} kinds; ${again ? 'recurring: ' + again : 'nothing recurs'}.`;
    tree.append(...rows(inside.tree.parts, new Set()));
    const count = Math.min(inside.highlights.length, slots().length);
    opener.textContent = count > 1 ? `Use its ${count} highlights` : 'Use its highlight';
    opener.hidden = false;
    finder.hidden = true;
  } catch (error) {
    if (part === asked) saidOf.textContent = error.message;
    finder.disabled = false;
  }
}

function useHighlights() {
  const there = slots();
  const files = inside.highlights.slice(0, there.length).map((number) => {
    const { name, onset_s, duration_s } = inside.notes[number - 1];
    const begin = Math.max(0, onset_s - BEFORE_S);
    return cut(begin, Math.min(props.longest, onset_s + duration_s - begin), `${name} at ${onset_s.toFixed(1)} s`);
  });
  dialog.close();
  files.forEach((file, at) => give(inputOf(there[at]), file));
}
element.dataset.ready = 'true';
