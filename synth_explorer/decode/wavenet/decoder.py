"""`WaveNetDecoder`: sound from any `Stack`, sample by sample, by the engine that suits it.

Engines compute the same network with the same random numbers, so in float32 they give the same samples (but for draws
that fall within rounding of a boundary between two levels, see `levels.draw`). Whatever the batch, the chunks and the
number of threads, a note's samples depend only on its seed, its conditioning and the precision of the weights; in
float32 the numba engine rounds otherwise in a larger batch (see `minimal`), so there the same reservation holds. From
which batch on, `numba` knows by rule; `auto` measures it, once a machine, so that another machine may round otherwise.

Shapes: B notes, T samples, F frames, C conditioning channels, X inputs a sample, Q levels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any

import numpy as np

from synth_explorer.decode.wavenet.levels import Uniforms, audio_table, inputs_of, levels_of
from synth_explorer.decode.wavenet.session import Block, Engine, Session
from synth_explorer.errors import SynthExplorerError
from synth_explorer.model.stack import Stack

ENGINES = ("auto", "numba", "keras", "reference")
PRECISIONS = ("auto", "float32", "int16", "int8")
SLICE_S = 0.015  # the engine is asked for about this much work at a time; a stop waits no longer than one slice
MOST_SAMPLES = 512  # and for no more samples than these


class WaveNetDecoder:
    """A stack made ready for one engine; may be used from several threads, each call has a state of its own.

    Args:
        engine: `numba` (CPU), `keras` (TensorFlow or JAX, any device), `reference` (plain NumPy, slow) or `auto`, which
            is numba in the way that was measured to be the fastest here, see `choice`: on a CPU it beat XLA at every
            batch that was measured (3 to 17 times). On a GPU choose `keras`.
        precision: of the weights. `float32` (and `auto`): as they are. `int16` and `int8` (numba only): rounded, see
            `packing.quantised`, and 1.1 to 4 times as fast. Teacher-forced on NSynth's sizes with random weights, they
            change 0.07 % and 2.2 % of the draws (0.015 % and 0.7 % for 20 layers of 64).
        threads: how many cores the numba engine uses; None: all that this process may use.

    Raises SynthExplorerError: an unknown engine or precision, or a precision that the engine does not have.
    """

    def __init__(
        self, stack: Stack, *, engine: str = "auto", precision: str = "auto", threads: int | None = None
    ) -> None:
        self.stack = stack
        self._engine = _make_engine(stack, engine, precision, threads)
        self._audio = audio_table(stack.levels)

    @property
    def engine(self) -> str:
        """The engine that runs."""
        return self._engine.name

    @property
    def precision(self) -> str:
        """The precision of its weights."""
        return self._engine.precision

    def way(self, notes: int) -> tuple[str, str]:
        """Which products the engine takes for so many notes, and why; `auto` may measure now."""
        way = self._engine.way(notes)
        return way.scheme, way.why

    def stream(
        self,
        conditioning: np.ndarray,
        *,
        seeds: Sequence[int] | None = None,
        uniforms: np.ndarray | None = None,
        extra: np.ndarray | None = None,
        temperature: float = 1.0,
        samples: int | None = None,
        forced: np.ndarray | None = None,
        stop: Event | Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
        chunk_samples: int = 2048,
    ) -> Iterator[np.ndarray]:
        """Generate a batch of notes in chunks.

        Args:
            conditioning: [B, F, C]; a frame holds for `stack.hop` samples.
            seeds: one per note; None draws fresh ones.
            uniforms: random numbers to use instead, [B, >= T] in [0, 1).
            extra: the stack's further inputs, [B, >= T, X - 1].
            temperature: 1 samples what the network says, less is calmer, 0 takes the likeliest level.
            samples: T; by default, and at most, F * hop.
            forced: audio [B, <= T] that the notes begin with; generation goes on after it.
            stop: an event or a function; once it is set, or says True, the stream ends within 50 ms.
            chunk_samples: samples a chunk.

        Returns an iterator of float32 [B, n] in [-1, 1]; n is `chunk_samples` but for the last chunk. Memory does not
        grow with T, but for the uniform numbers and extra inputs that were passed in. Raises SynthExplorerError: arrays
        whose shapes do not fit, or a negative temperature. Raised here, not by the iterator.
        """
        conditioning, total = self._checked(conditioning, samples)
        batch = len(conditioning)
        if not temperature >= 0.0:
            raise SynthExplorerError(f"The temperature must be 0 or more; received {temperature}.")
        if chunk_samples < 1:
            raise SynthExplorerError(f"A chunk needs at least one sample; received {chunk_samples}.")
        numbers = Uniforms(batch, seeds=seeds, given=uniforms)
        if uniforms is not None and np.shape(uniforms)[1] < total:
            raise SynthExplorerError(f"{total} samples need as many uniform numbers; received {np.shape(uniforms)[1]}.")
        extra = self._extra(extra, batch, total)
        primed = self._forced(forced, batch, total)
        stopped = stop.is_set if isinstance(stop, Event) else stop or (lambda: False)
        session = self._engine.open(conditioning, temperature=float(temperature))
        return self._chunks(session, numbers, extra, primed, total, chunk_samples, stopped, progress)

    def _chunks(
        self,
        session: Session,
        numbers: Uniforms,
        extra: np.ndarray,
        primed: np.ndarray,
        total: int,
        chunk_samples: int,
        stopped: Callable[[], bool],
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[np.ndarray]:
        """The loop of `stream`."""
        done, pace = 0, Pace()
        while done < total and not stopped():
            count = min(chunk_samples, total - done)
            chunk = np.empty((len(primed), count), np.float32)
            made = 0
            while made < count and not stopped():
                n = min(pace.samples, count - made)
                begin = done + made
                block = self._block(numbers, extra, primed, begin, n)
                with pace.timing(n):
                    session.advance(block)
                chunk[:, made : made + n] = self._audio[self._heard(block)]
                made += n
                if progress is not None:
                    progress(done + made, total)
            done += made
            if made:
                yield chunk[:, :made]

    def _heard(self, block: Block) -> np.ndarray:
        """The levels that a block leaves behind: forced or drawn."""
        forced = levels_of(np.nan_to_num(block.forced), levels=self.stack.levels)
        return np.where(np.isnan(block.forced), block.levels, forced)

    def _block(self, numbers: Uniforms, extra: np.ndarray, primed: np.ndarray, begin: int, n: int) -> Block:
        batch = len(primed)
        forced = np.full((batch, n), np.nan, np.float32)
        ready = primed[:, begin : begin + n]
        forced[:, : ready.shape[1]] = ready
        return Block(
            uniforms=numbers.take(n),
            extra=extra[:, begin : begin + n] if extra.size else np.zeros((batch, n, 0), np.float32),
            forced=forced,
            levels=np.zeros((batch, n), np.int32),
        )

    def generate(self, conditioning: np.ndarray, **options: Any) -> np.ndarray:
        """All of `stream` at once: [B, T] float32, shorter when it was stopped. Options as there."""
        chunks = list(self.stream(conditioning, **options))
        return np.concatenate([np.zeros((len(conditioning), 0), np.float32), *chunks], axis=1)

    def probabilities(
        self, conditioning: np.ndarray, audio: np.ndarray, *, extra: np.ndarray | None = None
    ) -> np.ndarray:
        """Teacher-forced: what this engine expects before each sample of given audio.

        `audio`: [B, T] in [-1, 1], T <= F * hop; it passes through the mu-law on its way in. Returns [B, T, Q] float32,
        summing to 1: position t knows samples before t only.
        """
        audio = np.asarray(audio, np.float32)
        if audio.ndim != 2:
            raise SynthExplorerError(f"Audio must be [notes, samples]; received {audio.shape}.")
        conditioning, total = self._checked(conditioning, audio.shape[1])
        primed = self._forced(audio, len(conditioning), total)
        extra = self._extra(extra, len(conditioning), total)
        session = self._engine.open(conditioning, temperature=0.0)
        out = np.empty((len(audio), total, self.stack.levels), np.float32)
        for begin in range(0, total, MOST_SAMPLES):
            n = min(MOST_SAMPLES, total - begin)
            logits = np.empty((len(audio), n, self.stack.levels), np.float32)
            nothing = np.zeros((len(audio), n))
            levels = np.zeros((len(audio), n), np.int32)
            forced = primed[:, begin : begin + n]
            block = Block(nothing, extra[:, begin : begin + n], np.ascontiguousarray(forced), levels, logits)
            session.advance(block)
            weights = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float64)
            out[:, begin : begin + n] = weights / weights.sum(axis=-1, keepdims=True)
        return out

    def _checked(self, conditioning: np.ndarray, samples: int | None) -> tuple[np.ndarray, int]:
        """Conditioning as float32 [B, F, C], and T."""
        conditioning = np.ascontiguousarray(conditioning, np.float32)
        channels, shape = self.stack.channels, conditioning.shape
        if len(shape) != 3 or shape[2] != channels or 0 in shape[:2]:
            raise SynthExplorerError(f"Conditioning must be [notes, frames, {channels}]; received {shape}.")
        if not np.isfinite(conditioning).all():
            raise SynthExplorerError("Conditioning must be finite numbers; it holds NaN or infinity.")
        most = conditioning.shape[1] * self.stack.hop
        total = most if samples is None else int(samples)
        if not 0 <= total <= most:
            frames = conditioning.shape[1]
            raise SynthExplorerError(f"{frames} frames last for {most} samples; {total} were asked for.")
        return conditioning, total

    def _extra(self, extra: np.ndarray | None, batch: int, total: int) -> np.ndarray:
        """Further inputs as float32 [B, T, X - 1]."""
        count = self.stack.inputs - 1
        if extra is None and count == 0:
            return np.zeros((batch, total, 0), np.float32)
        shape = () if extra is None else np.shape(extra)
        if extra is None or len(shape) != 3 or shape[0] != batch or shape[1] < total or shape[2] != count:
            raise SynthExplorerError(f"This decoder needs extra inputs [{batch}, {total}, {count}]; received {shape}.")
        return np.ascontiguousarray(extra[:, :total], np.float32)

    def _forced(self, forced: np.ndarray | None, batch: int, total: int) -> np.ndarray:
        """Audio to begin with, as network inputs [B, n]."""
        if forced is None:
            return np.zeros((batch, 0), np.float32)
        forced = np.asarray(forced, np.float32)
        if forced.ndim != 2 or len(forced) != batch or forced.shape[1] > total:
            raise SynthExplorerError(f"Forced audio must be [{batch}, at most {total}]; received {forced.shape}.")
        if not np.all(np.abs(forced) <= 1.0):
            raise SynthExplorerError("Forced audio must lie in [-1, 1].")
        return inputs_of(forced, levels=self.stack.levels)


class Pace:
    """How many samples make a slice of `SLICE_S`, learnt on the way: doubles at most, from one sample on."""

    def __init__(self) -> None:
        self.samples = 1
        self._start = 0.0
        self._count = 0

    def timing(self, count: int) -> Pace:
        """A context that times `count` samples."""
        self._count = count
        return self

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        one_s = (time.perf_counter() - self._start) / self._count
        self.samples = int(min(MOST_SAMPLES, 2 * self.samples, max(1, SLICE_S / max(one_s, 1e-9))))


def _make_engine(stack: Stack, engine: str, precision: str, threads: int | None) -> Engine:
    """The engine of a name; imports only what it needs."""
    if engine not in ENGINES:
        raise SynthExplorerError(f"The engine must be one of {', '.join(ENGINES)}; received {engine!r}.")
    if precision not in PRECISIONS:
        raise SynthExplorerError(f"The precision must be one of {', '.join(PRECISIONS)}; received {precision!r}.")
    if threads is not None and threads < 1:
        raise SynthExplorerError(f"At least one thread is needed; received {threads}.")
    if engine in ("auto", "numba"):
        from synth_explorer.decode.wavenet.choice import Chooser
        from synth_explorer.decode.wavenet.numba_engine import NumbaEngine
        from synth_explorer.decode.wavenet.transforms import usual_way

        precision = "float32" if precision == "auto" else precision
        choose = Chooser(stack) if engine == "auto" else usual_way
        return NumbaEngine(stack, precision=precision, threads=threads, choose=choose)
    if precision not in ("auto", "float32"):
        raise SynthExplorerError(f"The {engine} engine computes in float32 only; {precision} is the numba engine's.")
    if engine == "keras":
        from synth_explorer.decode.wavenet.keras_engine import KerasEngine

        return KerasEngine(stack)
    from synth_explorer.decode.wavenet.reference import ReferenceEngine

    return ReferenceEngine(stack)
