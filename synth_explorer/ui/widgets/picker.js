// A menu of notes by family. value = {selected, own}; prop families = [[family, [[id, label], ...]], ...].
const menu = element.querySelector('select');
let byHand = false; // whether a pointer opened it, not keys

function option(id, label) {
  const entry = document.createElement('option');
  entry.value = id;
  entry.textContent = label;
  return entry;
}

function take() {
  const { selected, own } = props.value || {};
  menu.innerHTML = '';
  if (own) menu.append(option('', own));
  else if (!selected) menu.append(option('', 'Choose a note'));
  props.families.forEach(([family, notes]) => {
    const group = document.createElement('optgroup');
    group.label = family;
    notes.forEach(([id, label]) => group.append(option(id, label)));
    menu.append(group);
  });
  menu.value = selected || '';
}

menu.addEventListener('pointerdown', () => (byHand = true));
menu.addEventListener('keydown', () => (byHand = false));
menu.addEventListener('change', () => {
  if (byHand) menu.blur(); // letters play again
  if (!menu.value) return;
  props.value = { selected: menu.value, own: '' };
  take();
  trigger('choose', { id: menu.value });
});

watch('value', take);
take();
element.dataset.ready = 'true';
