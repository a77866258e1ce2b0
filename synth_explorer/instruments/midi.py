"""Songs from standard MIDI files: notes with the times at which keys are struck and let go, pitch bend, mod wheel.

Files of type 0 and 1, in beats or in SMPTE frames (The Complete MIDI 1.0 Detailed Specification, 1996).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.errors import SpecError

PERCUSSION = 9  # channel 10, counted from 0
LONGEST_S = 7200.0
DEFAULT_TEMPO_US = 500_000
WHEEL, DATA, DATA_FINE, PEDAL, NRPN_FINE, NRPN, RPN_FINE, RPN = 1, 6, 38, 64, 98, 99, 100, 101
SOUND_OFF, RESET, NOTES_OFF = 120, 121, (123, 124, 125, 126, 127)
NO_PARAMETER = (127, 127)
PEDAL_DOWN = 64
BEND_RANGE = (0, 0)  # registered parameter number


@dataclass(frozen=True)
class Note:
    """A key that is struck, and let go once neither finger nor pedal holds it."""

    channel: int  # from 0
    key: int
    velocity: int  # 1..127
    start_s: float
    end_s: float  # when it is let go


@dataclass
class Steps:
    """A value that changes at moments and stays in between."""

    first: float
    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, time_s: float, value: float) -> None:
        self.times_s.append(time_s)
        self.values.append(value)

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Its values at these times."""
        index = np.searchsorted(np.array(self.times_s), times_s, side="right")
        return np.array([self.first, *self.values])[index]

    def moves(self, start_s: float, end_s: float) -> bool:
        """Whether it is ever anything but its first value between two times."""
        inside = self.at(np.array([start_s, *(time for time in self.times_s if start_s <= time <= end_s)]))
        return bool(np.any(inside != self.first))


@dataclass(frozen=True)
class Song:
    """What is played of a MIDI file."""

    notes: tuple[Note, ...]  # by the time at which they are struck
    bends: dict[int, Steps]  # of each channel, in semitones
    wheels: dict[int, Steps]  # of each channel, 0..1
    said: tuple[str, ...]  # what is not played of the file, in sentences

    def bend(self, channel: int) -> Steps:
        return self.bends.get(channel, Steps(0.0))

    def wheel(self, channel: int) -> Steps:
        return self.wheels.get(channel, Steps(0.0))


