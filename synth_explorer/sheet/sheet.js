// One player for all; columns sort; near-duplicates and names are hidden or found.
(() => {
  const body = document.querySelector("tbody"), player = document.getElementById("player");
  const rows = [...body.rows], heads = [...document.querySelectorAll("th[aria-sort]")];
  let playing = null;

  body.addEventListener("click", (event) => {
    const link = event.target.closest(".play");
    if (!link) return;
    event.preventDefault();
    const row = link.closest("tr");
    if (row === playing && !player.paused) { player.pause(); return; }
    if (playing) playing.classList.remove("playing");
    playing = row;
    row.classList.add("playing");
    document.getElementById("playing").textContent = row.cells[1].dataset.value;
    player.src = link.href;
    player.play().catch(() => {}); // what cannot be played is told by the player's error below
  });
  player.addEventListener("error", () => {
    document.getElementById("playing").textContent = `${playing.cells[1].dataset.value} is not there or cannot be played`;
  });

  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  for (const head of heads) head.addEventListener("click", () => {
    const at = head.cellIndex, isName = head.classList.contains("name");
    const sign = head.ariaSort === "ascending" ? -1 : 1;
    const key = new Map(rows.map((row) => {
      const value = row.cells[at].dataset.value;
      return [row, isName ? value : value === "" ? null : +value];
    }));
    rows.sort((a, b) => {
      const x = key.get(a), y = key.get(b);
      return x === null || y === null ? (x === null) - (y === null) : sign * compare(x, y);
    });
    for (const other of heads) other.ariaSort = "none";
    head.ariaSort = sign > 0 ? "ascending" : "descending";
    body.append(...rows);
  });

  document.getElementById("hide").addEventListener("change", (event) => body.classList.toggle("hide", event.target.checked));
  document.getElementById("find").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase();
    for (const row of rows) row.classList.toggle("gone", !row.cells[1].dataset.value.toLowerCase().includes(words));
  });
})();
