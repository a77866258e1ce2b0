// What is said of the chosen sound, in the scope of `map.js`: a favourite's mark, tags and a note, for who may say it.
const about = element.querySelector('.map-about');
const star = element.querySelector('.map-star');
const tags = element.querySelector('.map-tags');
const heardWords = element.querySelector('.map-heard');
const tagField = element.querySelector('.map-tag');
const note = element.querySelector('.map-note textarea');
const aboutWords = element.querySelector('.map-about-words');
let told = null; // {id, name, favourite, note, tags, heard}, of the sound that the panel shows

function chip(tag) {
  const item = document.createElement('li');
  const drop = button('×', `Take the tag ${tag} away`, async () => {
    const place = [...tags.children].indexOf(item);
    await change({ remove: [tag] }, `The tag ${tag} is gone.`);
    (tags.children[Math.min(place, tags.children.length - 1)]?.querySelector('button') || tagField).focus();
  });
  drop.setAttribute('aria-label', drop.title);
  item.append(tag, drop);
  return item;
}

function drawAbout() {
  about.hidden = !told;
  if (!told) return;
  star.setAttribute('aria-pressed', String(told.favourite));
  star.firstElementChild.textContent = told.favourite ? '★' : '☆';
  tags.replaceChildren(...told.tags.map(chip));
  heardWords.textContent = told.heard.length ? `Heard: ${told.heard.join(', ')}` : '';
  note.value = told.note;
}

async function tell(one) {
  if (told && (!one || told.id !== one.id)) {
    if (note.value !== told.note) change({ note: note.value }, ''); // it is left before it is written to its end
    told = null;
    tagField.value = aboutWords.textContent = '';
    drawAbout();
  }
  if (!one || !window.synthExplorerOwns) return;
  try {
    const found = await ask('library/about', { id: one.id });
    if (chosen !== one || document.activeElement === note) return; // what is being written stays
    told = found;
    drawAbout();
  } catch (error) {
    if (chosen === one) chosenWords.textContent = error.message;
  }
}

// Says something of the sound that is shown, whatever is chosen when the answer comes.
async function change(given, sentence) {
  if (!told) return false;
  const { id } = told;
  try {
    const found = await ask('library/change', { id }, 'POST', JSON.stringify(given));
    if (!told || told.id !== id) return true;
    told = found;
    drawAbout();
    aboutWords.textContent = sentence;
    return true;
  } catch (error) {
    aboutWords.textContent = error.message;
    return false;
  }
}

star.addEventListener('click', () =>
  change({ favourite: !told.favourite }, told.favourite ? 'It is no favourite any more.' : 'It is a favourite.'),
);
element.querySelector('.map-tagging').addEventListener('submit', async (event) => {
  event.preventDefault();
  const add = tagField.value.split(',').map((tag) => tag.trim()).filter(Boolean);
  if (add.length && (await change({ add }, `Tagged ${add.join(', ')}.`))) tagField.value = '';
});
note.addEventListener('change', () => change({ note: note.value }, note.value ? 'The note is saved.' : 'The note is gone.'));
note.addEventListener('keydown', (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && note.blur());
window.addEventListener('library-owned', () => tell(chosen));
