// The question that the knobs put, for the result's screen. It never leaves the browser: the screen plays the address
// that the question makes, and only then asks the server for its picture. `%knobs%`, `%at_pad%` and `%play%` are filled in.
(pad, mean, play, checkpoint, slow, a, b, c, d, ...values) => { // a to d: what the page calls the notes in the slots by
  const knobs = Object.fromEntries(%knobs%.map((name, index) => [name, values[index]]));
  if (%at_pad%) Object.assign(knobs, knobs.count === 2 ? { mix: pad.x } : { x: pad.x, y: pad.y });
  knobs.pitch_midi = window.synthExplorerMidi(knobs.pitch_midi);
  const sources = [a, b, c, d].map((token) => token || ''); // those that take no part come back with the slots
  window.synthExplorerStamp = Math.max(Date.now(), (window.synthExplorerStamp || 0) + 1);
  const asked = {
    request: JSON.stringify({
      checkpoint,
      sources,
      mean: mean || null, // an emptied memory is ""
      knobs,
      fit: window.synthExplorerFit ? window.synthExplorerFit(checkpoint, sources.slice(0, knobs.count)) : 0,
    }),
    stamp: window.synthExplorerStamp,
    play: play && %play% && !window.synthExplorerSounding, // a held note says it already
    slow: Boolean(slow),
    complete: sources.slice(0, knobs.count).every(Boolean),
  };
  window.synthExplorerRequest = asked.request; // for widgets that come later than the question
  window.dispatchEvent(new CustomEvent('sound-asked', { detail: asked.request }));
  return [asked, asked];
}
