() => {
  %view%
  // A slider that is moved by keys says that it was released, as it does for the pointer.
  const keys = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown']);
  document.addEventListener('keyup', (event) => {
    if (keys.has(event.key) && event.target.matches('input[type=range]')) {
      event.target.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    }
  });
  // A field of numbers, or of a pitch, counts as left at Enter and after an arrow, and when it is left then only if it was changed since.
  const changed = new WeakSet();
  const isNumber = (event) => event.target instanceof Element && event.target.matches('input[type=number], .pitch-field input, .note-field input');
  const leave = (event) => {
    if (changed.delete(event.target)) event.target.dispatchEvent(new FocusEvent('blur'));
  };
  document.addEventListener('input', (event) => isNumber(event) && changed.add(event.target), true);
  document.addEventListener('keydown', (event) => isNumber(event) && event.key === 'Enter' && leave(event));
  document.addEventListener('keyup', (event) => {
    if (isNumber(event) && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) leave(event);
  });
  document.addEventListener(
    'pointerup', // of its small arrows; a click that only puts the caret there is not heard
    (event) => {
      if (!isNumber(event)) return;
      if (event.target.type === 'number') event.stopPropagation();
      leave(event);
    },
    true,
  );
  document.addEventListener(
    'blur',
    (event) => {
      if (event.isTrusted && isNumber(event) && !changed.delete(event.target)) event.stopPropagation();
    },
    true,
  );
  // For what undoes: whether an event is of such a field, and whether that was changed since; then it counts as left.
  window.synthExplorerNumbers = { are: isNumber, typed: ({ target }) => changed.delete(target) };
  // A link that skips moves the focus; the address bar goes on to hold the sound.
  document.addEventListener('click', (event) => {
    const skip = event.target.closest('.skip');
    if (!skip) return;
    event.preventDefault();
    document.querySelector(`${skip.hash} :is(button:enabled, [tabindex='0'])`)?.focus();
  });
  // The space bar plays the result, unless one writes, or came by keys to something that wants it.
  const WRITTEN = 'input:not([type=range], [type=checkbox], [type=radio]), textarea, [contenteditable=true]';
  let byKeys = false;
  document.addEventListener('pointerdown', () => (byKeys = false), true);
  document.addEventListener('keydown', (event) => event.key === 'Tab' && (byKeys = true), true);
  const plays = ({ key, target }) => key === ' ' && !target.closest(byKeys ? 'input:not([type=range]), select, button, textarea, a' : WRITTEN);
  document.addEventListener('keyup', (event) => plays(event) && event.preventDefault());
  document.addEventListener('keydown', (event) => {
    if (!plays(event)) return;
    event.preventDefault();
    if (!event.repeat) document.querySelector('#screen-result .screen-play')?.click();
  });

  // Every part that comes is dressed: names and help that Gradio has no words for, and one sign for minus.
  const help = %help%;
  const all = (part, what) => [...part.querySelectorAll(what), ...(part.matches(what) ? [part] : [])];
  const sign = (end) => end.textContent.startsWith('-') && (end.textContent = end.textContent.replace('-', '−'));
  const described = 'button:not(.reset-button), input:not([type=file]), select, [role=listbox]';
  // What a knob is a part of: many are called Rate.
  const within = (block) => block.closest('.block-of')?.querySelector('h3') || block.closest('.group')?.querySelector('.label-wrap span');
  function dress(part) {
    all(part, '.min_value').forEach(sign);
    all(part, '.messages, #missing').forEach((place) => place.setAttribute('aria-live', 'polite'));
    all(part, '.reset-button').forEach((button) => {
      const block = button.closest('.block');
      const [label, place] = [block.querySelector('.head label'), within(block)];
      [[label, 'label'], [button, 'reset']].forEach(([one, name]) => (one.id ||= `${name}-${block.id}`));
      button.setAttribute('aria-label', 'Reset');
      const words = [place && (place.id ||= `within-${block.id}`), label.id].filter(Boolean).join(' ');
      button.setAttribute('aria-labelledby', `${button.id} ${words}`);
      if (place) block.querySelectorAll('input').forEach((input) => input.setAttribute('aria-labelledby', words));
    });
    all(part, 'fieldset').forEach((set) =>
      set.setAttribute('aria-label', [within(set), set.querySelector('[data-testid=block-info]')].filter(Boolean).map((words) => words.textContent.trim()).join(' ')),
    );
    all(part, '.label-wrap').forEach((button) => button.setAttribute('aria-expanded', button.classList.contains('open')));
    // As it was left, once it can be clicked.
    const resting = all(part, '.label-wrap:not(.open), #autoplay input:checked');
    if (resting.length) {
      const { autoplay = true, ...rest } = viewed();
      const open = [].concat(rest.open);
      const left = resting.filter((one) => (one.matches('input') ? !autoplay : open.includes(one.closest('.group')?.id)));
      requestAnimationFrame(() => left.forEach((one) => one.click()));
    }
    'abcd'.split('').forEach((letter) =>
      ['Upload', 'Record'].forEach((name) =>
        all(part, `#${name.toLowerCase()}-${letter}`).forEach((button) => button.setAttribute('aria-label', `${name} ${letter.toUpperCase()}`)),
      ),
    );
    all(part, '[id]').forEach((place) => {
      if (!help[place.id] || place.dataset.help) return;
      place.dataset.help = help[place.id];
      all(place, described).forEach((control) => control.setAttribute('aria-description', help[place.id]));
    });
    hint(part);
  }

  // Hints for those who are here for the first time; each goes once it was followed.
  const hints = [
    ['.pad-field', 'Drag to mix the notes', 'pad-moving'],
    ['.keys-bar', 'Letters A to L play, lower on a key is louder; Space plays the result', 'keys-played'],
  ];
  const HINTS = 'synth-explorer-hints';
  const followed = new Set();
  try {
    (localStorage.getItem(HINTS) || '').split(',').forEach((done) => followed.add(done));
  } catch {} // a browser that keeps nothing
  function hint(part) {
    hints.filter(([, , done]) => !followed.has(done)).forEach(([place, words, done]) =>
      all(part, place).forEach((host) => host.append(Object.assign(document.createElement('span'), { className: 'hint', textContent: words, id: done }))),
    );
  }
  hints.forEach(([, , done]) =>
    window.addEventListener(done, () => {
      document.getElementById(done)?.remove();
      if (followed.has(done)) return;
      followed.add(done);
      try {
        localStorage.setItem(HINTS, [...followed].join());
      } catch {}
    }),
  );
  const played = () => window.dispatchEvent(new CustomEvent('keys-played'));
  document.addEventListener('pointerdown', (event) => event.target.closest('.keys-strip') && played());
  document.addEventListener('keydown', (event) => /^Key[A-LO-PTUWY]$/.test(event.code) && !event.ctrlKey && !event.target.closest(WRITTEN) && played());

  // The sentence of a control, when the pointer rests on its words or keys came to it.
  const tip = Object.assign(document.createElement('div'), { className: 'tip', hidden: true });
  tip.setAttribute('aria-hidden', 'true'); // the control says it by itself
  (document.querySelector('.gradio-container .contain') || document.body).append(tip);
  let waiting = 0;
  const hide = () => {
    clearTimeout(waiting);
    tip.hidden = true;
  };
  function show(place) {
    const host = place && place.closest('[data-help]');
    if (!host || !host.getClientRects().length) return;
    tip.textContent = host.dataset.help;
    tip.hidden = false;
    const box = host.getBoundingClientRect();
    const over = box.top - tip.offsetHeight - 6;
    tip.style.top = `${over > 4 ? over : box.bottom + 6}px`;
    tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  }
  document.addEventListener('pointerover', ({ target, pointerType }) => {
    hide();
    if (pointerType === 'mouse' && !target.closest('input[type=range]')) waiting = setTimeout(() => show(target), 500);
  });
  document.addEventListener('focusin', ({ target }) => target.matches(':focus-visible') && show(target));
  ['focusout', 'pointerdown', 'keydown', 'scroll'].forEach((what) => document.addEventListener(what, hide, true));

  // Groups say while they are closed what is set in them.
  const grouped = %grouped%;
  window.addEventListener('sound-asked', ({ detail }) => {
    if (!window.synthExplorerThin) return;
    const { osc_targets, raw_channels, curves, ...knobs } = window.synthExplorerThin(JSON.parse(detail)).knobs;
    const across = { across: 'horizontal', up: 'vertical' };
    const found = {
      oscillation: osc_targets || [],
      drawn: Object.keys((curves && (curves.points || curves)) || {}).map((name) => across[name] || name),
      raw: raw_channels || [],
      time: [],
      directions: [],
      decoding: [],
    };
    Object.keys(knobs).forEach((name) => grouped[name] && found[grouped[name][0]].push(grouped[name][1]));
    Object.entries(found).forEach(([id, words]) => {
      const title = document.querySelector(`#${id} > .label-wrap > span`);
      if (title) title.dataset.set = [...new Set(words)].join(', ');
    });
  });

  document.addEventListener('click', ({ target }) => {
    const group = target.closest('.label-wrap');
    if (!group) return;
    requestAnimationFrame(() => {
      group.setAttribute('aria-expanded', group.classList.contains('open'));
      keepViewed({ open: [...document.querySelectorAll('.group:has(> .label-wrap.open)')].map(({ id }) => id) });
    });
  });
  document.addEventListener('change', ({ target }) => target.matches('#autoplay input') && keepViewed({ autoplay: target.checked }));
  new MutationObserver((changes) => {
    changes.forEach(({ addedNodes }) => addedNodes.forEach((part) => part instanceof Element && dress(part)));
  }).observe(document.body, { childList: true, subtree: true });
  dress(document.body);
  // A pitch that was written as its MIDI number, as `pitch_given` has it; what is none as it is.
  window.synthExplorerMidi = (written) => {
    const text = String(written).trim();
    const found = /^([A-G])([#♯sb♭]?)(-?\d{1,2})\s*(?:([-+−])\s*(\d{1,2})\s*(?:ct|cents?)?)?$/i.exec(text);
    if (!found) return text && Number.isFinite(Number(text)) ? Number(text) : written;
    const [, letter, sign, octave, side, cents] = found;
    const sharp = sign ? ('b♭'.includes(sign) ? -1 : 1) : 0;
    const steps = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }[letter.toUpperCase()] + sharp;
    return 12 * (Number(octave) + 1) + steps + ((side === '+' ? 1 : -1) * Number(cents || 0)) / 100;
  };
  // A pitch as people read it, as `pitch_words` has it.
  window.synthExplorerPitch = (midi) => {
    const nearest = Math.round(midi);
    const cents = Math.round(100 * (midi - nearest));
    const name = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'][nearest % 12] + (Math.floor(nearest / 12) - 1);
    return name + (cents ? ` ${cents > 0 ? '+' : '−'}${Math.abs(cents)} cents` : '');
  };
  document.documentElement.lang = 'en';
}
