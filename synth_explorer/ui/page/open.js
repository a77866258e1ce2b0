// What a page opens with: the link in the address bar, unless this tab was left with it; else what this tab or, in a new
// one, the last tab was left with. A link has an equals sign, a place on the page has none.
() => {
  const link = window.location.hash.includes('=') ? window.location.hash.slice(1) : '';
  const read = (storage, name) => {
    try {
      return JSON.parse(window[storage].getItem(name) || 'null');
    } catch {
      return null; // what another version left, or a browser that keeps nothing
    }
  };
  const request = ({ said, fit }) => [{ request: JSON.stringify({ ...said, fit }) }];
  const left = read('sessionStorage', 'synth-explorer-undo');
  const here = left && left.list && left.list[left.at];
  if (here && here.said && (!link || left.link === link || left.address === link)) {
    window.synthExplorerLeft = left;
    return request(here);
  }
  if (link) return [{ link }];
  const last = read('localStorage', 'synth-explorer-last');
  return last && last.said ? request(last) : [null];
}