def read(path: str | os.PathLike[str]) -> Song:
    """Read a MIDI file.

    Raises SpecError: not a MIDI file, damaged, of a kind that cannot be played, or without a note; the sentence names
    the file.
    """
    import mido

    path = Path(path)
    try:
        file = mido.MidiFile(os.fspath(path))
    except (OSError, EOFError, ValueError, LookupError, TypeError, OverflowError, mido.KeySignatureError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = "it ends too soon" if isinstance(error, EOFError) else str(error).rstrip(".") or type(error).__name__
        raise SpecError(
            f"There is no file {path}." if missing else f"{path} cannot be read as a MIDI file: {why}."
        ) from error
    try:
        return _Reader().song(file)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def timed(file: Any) -> Iterator[tuple[float, Any]]:
    """The messages of all tracks of a mido file by time, each with its time in seconds.

    Raises SpecError: a file of type 2, or one that does not say how long a tick lasts.
    """
    if file.type == 2:
        raise SpecError("it is of type 2, tracks that do not belong together; save it as type 0 or 1.")
    division, tempo_us = file.ticks_per_beat, DEFAULT_TEMPO_US
    frame_s = _frame_s(division)
    time_s = 0.0
    for message in file.merged_track:
        time_s += message.time * (frame_s or tempo_us * 1e-6 / division)
        if time_s > LONGEST_S:
            raise SpecError(f"it lasts longer than {LONGEST_S / 3600:g} hours.")
        if message.type == "set_tempo":
            tempo_us = message.tempo
        yield time_s, message


def _frame_s(division: int) -> float:
    """Seconds of a tick where a file counts SMPTE frames; 0 where it counts beats."""
    if division == 0:
        raise SpecError("it has no ticks in a beat; save it again.")
    if division > 0:
        return 0.0
    frames, ticks = 256 - ((division >> 8) & 0xFF), division & 0xFF
    if frames not in (24, 25, 29, 30) or ticks == 0:
        raise SpecError(f"it counts {frames} frames a second of {ticks} ticks; 24, 25, 29 and 30 frames are known.")
    return 1.0 / ((30.0 / 1.001 if frames == 29 else frames) * ticks)


@dataclass
class _Channel:
    """How a channel stands while a file is read."""

    struck: dict[int, tuple[int, float]] = field(default_factory=dict)  # keys held by a finger: velocity, start
    held: dict[int, tuple[int, float]] = field(default_factory=dict)  # keys held by the pedal alone
    pedal: bool = False
    parameter: tuple[int, int] = NO_PARAMETER
    range_semitones: int = 2
    range_cents: int = 0
    wheel_turn: int = 0  # of the pitch wheel, -8192..8191

    @property
    def bend(self) -> float:
        """Semitones."""
        return (self.range_semitones + self.range_cents / 100.0) * self.wheel_turn / 8192.0


class _Reader:
    """Turns messages into a song."""

    def __init__(self) -> None:
        self._channels = [_Channel() for _ in range(16)]
        self._notes: list[Note] = []
        self._bends: dict[int, Steps] = {}
        self._wheels: dict[int, Steps] = {}
        self._ignored: Counter[str] = Counter()
        self._controllers: set[int] = set()

    def song(self, file: Any) -> Song:
        time_s = 0.0
        for time_s, message in timed(file):
            if message.is_meta or not hasattr(message, "channel"):
                continue
            if message.channel == PERCUSSION:
                self._ignored["percussion"] += message.type == "note_on" and message.velocity > 0
            else:
                self._take(message, time_s)
        ringing = sum(len(one.struck) for one in self._channels)
        for number in range(16):
            self._let_go(number, time_s)
        if not self._notes:
            raise SpecError("; ".join(["it has no note to play", *self._said(0)]) + ".")
        notes = sorted(self._notes, key=lambda note: (note.start_s, note.channel, note.key))
        return Song(tuple(notes), self._bends, self._wheels, tuple(self._said(ringing)))

    def _take(self, message: Any, time_s: float) -> None:
        channel = self._channels[message.channel]
        if message.type == "note_on" and message.velocity > 0:
            self._end(message.channel, message.note, time_s)
            channel.struck[message.note] = message.velocity, time_s
        elif message.type in ("note_on", "note_off"):
            if message.note in channel.struck and channel.pedal:
                channel.held[message.note] = channel.struck.pop(message.note)
            elif message.note in channel.struck:
                self._end(message.channel, message.note, time_s)
        elif message.type == "pitchwheel":
            channel.wheel_turn = message.pitch
            self._bent(message.channel, time_s)
        elif message.type == "control_change":
            self._control(message.channel, message.control, message.value, time_s)
        elif message.type in ("program_change", "polytouch", "aftertouch"):
            self._ignored[message.type] += 1

    def _control(self, number: int, control: int, value: int, time_s: float) -> None:
        channel = self._channels[number]
        if control == WHEEL:
            self._wheels.setdefault(number, Steps(0.0)).add(time_s, value / 127.0)
        elif control == PEDAL:
            channel.pedal = value >= PEDAL_DOWN
            if not channel.pedal:
                self._let_go(number, time_s, struck=False)
        elif control in (RPN, RPN_FINE):
            high, low = channel.parameter
            channel.parameter = (value, low) if control == RPN else (high, value)
        elif control in (NRPN, NRPN_FINE):
            channel.parameter = NO_PARAMETER
        elif control in (DATA, DATA_FINE) and channel.parameter == BEND_RANGE:
            if control == DATA:
                channel.range_semitones = value
            else:
                channel.range_cents = value
            self._bent(number, time_s)
        elif control == RESET:
            channel.parameter, channel.wheel_turn, channel.pedal = NO_PARAMETER, 0, False
            self._bent(number, time_s)
            self._wheels.setdefault(number, Steps(0.0)).add(time_s, 0.0)
            self._let_go(number, time_s, struck=False)
        elif control == SOUND_OFF or control in NOTES_OFF:
            self._let_go(number, time_s)
        elif control not in (DATA, DATA_FINE):
            self._controllers.add(control)

    def _bent(self, number: int, time_s: float) -> None:
        self._bends.setdefault(number, Steps(0.0)).add(time_s, self._channels[number].bend)

    def _let_go(self, number: int, time_s: float, *, struck: bool = True) -> None:
        """End what the pedal holds, and what fingers hold."""
        channel = self._channels[number]
        for key in [*channel.held, *(channel.struck if struck else ())]:
            self._end(number, key, time_s)

    def _end(self, number: int, key: int, time_s: float) -> None:
        """End a key's note, if it sounds."""
        channel = self._channels[number]
        for sounding in (channel.held, channel.struck):
            if key in sounding:
                velocity, start_s = sounding.pop(key)
                self._notes.append(Note(number, key, velocity, start_s, time_s))

    def _said(self, ringing: int) -> list[str]:
        words = {
            "percussion": "notes of percussion (channel 10) are not played",
            "program_change": "program changes are not followed: all is played with the patch",
            "polytouch": "messages of key pressure are not followed",
            "aftertouch": "messages of channel pressure are not followed",
        }
        said = [f"{count} {words[kind]}" for kind, count in sorted(self._ignored.items()) if count]
        if self._controllers:
            listed = ", ".join(map(str, sorted(self._controllers)))
            said.append(f"controllers that are not followed: {listed}")
        if ringing:
            said.append(f"{ringing} notes are never let go; they end with the file")
        return said
