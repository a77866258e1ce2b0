// Turns the page to a request that the deck holds, every knob of it, and asks for its sound: the other way of `request.js`.
// `%knobs%` is filled in; what it returns stands in the order of `Panels.applied`.
(deck, pad, drawing, autoplay, slow) => {
  if (!deck || !deck.request || (deck.stamp && deck.stamp !== window.synthExplorerWanted)) {
    window.dispatchEvent(new CustomEvent('sound-late', { detail: deck })); // it cannot be shown, or is wanted no more
    return [];
  }
  const asked = JSON.parse(deck.request);
  const { knobs, sources, mean } = asked;
  const update = (change) => ({ __type__: 'update', ...change });
  const shown = (visible, value) => update({ visible, value });
  const pair = knobs.count === 2;
  const toward = ['Off', ...['A', 'B', 'C', 'D'].slice(0, knobs.count), ...(mean ? ['Preset'] : [])];
  const special = {
    mix: shown(pair, knobs.mix),
    x: shown(!pair, knobs.x),
    y: shown(!pair, knobs.y),
    pitch_midi: shown(knobs.set_pitch, typeof knobs.pitch_midi === 'number' ? window.synthExplorerPitch(knobs.pitch_midi) : knobs.pitch_midi),
    key: shown(knobs.quantise === 'key', knobs.key),
    toward: update({ choices: toward.map((name) => [name, name]), value: knobs.toward }),
    amount: shown(knobs.toward !== 'Off', knobs.amount),
    curves: { ...drawing, points: knobs.curves.points, count: knobs.count },
  };
  const place = pair ? { x: knobs.mix, y: 0 } : { x: knobs.x, y: knobs.y };
  window.synthExplorerStamp = Math.max(Date.now(), (window.synthExplorerStamp || 0) + 1);
  const question = {
    request: deck.request,
    stamp: window.synthExplorerStamp,
    play: Boolean(autoplay && deck.play && !window.synthExplorerSounding),
    slow: Boolean(slow),
    complete: sources.slice(0, knobs.count).every(Boolean),
  };
  window.synthExplorerRequest = question.request;
  window.synthExplorerTurned = deck.stamp || 0; // by the deck itself
  window.dispatchEvent(new CustomEvent('sound-asked', { detail: question.request }));
  window.synthExplorerTurned = 0;
  return [
    asked.checkpoint,
    ...%knobs%.map((name) => special[name] || knobs[name]),
    { ...pad, ...place, count: knobs.count },
    mean || null,
    ...['loudness', 'brightness', 'pitch'].map((target) => update({ visible: knobs.osc_targets.includes(target) })),
    update({ visible: knobs.count > 2 }),
    update({ visible: knobs.count > 3 }),
    question,
    question,
  ];
}
