"""Sounds in: any file as one channel at the rate that is asked for, with a sentence for everything that is lost.

Shapes: T samples, N channels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_explorer.audio import containers, mixing, riff
from synth_explorer.audio.gate import FULL_SCALE_LIMIT, resample
from synth_explorer.audio.hearing import audible, refuse_silence
from synth_explorer.audio.onset import find_onset
from synth_explorer.errors import AudioError
from synth_explorer.pitch import note_name

LONGEST_S = 600.0
"""More of a file is not read: a note that begins later is not found."""

BAND_SAID_DB = -30.0
"""What lies above the band of the result is told when it is louder than this, against the whole."""

BAND_LOST_DB = -30.0
"""Where no more than this is left of a sound at most moments, it lies above the band and is refused."""

_MOMENT_S = 0.05
_LASTS = "lasts"
GIVES = "gives"  # how a notice begins that tells what a file says of itself


@dataclass(frozen=True, eq=False)
class Recording:
    """A sound file as it is heard.

    Attributes:
        notices: what was lost, or is to be known, in sentences that go on after the file's name ("is cut off: ...").
        root_midi: pitch that the file itself gives in its sampler chunk, MIDI with a fraction; None without one.
        loop: first and last sample of the loop that the file itself gives, at `sample_rate_hz`; None without one.
    """

    audio: np.ndarray  # float32 [T], one channel, without what lies below hearing
    sample_rate_hz: int  # its rate
    whole_s: float  # length of the whole file, however much of it `audio` holds
    notices: tuple[str, ...] = ()
    root_midi: float | None = None
    loop: tuple[int, int] | None = None

    def first_note(self, *, max_s: float, pre_roll_samples: int = 0) -> Recording:
        """The recording, ending at most `max_s` after its first onset less the pre-roll: no more is used of a note."""
        onset = find_onset(self.audio, sample_rate_hz=self.sample_rate_hz)
        end = max(0, onset - pre_roll_samples) + int(max_s * self.sample_rate_hz)
        if end >= self.audio.size:
            return self
        others = (notice for notice in self.notices if not notice.startswith(_LASTS))  # how much was read
        notice = f"{_LASTS} {self.whole_s:.1f} s; {max_s:g} s of it are used, from the note's onset on"
        loop = self.loop if self.loop is None or self.loop[1] < end else None
        cut = self.audio[:end]
        return Recording(cut, self.sample_rate_hz, self.whole_s, (*others, notice), self.root_midi, loop)


def record(path: str | os.PathLike[str], *, sample_rate_hz: int | None, max_s: float = LONGEST_S) -> Recording:
    """Read a sound file as it is heard: one channel, without offset or rumble, at `sample_rate_hz` (None: its own).

    The channels that are live are averaged, or the loudest is taken where they cancel each other. No level is changed.

    `path`: any format that libsndfile reads, and with PyAV those of phones and films. `max_s`: read at most this many
    seconds from the start. Raises AudioError: the file is missing, not sound, empty, has NaN or infinite samples, is
    silent to a listener, or lies above half of `sample_rate_hz` as good as whole.
    """
    contents = containers.read(Path(path), max_s=max_s)
    sample_rate_hz = contents.rate_hz if sample_rate_hz is None else sample_rate_hz
    notices = list(contents.notices)
    mono, said = _to_mono(contents, path)
    if said:
        notices.append(said)
    heard = audible(mono, sample_rate_hz=contents.rate_hz)
    if contents.whole_s > max_s + 0.1:
        notices.append(f"{_LASTS} {contents.whole_s:.0f} s; its first {max_s:g} s are read")
    refuse_silence(heard, name=str(path), why=_why_silent(mono, contents, max_s))
    audio = resample(heard, source_rate_hz=contents.rate_hz, sample_rate_hz=sample_rate_hz, name=str(path))
    if contents.rate_hz > sample_rate_hz:
        notices += _above_band(heard, audio, name=str(path), top_hz=sample_rate_hz / 2)
    refuse_silence(audio, name=str(path), why=f"below {sample_rate_hz / 2:g} Hz")
    scale = sample_rate_hz / contents.rate_hz
    loop = None if contents.loop is None else (round(contents.loop[0] * scale), round(contents.loop[1] * scale))
    if loop is not None and loop[1] >= audio.size:
        loop = None
    given = []
    if contents.root_midi is not None:
        given.append(f"{note_name(contents.root_midi)} (MIDI {contents.root_midi:.4g}) as its pitch")
    if loop is not None:
        given.append("a loop from {:.3f} to {:.3f} s".format(*(end / sample_rate_hz for end in loop)))
    if given:
        notices.append(f"{GIVES} {' and '.join(given)} in its sampler chunk")
    return Recording(audio, sample_rate_hz, contents.whole_s, tuple(notices), contents.root_midi, loop)


def length_s(path: str | os.PathLike[str]) -> float:
    """Seconds that a sound file says it lasts; little more of it than its header is read. Raises AudioError."""
    return containers.read(Path(path), max_s=_MOMENT_S).whole_s


def load(path: str | os.PathLike[str], *, sample_rate_hz: int, max_s: float | None = 60.0) -> np.ndarray:
    """Read a sound file's samples as they are: mono float32 [T] at `sample_rate_hz`, offset and rumble included.

    For what this program wrote, and for measurements; `record` is for what is to be listened to.

    `max_s`: read at most this many seconds from the start; None reads everything. Raises AudioError: the file is
    missing, not sound, empty, has NaN or infinite samples, or is silent.
    """
    if max_s is not None and not max_s > 0:
        raise AudioError(f"max_s={max_s} must be positive, or None for the whole file.")
    contents = containers.read(Path(path), max_s=max_s)
    mono, _ = _to_mono(contents, path)
    refuse_silence(mono, name=str(path), why=_why_silent(mono, contents, max_s))
    return resample(mono, source_rate_hz=contents.rate_hz, sample_rate_hz=sample_rate_hz, name=str(path))


def _to_mono(contents: containers.Contents, path: str | os.PathLike[str]) -> tuple[np.ndarray, str]:
    """One channel [T] of a file's, checked, and what is to be said of the others."""
    samples = contents.samples
    if samples.shape[0] == 0:
        raise AudioError(f"{path} has no samples; give a file with sound in it.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path} has samples that are not finite (NaN or infinity); repair or export it again.")
    peak = float(np.abs(samples).max())
    if peak > FULL_SCALE_LIMIT:
        raise AudioError(f"{path} peaks at {peak:.0f} times full scale; write float files with full scale 1.0.")
    return mixing.to_mono(samples, rate_hz=contents.rate_hz)


