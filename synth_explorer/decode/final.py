"""The final render: a trained `model.wavenet.WaveNet` on top of the fast decoder's sound, in chunks as they are made.

Shapes: T samples, F frames, C latent channels, J conditioning steps, N conditioning channels, G guides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from threading import Event

import numpy as np

from synth_explorer import runtime
from synth_explorer.decode.wavenet import WaveNetDecoder
from synth_explorer.errors import CheckpointError
from synth_explorer.model.guide import Guide
from synth_explorer.model.wavenet import WaveNet
from synth_explorer.model.whitening import Colouring

CHUNK_SAMPLES = 2048
PARALLEL_FRAMES = 16  # that the parallel form computes at once
SEED_STREAM = 3  # the draws of the render are not those of the fast decoder's noise


class FinalRender:
    """One WaveNet, made ready. May be used from several threads.

    Args:
        network: with its weights, of either form.
        gain: of the residual, beside the fast decoder's sound: 1 is what the network learnt, 0 the fast decoder's
            sound alone (chosen by validation, see the card).
        tails: of the distribution of each draw, how much is left out at either end (autoregressive): a rare loud draw
            is heard as a click, and what follows answers to it.
    """

    def __init__(self, network: WaveNet, *, gain: float = 1.0, tails: float = 0.0) -> None:
        self.network, self.gain, self.tails = network, gain, tails
        self.form = network.config.form
        self._condition = runtime.compiled(lambda z, p: network.conditioning(z, p), ranks=(3, 2))
        self._whole = runtime.compiled(lambda *given: network(*given), ranks=(3, 3, 3))
        self._engines: dict[str, WaveNetDecoder] = {}
        self._lock = threading.Lock()

    def stream(
        self,
        z: np.ndarray,
        pitch_hz: np.ndarray,
        guide: Guide,
        *,
        samples: int,
        seed: int,
        temperature: float,
        engine: str,
        stop: Event | Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[np.ndarray]:
        """Finish a note.

        Args:
            z: [F, C].
            pitch_hz: [F].
            guide: of one note, [1, F * hop].
            samples: T, at most F * hop.
            seed: of the draws; the same seed gives the same sound, whatever the chunks.
            temperature: 1 is the network's own, 0 the likeliest (autoregressive) or no noise (parallel).
            engine: of the autoregressive form, see `WaveNetDecoder`; the parallel one has the Keras backend only.
            stop: ends the stream within 50 ms (autoregressive) or one chunk (parallel).
            progress: called with (samples done, T).

        Returns:
            an iterator of float32 [n], T in all.

        Raises:
            CheckpointError: an engine that this form does not have.
        """
        conditioning = self._condition(z[None], pitch_hz[None])
        options = {"samples": samples, "stop": stop, "progress": progress}
        if self.form == "parallel":
            if engine not in ("auto", "keras"):
                raise CheckpointError(f"The parallel WaveNet is computed by Keras, not by the engine {engine!r}.")
            return self._parallel(conditioning, guide, seed=seed, temperature=temperature, **options)
        uniforms = np.random.default_rng((SEED_STREAM, seed)).random((1, samples))
        chunks = self.engine(engine).stream(
            conditioning,
            uniforms=self.tails + (1.0 - 2.0 * self.tails) * uniforms,
            extra=guide.inputs(),
            temperature=temperature,
            chunk_samples=CHUNK_SAMPLES,
            **options,
        )
        return self._added(chunks, guide)

    def engine(self, name: str = "auto") -> WaveNetDecoder:
        """The autoregressive form on an engine ("numba-int8": with weights of that precision), made ready once."""
        with self._lock:
            if name not in self._engines:
                engine, _, precision = name.partition("-")
                self._engines[name] = WaveNetDecoder(self.network.stack(), engine=engine, precision=precision or "auto")
            return self._engines[name]

    def warm_up(self) -> None:
        """Compile everything."""
        sizes = self.network.sizes
        silence = np.zeros((1, sizes.hop), np.float32)
        guide = Guide.of(silence, silence, self.network.config, sizes)
        z, pitch_hz = np.zeros((1, sizes.channels), np.float32), np.full(1, 220.0, np.float32)
        options = {"samples": 16, "seed": 0, "temperature": 1.0, "engine": "auto"}
        list(self.stream(z, pitch_hz, guide, **options))

    def _added(self, chunks: Iterator[np.ndarray], guide: Guide) -> Iterator[np.ndarray]:
        """The fast decoder's sound plus the residual that was drawn, coloured."""
        begin, colour = 0, Colouring(guide.coefficients[0], hop=guide.config.condition_hop)
        for chunk in chunks:
            part = slice(begin, begin + chunk.shape[1])
            yield (guide.sound[0, part] + self.gain * colour(guide.scale[0, part] * chunk[0])).astype(np.float32)
            begin = part.stop

    def _parallel(
        self,
        conditioning: np.ndarray,
        guide: Guide,
        *,
        samples: int,
        seed: int,
        temperature: float,
        stop: Event | Callable[[], bool] | None,
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[np.ndarray]:
        """Pieces of `PARALLEL_FRAMES`, each with a frame (or more) around it, so that borders are not heard."""
        config, hop = self.network.config, self.network.sizes.hop
        held = hop // config.condition_hop
        margin = -(-(config.receptive_field // 2 + 1) // hop)
        total = conditioning.shape[1] // held
        noise = temperature * np.random.default_rng((SEED_STREAM, seed)).standard_normal(
            (1, total * hop, 1), dtype=np.float32
        )
        inputs = guide.inputs()
        for first in range(0, -(-samples // hop), PARALLEL_FRAMES):
            if _stopped(stop):
                return
            begin, end = max(0, first - margin), min(total, first + PARALLEL_FRAMES + margin)
            at, steps = slice(begin * hop, end * hop), slice(begin * held, end * held)
            residual = self._whole(noise[:, at], inputs[:, at], conditioning[:, steps])[0, :, 0]
            until = min(samples, (first + PARALLEL_FRAMES) * hop)
            part = slice(first * hop, until)
            residual = residual[(first - begin) * hop :][: until - first * hop]
            yield (guide.sound[0, part] + self.gain * guide.scale[0, part] * residual).astype(np.float32)
            if progress is not None:
                progress(until, samples)


def _stopped(stop: Event | Callable[[], bool] | None) -> bool:
    if stop is None:
        return False
    return stop.is_set() if isinstance(stop, Event) else bool(stop())
