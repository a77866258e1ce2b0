// What a page opens with: the link in the address bar, unless this tab was left with it; else what this tab or, in a new
// one, the last tab was left with.
() => {
  const link = window.location.hash.slice(1);
  const read = (storage, name) => JSON.parse(storage.getItem(name) || 'null');
  const left = read(sessionStorage, 'synth-explorer-undo');
  const here = left && left.list[left.at];
  if (here && (!link || left.link === link)) return [{ request: JSON.stringify({ ...here.said, fit: here.fit }) }];
  if (link) return [{ link }];
  const last = read(localStorage, 'synth-explorer-last');
  return [last ? { request: JSON.stringify({ ...last.said, fit: last.fit }) } : null];
}
