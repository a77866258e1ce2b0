() => {
  // A slider that is moved by keys says that it was released, as it does for the pointer.
  const keys = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown']);
  document.addEventListener('keyup', (event) => {
    if (keys.has(event.key) && event.target.matches('input[type=range]')) {
      event.target.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    }
  });
  // The space bar plays the result, unless something that wants it has the focus.
  document.addEventListener('keydown', (event) => {
    if (event.key !== ' ' || event.target.closest('input, select, button, textarea, a, label')) return;
    event.preventDefault();
    document.querySelector('#screen-result .screen-play')?.click();
  });
  document.documentElement.lang = 'en';
}
