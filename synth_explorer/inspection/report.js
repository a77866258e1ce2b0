// One sound at a time; while it plays, a line moves over every figure of time.
(() => {
  const players = [...document.querySelectorAll("audio")];
  const plots = [...document.querySelectorAll(".plot[data-to]")].map((plot) => ({
    head: plot.querySelector(".head"), from: +plot.dataset.from, to: +plot.dataset.to,
  }));
  let playing = null;
  const show = () => {
    for (const { head, from, to } of plots) {
      const part = playing ? (playing.currentTime - from) / (to - from) : -1;
      head.style.opacity = part >= 0 && part <= 1 ? 0.8 : 0;
      head.style.left = `${100 * part}%`;
    }
    if (playing && !playing.paused) requestAnimationFrame(show);
  };
  for (const player of players) {
    player.addEventListener("play", () => {
      for (const other of players) if (other !== player) other.pause();
      playing = player;
      requestAnimationFrame(show);
    });
    for (const event of ["seeked", "timeupdate"]) player.addEventListener(event, () => { if (player === playing) show(); });
    player.addEventListener("ended", () => { if (player === playing) { playing = null; show(); } });
  }
})();
