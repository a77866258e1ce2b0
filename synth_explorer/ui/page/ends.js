// The sliders that say a moment of the note end where it does, or at 4 s; none ends before what it says, nor after `%longest%`.
(screen, stretch, ...moments) => {
  if (!screen || !screen.note_s) return [];
  const lengths = [screen.note_s, screen.note_s, screen.note_s * stretch]; // trimmed before it is stretched, frozen after
  const ends = moments.map((moment, index) => Math.max(4, Math.min(%longest%, Math.ceil(lengths[index])), moment));
  return [undefined, ...ends.map((maximum) => ({ __type__: 'update', maximum }))];
}
