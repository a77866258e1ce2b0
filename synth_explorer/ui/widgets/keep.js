// Sounds are kept in the library: the result by its button, those of other widgets by `synthExplorerKeep`. Both wait for the
// server to say that the library is for who looks at the page: `synthExplorerOwns`, and the event `library-owned`.
const keep = element.querySelector('.keep');
const it = element.querySelector('.keep-it');
const words = element.querySelector('.keep-words');
let request = '';
let isKeeping = false;

// Keeps the sound of a state as the deck has it; returns what became of it, in a sentence. given = {name, final}.
window.synthExplorerKeep = async (state, given = {}) => {
  const kept = await ask('library/keep', { request: window.synthExplorerRequestOf(state), ...given }, 'POST');
  window.synthExplorerKept = kept.id; // until the map shows it
  window.dispatchEvent(new CustomEvent('library-changed'));
  return kept.is_new ? 'Kept.' : `It is in your library already: ${kept.name}.`;
};

it.addEventListener('click', async () => {
  const state = window.synthExplorerState && window.synthExplorerState();
  if (!state || isKeeping) return;
  isKeeping = true;
  words.textContent = 'Keeping it';
  words.textContent = await window.synthExplorerKeep(state).catch((error) => error.message);
  isKeeping = false;
});
window.addEventListener('sound-asked', ({ detail }) => {
  if (detail !== request) words.textContent = '';
  request = detail;
});
ask('library').then(({ owner }) => {
  if (!owner) return;
  keep.hidden = false;
  window.synthExplorerOwns = true;
  window.dispatchEvent(new CustomEvent('library-owned'));
}, () => {}); // the page says by itself that its program is gone