def _why_silent(mono: np.ndarray, contents: containers.Contents, max_s: float | None) -> str:
    """What to say of a sound [T] that nobody hears; "" for what `refuse_silence` says by itself."""
    if max_s is not None and contents.whole_s > max_s + 0.1:
        return f"in its first {max_s:g} s, which are read"
    if np.abs(mono).max() > 1e-4:
        return "what it holds lies below hearing: an offset, or rumble under 20 Hz"
    return ""


def _above_band(heard: np.ndarray, audio: np.ndarray, *, name: str, top_hz: float) -> list[str]:
    """What is to be said of the part of a sound above the band that `audio`, its resampled form, holds."""
    parts = max(1, int(audio.size / (_MOMENT_S * 2 * top_hz)))
    whole, kept = (
        np.array([np.mean(np.square(part, dtype=np.float64)) for part in np.array_split(sound, parts)])
        for sound in (heard, audio)
    )
    loud = whole > 1e-3 * whole.max()
    if np.median(kept[loud] / whole[loud]) < 10 ** (BAND_LOST_DB / 10):
        raise AudioError(
            f"{name} lies above {top_hz:g} Hz as good as whole, where this model does not hear; give a lower sound."
        )
    lost = max(1.0 - kept.sum() / whole.sum(), 0.0)
    if lost < 10 ** (BAND_SAID_DB / 10):
        return []
    share = riff.percent(lost) if lost > 0.1 else f"{100.0 * lost:.1f}"
    return [f"has {share} % of its power above {top_hz:g} Hz, which this model does not hear"]
