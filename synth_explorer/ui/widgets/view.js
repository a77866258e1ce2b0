// What the browser keeps of how somebody looks at the page, by its name; a browser that keeps nothing has it at rest.
const VIEW = 'synth-explorer-view';

function viewed() {
  try {
    const kept = JSON.parse(localStorage.getItem(VIEW));
    return kept && typeof kept === 'object' ? kept : {};
  } catch {
    return {}; // what another version left
  }
}

function keepViewed(changes) {
  try {
    localStorage.setItem(VIEW, JSON.stringify({ ...viewed(), ...changes }));
  } catch {} // a browser that keeps nothing
}
