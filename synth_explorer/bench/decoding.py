"""WaveNet decoding by every engine, beside magenta's own `fastgen` and what the machine could do at best.

Shapes: B notes, F frames, C channels.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.bench import limits, magenta_reference
from synth_explorer.errors import SynthExplorerError
from synth_explorer.model.stack import Stack, StackLayer

NETWORKS = ("nsynth", "small")
BATCHES = (1, 4, 16, 64)
ENGINES = (("auto", "float32"), ("numba", "float32"), ("numba", "int16"), ("numba", "int8"), ("keras", "float32"))
PACKED = ("auto", "numba")  # engines that read packed weights
MEASURED_S = 2.0


def run(
    *,
    networks: Sequence[str] = NETWORKS,
    batches: Sequence[int] = BATCHES,
    engines: Sequence[tuple[str, str]] = ENGINES,
    seconds: float = MEASURED_S,
    magenta: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Time decoders of random weights.

    Args:
        networks: `nsynth` (h512_bo16) and `small` (20 layers of 64).
        batches: numbers of notes decoded together.
        engines: (engine, precision) pairs.
        seconds: how long each is timed, after a warm-up.
        magenta: whether magenta's fastgen decodes the same weights; None: where it is installed.

    Returns:
        a row for each network, engine and batch: `{"network", "engine", "precision", "batch", "products", "why",
        "step_us", "samples_per_s", "times_real_time", "first_s", "resident_mb", "limit_us", "limited_by"}`. A step
        makes one sample of every note; `products` and `why` say which way the engine took (see `session.Way`);
        `first_s` is the time to the first sample, compilation included; `limit_us` is what
        reading the weights or multiplying, in plain sums, would take at this machine's measured rates, whichever is
        longer; many notes in float32 may pass it, see `limits`.

    Raises SynthExplorerError: an unknown network, or magenta asked for where it is not installed.
    """
    for name in networks:
        if name not in NETWORKS:
            raise SynthExplorerError(f"The network must be one of {', '.join(NETWORKS)}; received {name!r}.")
    if not batches or min(batches) < 1:
        raise SynthExplorerError(f"Batches must be whole numbers from 1 on; received {list(batches)}.")
    if magenta and not has_magenta():
        raise SynthExplorerError("magenta's fastgen cannot run here: it needs magenta, tf-slim and librosa.")
    against = has_magenta() if magenta is None else magenta
    total = sum(len(batches) * (len(engines) + (name == "nsynth" and against)) for name in networks)
    rows: list[dict[str, Any]] = []
    for name in networks:
        with ExitStack() as stack:
            weights, prefix = _weights(name, against, stack)
            for row in _rows(name, weights, prefix, batches, engines, seconds):
                rows.append(row)
                if progress is not None:
                    progress(len(rows), total)
    return rows


