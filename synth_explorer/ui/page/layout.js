// What a number of sounds shows: the pad and the curves for so many, the sliders that say the same, the slots C and D.
(count, pad, drawing, mix, x, y) => {
  const visible = (is) => ({ __type__: 'update', visible: is });
  const pair = count === 2;
  const there = pair ? { x: mix, y: 0 } : { x, y };
  const places = [pair, !pair, !pair].map(visible);
  return [{ ...pad, ...there, count }, { ...drawing, count }, ...places, visible(count > 2), visible(count > 3)];
}
