"""What a sound file holds, whatever its container: samples, rate, what is missing of it, what a sampler put into it.

The only file that opens sound files. libsndfile reads most of them; PyAV, where it is installed, what phones record.

Shapes: T samples, N channels.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from synth_explorer import quiet
from synth_explorer.audio import riff
from synth_explorer.errors import AudioError

LONGEST_S = 3600.0
"""More of a file is never read."""

LOWEST_RATE_HZ = 1000
"""In fewer samples a second lies no note that is heard."""

_BLOCK_FRAMES = 4096  # what is lost where a packed file breaks off
_FORMATS = {
    **dict.fromkeys((".m4a", ".mp4", ".m4b", ".mov", ".3gp"), "mp4"),
    **dict.fromkeys((".webm", ".mka", ".mkv"), "matroska"),
    **{".aac": "aac", ".amr": "amr", ".ac3": "ac3", ".wma": "asf"},
}
"""What PyAV reads, by ending; named, so that no file is taken for a playlist that points to others."""

_MPG123 = rb"(?m)^(\[\S*libmpg123|Note: |Warning: ).*\n?"
"""What the decoder of MP3 says on stderr of damage; here a notice says it."""

INSTALL_PYAV = "pip install av"


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds."""

    samples: np.ndarray  # float32 [T, N], full scale 1.0
    rate_hz: int  # their rate
    whole_s: float  # how long all of it is, read or not
    notices: tuple[str, ...] = ()  # what was wrong with it, in sentences that go on after its name
    root_midi: float | None = None  # the pitch that its sampler chunk gives, MIDI with a fraction; None without one
    loop: tuple[int, int] | None = None  # first and last sample of its sampler chunk's first loop


def read(path: Path, *, max_s: float | None) -> Contents:
    """Read a file, no more of it than `max_s` seconds (None: all).

    Raises AudioError: it is missing, a folder, empty, or nothing that can be read or heard.
    """
    try:
        if not path.exists():
            raise AudioError(f"There is no file {path}; check the name.")
        if path.is_dir():
            raise AudioError(f"{path} is a folder; give a sound file.")
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is an empty file (0 bytes); give a file with sound in it.")
    except AudioError:
        raise
    except (OSError, ValueError) as error:  # a name that is too long, or has a NUL in it
        raise AudioError(f"{str(path)[:80]!r} cannot be a file's name ({reason(error)}).") from error
    chunks = riff.read(path)
    try:
        with quiet.held_back(_MPG123) if _is_mp3(path) else nullcontext():
            contents = _read(path, chunks, max_s=max_s)
    except UnicodeEncodeError as error:
        raise AudioError(f"The name of {path} is not UTF-8: give the file another name.") from error
    if contents.rate_hz < LOWEST_RATE_HZ:
        raise AudioError(
            f"{path} has {contents.rate_hz} samples a second; no note is heard in less than {LOWEST_RATE_HZ}."
        )
    return contents


