// The colours of the map, in the scope of `map.js`: of families or of a measure's ranks, light or dark as the page is.
const LOOKS = { // colours of families, and lightness of the least and the most of a measure, on dark and on light
  dark: {
    families: ['#e8705a', '#eda93b', '#d9d05a', '#8fc95f', '#45b8a6', '#5fc4e8', '#8ea2f0', '#b58af0', '#e58ad0', '#c9a27c', '#9db3a5', '#f0b8a0', '#a9e0d0', '#7f8894'],
    ramp: [46, 70],
  },
  light: {
    families: ['#c8452c', '#b87300', '#8a8200', '#4e8f1c', '#0f8271', '#1b86b3', '#4a5fd0', '#7d45cf', '#b8429c', '#8a5f35', '#4c6b59', '#d0724a', '#2f9c84', '#6b7480'],
    ramp: [34, 46],
  },
};
const RAMP_STEPS = 12;
let look = { families: [], ramp: [] }; // colours of it all

function looked() {
  const css = getComputedStyle(map);
  const { families: names, ramp: [least, most] } = LOOKS[document.body.classList.contains('dark') ? 'dark' : 'light'];
  const step = (most - least) / (RAMP_STEPS - 1);
  const ramp = Array.from({ length: RAMP_STEPS }, (_, at) => `hsl(${250 - 19 * at} 70% ${least + step * at}%)`);
  look = { families: names, ramp, ink: css.getPropertyValue('--map-ink'), halo: css.getPropertyValue('--map-halo') };
}

function grouped() {
  looked();
  const { families: colours, ramp } = look;
  const kind = colour.value;
  const at = Object.keys(MEASURES).indexOf(kind);
  const values = at < 0 ? [] : sounds.map((one) => one.values[at]).filter((value) => value !== null).sort((a, b) => a - b);
  const rank = (value) => { // of it among all, 0 to 11
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return Math.min(ramp.length - 1, Math.floor((ramp.length * low) / Math.max(1, values.length)));
  };
  const none = colours[colours.length - 1];
  const of = (one) => (at < 0 ? colours[one.family] || none : one.values[at] === null ? none : ramp[rank(one.values[at])]);
  sounds.forEach((one) => (one.colour = of(one)));
  const bits = (name) => {
    context.fillStyle = name; // which reads back as #rrggbb
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
    return (blue << 16) | (green << 8) | red;
  };
  const known = new Map([...new Set(sounds.map((one) => one.colour))].map((name) => [name, bits(name)]));
  flat = {
    x: Float32Array.from(sounds, (one) => one.x),
    y: Float32Array.from(sounds, (one) => one.y),
    colour: Uint32Array.from(sounds, (one) => known.get(one.colour)),
  };
  const dot = (name, text) => {
    const made = Object.assign(document.createElement('span'), { textContent: text });
    made.style.setProperty('--dot', name);
    return made;
  };
  const there = [...new Set(sounds.map((one) => one.family))].sort((a, b) => a - b);
  legend.replaceChildren(...(at < 0
    ? there.map((family) => dot(colours[family] || none, family < 0 ? 'Other' : capital(families[family])))
    : [dot(ramp[0], 'least'), dot(ramp[ramp.length >> 1], 'middle'), dot(ramp[ramp.length - 1], 'most')]));
  redraw();
}
new MutationObserver(grouped).observe(document.body, { attributeFilter: ['class'] }); // light or dark