def encoding(*, note_s: float = 4.0) -> dict[str, float]:
    """Time NSynth's encoder, with random weights, on one note: `{"note_s", "median_ms", "times_real_time"}`."""
    from synth_explorer import runtime
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.nsynth_config import NSynthConfig

    model = NSynth(NSynthConfig())
    model.build()
    encode = runtime.compiled(lambda audio: model.encoder(audio), ranks=(2,))
    config = model.config
    note = np.zeros((1, int(note_s * config.sample_rate_hz) // config.hop * config.hop), np.float32)
    times_s = []
    for _ in range(4):
        start = time.perf_counter()
        encode(note)
        times_s.append(time.perf_counter() - start)
    median = float(np.median(times_s[1:]))
    return {"note_s": note_s, "median_ms": 1000.0 * median, "times_real_time": note_s / median}


def has_magenta() -> bool:
    """Whether magenta's code is installed."""
    return magenta_reference.available()


def small_stack(seed: int = 0) -> Stack:
    """20 layers of 64, 128 skip channels, two taps: random weights."""
    rng = np.random.default_rng(seed)
    width, skip, channels, levels, taps = 64, 128, 16, 256, 2

    def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        kernel = rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))
        return kernel.astype(np.float32), np.zeros(shape[-1], np.float32)

    layers = tuple(
        StackLayer(
            2 ** (i % 10),
            *pair(taps, width, 2 * width),
            *pair(channels, 2 * width),
            *pair(width, width),
            *pair(width, skip),
        )
        for i in range(20)
    )
    ends = (*pair(skip, skip), *pair(channels, skip), *pair(skip, levels))
    return Stack(16_000, 512, *pair(taps, 1, width), *pair(width, skip), layers, *ends)


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    columns = {
        "network": "network",
        "engine": "engine",
        "precision": "weights",
        "batch": "notes",
        "products": "products",
        "step_us": "step, us",
        "samples_per_s": "samples/s",
        "times_real_time": "x real time",
        "times_magenta": "x fastgen",
        "first_s": "first, s",
        "resident_mb": "resident, MB",
        "limit_us": "limit, us",
        "limited_by": "limited by",
    }
    lines = ["| " + " | ".join(columns.values()) + " |", "| " + " | ".join(["---"] * len(columns)) + " |"]
    lines += ["| " + " | ".join(cells(row, columns)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cells(row: dict[str, Any], keys: Iterator[str] | dict[str, str]) -> list[str]:
    """A row's values as short text; a dash for what is not known."""
    values = [row.get(key) for key in keys]
    return ["-" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in values]


def _rows(
    name: str,
    weights: Stack,
    prefix: Path | None,
    batches: Sequence[int],
    engines: Sequence[tuple[str, str]],
    seconds: float,
) -> Iterator[dict[str, Any]]:
    """Rows of a network, engine by engine within a batch, fastgen first."""
    from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
    from synth_explorer.decode.wavenet.packing import pack

    operations = limits.multiplications(weights)
    rates = {precision: limits.operations_a_second(precision) for precision in {p for _, p in engines} | {"float32"}}
    packed = {precision: pack(weights, precision) for precision in {p for e, p in engines if e in PACKED}}
    decoders: dict[tuple[str, str], WaveNetDecoder] = {}
    for batch in batches:
        magenta_us = None
        for engine, precision in [*([("fastgen", "float32")] if prefix else []), *engines]:
            began = time.perf_counter()
            if engine == "fastgen" and prefix is not None:
                first_s, step_us = _fastgen(prefix, batch, weights.channels, seconds)
                magenta_us = step_us
            else:
                pair = engine, precision
                if pair not in decoders:
                    decoders[pair] = WaveNetDecoder(weights, engine=engine, precision=precision)
                first_s, step_us = _step(decoders[pair], batch, seconds, began)
            way = ("plain", "") if engine == "fastgen" else decoders[engine, precision].way(batch)
            read = limits.bytes_read(packed[precision], batch, way[0]) if engine in PACKED else 2.0 * operations
            reading_us = 1e6 * read / limits.reading_bytes_a_second(read)
            multiplying_us = 1e6 * operations * batch / rates[precision]
            yield {
                "network": name,
                "engine": engine,
                "precision": precision,
                "batch": batch,
                "products": way[0],
                "why": way[1],
                "step_us": step_us,
                "samples_per_s": 1e6 * batch / step_us,
                "times_real_time": 1e6 * batch / step_us / weights.sample_rate_hz,
                "times_magenta": None if magenta_us is None else magenta_us / step_us,
                "first_s": first_s,
                "resident_mb": _resident_mb(),
                "limit_us": max(reading_us, multiplying_us),
                "limited_by": "reading weights" if reading_us > multiplying_us else "multiplying",
            }


def _step(decoder: Any, batch: int, seconds: float, began: float) -> tuple[float, float]:
    """(seconds to the first sample, microseconds a step) of a decoder; its first half is a warm-up."""
    frames = max(2, int(60.0 * decoder.stack.sample_rate_hz / decoder.stack.hop))
    conditioning = np.random.default_rng(0).standard_normal((batch, frames, decoder.stack.channels)).astype(np.float32)
    decoder.generate(conditioning, seeds=range(batch), samples=1)
    first_s = time.perf_counter() - began
    marks: list[tuple[float, int]] = []
    start = time.perf_counter()
    stream = decoder.stream(
        conditioning,
        seeds=range(batch),
        stop=lambda: time.perf_counter() - start > 2.0 * seconds and len(marks) > 2,
        progress=lambda done, total: marks.append((time.perf_counter(), done)),
    )
    for _ in stream:
        pass
    middle = next(i for i, (when, _) in enumerate(marks) if when - start > seconds or i == len(marks) - 2)
    (t0, n0), (t1, n1) = marks[middle], marks[-1]
    return first_s, 1e6 * (t1 - t0) / (n1 - n0)


def _fastgen(prefix: Path, batch: int, channels: int, seconds: float) -> tuple[float, float]:
    """The same of magenta's code, from its own checkpoint."""
    encoding = np.random.default_rng(0).standard_normal((batch, channels)).astype(np.float32)
    began = time.perf_counter()
    with magenta_reference.stepper(prefix, batch) as step:
        step(encoding)
        first_s = time.perf_counter() - began
        for _ in range(3):
            step(encoding)
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds or count < 3:
            step(encoding)
            count += 1
        return first_s, 1e6 * (time.perf_counter() - start) / count


def _weights(name: str, magenta: bool, stack: ExitStack) -> tuple[Stack, Path | None]:
    """Random weights of a network; for NSynth and magenta, from one checkpoint that both read."""
    if name == "small":
        return small_stack(), None
    from synth_explorer import checkpoints
    from synth_explorer.checkpoints.nsynth import import_nsynth
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.nsynth_config import NSynthConfig

    if not magenta:
        model = NSynth(NSynthConfig())
        model.build()
        return model.stack(), None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    prefix = magenta_reference.write_checkpoint(folder / "model.ckpt", optimizer=False)
    import_nsynth(prefix, name="bench", into=folder / "ours")
    return checkpoints.load_model(checkpoints.verify(folder / "ours" / "bench")).stack(), prefix


def _resident_mb() -> float | None:
    """Memory of this process as it is now; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * 4096 / 1e6
