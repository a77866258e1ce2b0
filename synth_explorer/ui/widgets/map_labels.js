// Labels that are probably wrong, in the scope of `map.js`: each with what is measured, to be heard and judged.
const doubt = element.querySelector('.map-doubt');
const doubts = element.querySelector('.map-doubts');

function counted(count) {
  doubt.hidden = !count && doubts.hidden;
  doubt.textContent = count === 1 ? '1 doubtful label' : `${count} doubtful labels`;
}

function button(text, title, act) {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, title });
  made.addEventListener('click', act);
  return made;
}

function listed({ labels, count }) {
  const by = new Map(sounds.map((one) => [one.id, one]));
  counted(count);
  doubts.replaceChildren(...labels.map(({ id, name, tag, reason }) => {
    const item = document.createElement('li');
    const words = document.createElement('span');
    words.append(Object.assign(document.createElement('b'), { textContent: tag }), `: ${reason}`);
    item.append(
      button(name, 'Hear it, and see where it lies', () => by.has(id) && choose(by.get(id))),
      words,
      button('Right', `${name} is ${tag}`, () => judged({ id, tag, right: 1 })),
      button('Wrong', `${name} is not ${tag}: it is found by that no more`, () => judged({ id, tag, right: 0 })),
    );
    return item;
  }));
  if (!labels.length) said.textContent = 'Every doubtful label was judged.';
}

async function listing(path, given, method) {
  try {
    listed(await ask(path, given, method));
  } catch (error) {
    said.textContent = error.message;
  }
}

const judged = (given) => listing('map/judge', given, 'POST');
doubt.addEventListener('click', () => {
  doubts.hidden = !doubts.hidden;
  doubt.setAttribute('aria-expanded', String(!doubts.hidden));
  if (!doubts.hidden) listing('map/doubtful');
});
