() => {
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
  // The space bar plays the result, unless something that wants it has the focus.
  document.addEventListener('keydown', (event) => {
    if (event.key !== ' ' || event.target.closest('input, select, button, textarea, a, label')) return;
    event.preventDefault();
    document.querySelector('#screen-result .screen-play')?.click();
  });
  // Numbers beside a slider have the minus sign of all the others.
  const sign = (end) => end.textContent.startsWith('-') && (end.textContent = end.textContent.replace('-', '−'));
  const signs = (part) => part.querySelectorAll('.min_value').forEach(sign);
  new MutationObserver((changes) => {
    changes.forEach(({ addedNodes }) => addedNodes.forEach((part) => part instanceof Element && signs(part)));
  }).observe(document.body, { childList: true, subtree: true });
  signs(document);
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