def _is_mp3(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(3)
    return path.suffix.lower() == ".mp3" or head == b"ID3" or (head[:1] == b"\xff" and head[1:] >= b"\xe0")


def _read(path: Path, chunks: riff.Chunks, *, max_s: float | None) -> Contents:
    import soundfile

    notices = list(chunks.notices)
    if path.suffix.lower() in riff.OGG_SUFFIXES and (cut := riff.ogg_is_cut_off(path)):
        notices.append(cut)
    try:
        samples, rate_hz, declared, said = _frames(chunks.mended or path, max_s=max_s)
    except UnicodeEncodeError:
        raise
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        return _read_film(path, error, max_s=max_s)
    if said:
        notices.append(said)
    elif (max_s is None or len(samples) < max_s * rate_hz - 1) and len(samples) < declared - 0.1 * rate_hz:
        notices.append(
            f"ends after {len(samples) / rate_hz:.2f} s where its header promises {declared / rate_hz:.2f} s: "
            "the rest is missing"
        )
    whole_s = max(declared if declared < 1 << 60 else 0, len(samples)) / rate_hz
    return Contents(samples, rate_hz, whole_s, tuple(notices), chunks.root_midi, chunks.loop)


def _frames(path: Path | IO[bytes], *, max_s: float | None) -> tuple[np.ndarray, int, int, str]:
    """Samples [T, N] up to `max_s`, their rate, the frames that the header promises, and what is to be said of a file
    that is damaged further on."""
    import soundfile

    given: Any = path  # the library's types leave out open files
    with soundfile.SoundFile(given) as file:
        rate_hz, declared = int(file.samplerate), int(file.frames)
        most = math.ceil((LONGEST_S if max_s is None else max_s) * rate_hz)
        try:  # in one go: libsndfile does not find the same place again in an MP3
            return file.read(min(most, declared), dtype="float32", always_2d=True), rate_hz, declared, ""
        except soundfile.SoundFileError as error:
            why = reason(error)
    if not isinstance(path, Path):
        path.seek(0)
    blocks: list[np.ndarray] = []
    with soundfile.SoundFile(given) as file:
        while sum(map(len, blocks)) < most:
            try:
                block = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
            except soundfile.SoundFileError:
                if not blocks:
                    raise
                break
            if len(block) == 0:
                break
            blocks.append(block)
    samples = np.concatenate(blocks)[:most]
    said = f"is damaged or cut off after {len(samples) / rate_hz:.2f} s ({why}); what lies before is used"
    return samples, rate_hz, declared, said


def _read_film(path: Path, refused: Exception, *, max_s: float | None) -> Contents:
    """A file that libsndfile refused, by PyAV. Raises AudioError with what libsndfile said where PyAV refuses too."""
    why = f"{path} is not a sound file that can be read; give WAV, FLAC, OGG, MP3 or AIFF ({reason(refused)})."
    if "not a regular file" in why:  # which it is: so libsndfile says of an MP3 without a frame of sound
        why = f"{path} has no sound in it: nothing comes after its header; give a file with sound in it."
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise AudioError(why) from refused
    try:
        import av
        from av.error import FFmpegError
        from av.logging import set_level
    except ImportError:
        missing = f"{path} is read with PyAV, which is not installed: {INSTALL_PYAV}. Or give WAV, FLAC, OGG or MP3."
        raise AudioError(missing) from refused
    set_level(None)
    try:
        with av.open(str(path), format=kind) as container:
            return _decode(container, max_s=max_s)
    except (FFmpegError, OSError, ValueError, IndexError) as error:
        raise AudioError(why) from error


def _decode(container: Any, *, max_s: float | None) -> Contents:
    """All frames of a container's first stream of sound, up to `max_s`."""
    import av
    from av.error import FFmpegError

    stream = container.streams.audio[0]
    rate_hz = int(stream.rate)
    planar = av.AudioResampler(format="fltp", rate=rate_hz)
    most = math.inf if max_s is None else math.ceil(max_s * rate_hz)
    blocks: list[np.ndarray] = []
    total, notices = 0, []
    try:
        for frame in container.decode(stream):
            for part in planar.resample(frame):
                blocks.append(part.to_ndarray().T)
                total += len(blocks[-1])
            if total >= most:
                break
    except FFmpegError as error:
        if not blocks:
            raise
        notices.append(f"is damaged after {total / rate_hz:.2f} s ({error.strerror}); what lies before is used")
    samples = np.concatenate(blocks)[: None if math.isinf(most) else int(most)] if blocks else np.zeros((0, 1))
    declared_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
    whole_s = max(declared_s, len(samples) / rate_hz)
    return Contents(np.ascontiguousarray(samples, np.float32), rate_hz, whole_s, tuple(notices))


def reason(error: Exception) -> str:
    """A library's own words, without the path that libsndfile repeats."""
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip()
    return text.rstrip(".") or type(error).__name__
