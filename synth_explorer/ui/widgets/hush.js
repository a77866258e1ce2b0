// The result's own player falls silent without a click.
function hush() {
  const player = document.querySelector('#screen-result audio');
  if (!player || player.paused) return Promise.resolve();
  return new Promise((done) => {
    let left = 5;
    const step = setInterval(() => {
      left -= 1;
      player.volume = left / 5;
      if (left) return;
      clearInterval(step);
      player.pause();
      player.volume = 1;
      done();
    }, 6);
  });
}
