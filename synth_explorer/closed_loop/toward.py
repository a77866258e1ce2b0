"""Toward another note, solved: what is heard goes evenly from the note's mean spectrum to the other's.

By its formula the edit moves all frames by the same step. What is heard of that is uneven, since the decoder answers
unevenly and the note's own movement carries some frames far beyond the other note; the way may even lead back. So a
path is found once: at a few amounts the brightness is moved and the spectra are equalised until the mean spectrum is
the one that lies between the two, in dB, and every amount takes what lies between those.

Shapes: T samples, F frames, C channels, D numbers of detail, M mel bands.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import measure
from synth_explorer.closed_loop.outcome import Outcome
from synth_explorer.edits import Controls, EditChain, MeanSound, Toward
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents, with_pitch

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

KNOTS = (0.25, 0.5, 0.75, 1.0)
"""Amounts at which a path is sought, all at once: each begins with the formula and is corrected once. Further
corrections bring the single ones nearer to the way, but what lies between them is crooked more often."""

RISING = 1e-6
_POOL = ThreadPoolExecutor(1 + len(KNOTS), thread_name_prefix="toward")

NEAR_BANDS = 4.0
"""Width of the equaliser, in bands: it follows what is loud, not the gaps between partials, so that it suits the note
at another pitch too."""

MOST_DB = 24.0
"""Of the equaliser; `MOST_STEP_DB` in one correction."""

MOST_STEP_DB = 20.0
HEARD_DB = 30.0
"""A band counts the more for the slope of a spectrum, the further it lies above the lowest, up to so much."""

TILT_DB = 12.0
"""So many dB an octave lie between two spectra whose brightness differs by an octave, about."""

MOST_OCTAVES = 0.6
ALIKE_DB = 0.5
"""Between two notes that lie nearer there is no way to go: a note toward itself."""

SAME_PITCH_MIDI = 0.5
"""Where the other note's pitch is further off, what is between its partials says nothing of this one."""

STEP_BACK_AFTER = 0.125
"""A sound this much less far on must not lie nearer to the other note, or further from its own: see `Toward`."""

Sound = Callable[[Latents], np.ndarray]


def distance_db(one: np.ndarray, other: np.ndarray) -> float:
    """Between mean spectra [M]: the root of the mean square over bands."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def held_still(latents: Latents, mean: tuple[float, ...], controls: Controls) -> Latents:
    """A mean sound in every frame, with the pitch and the loudness of a note."""
    z = np.tile(np.array(mean[: latents.channels]), (latents.frames, 1))
    if controls.loudness is not None:
        z[:, controls.loudness.channel] = latents.z[:, controls.loudness.channel]
    return latents.replace(z=z, detail=np.array(mean[latents.channels :]), fine_level=None, enhancement=None)


def mean_sound(explorer: Explorer, latents: Latents, *, midi: float | None = None) -> MeanSound:
    """What another note may be moved toward, with what is heard of it; that is left out where nothing can be solved.

    `midi`: the pitch of the one that is moved, at which this one is heard too; None: as it is.
    """
    controls = explorer.controls
    mean = tuple(float(value) for value in controls.mean_sound(latents))
    if not explorer.decoders[0].answers_at_once or None in (controls.loudness, controls.brightness):
        return MeanSound(mean)
    if midi is not None and latents.has_pitch:
        latents = with_pitch(latents, midi=float(np.clip(midi, 0.0, 127.0)))
    spectrum_db = measure.mean_spectrum_db(explorer.decode(latents), sample_rate_hz=explorer.sample_rate_hz)
    return MeanSound(mean, tuple(float(value) for value in np.round(spectrum_db, 2)), round(latents.pitch_midi, 2))


@dataclass(frozen=True, eq=False)
class Path:
    """From a note's mean sound to another's.

    `own_db`, `goal_db`: mean spectra of the note and of the other one, [M].
    """

    own_db: np.ndarray
    goal_db: np.ndarray
    amounts: np.ndarray  # 0 and `KNOTS`, [K]
    octaves: np.ndarray  # by which the brightness moves beside the formula, [K]
    offsets: np.ndarray  # nepers upon the detail, [K, D]
    places: np.ndarray  # where what is heard of each lies on the way, rising, [K]
    nearest: float  # the amount of `KNOTS` that comes nearest to the other note: nothing that is asked goes beyond it

    def applied(self, asked: Toward) -> Toward:
        """The edit with what was found, and the amount at which what is asked is heard; see `_within` for the end."""
        amount = asked.amount
        if 0.0 <= amount <= 1.0:
            reach = self.amounts <= self.nearest
            amount = float(np.interp(_within(amount, self.last), self.places[reach], self.amounts[reach]))
        offsets = [np.interp(amount, self.amounts, column) for column in self.offsets.T]
        octaves = float(np.interp(amount, self.amounts, self.octaves))
        return replace(asked, amount=amount, octaves=octaves, offsets=tuple(float(value) for value in offsets))

    @property
    def last(self) -> float:
        """How far along the way the nearest lies."""
        return float(self.places[self.amounts <= self.nearest][-1])

    def place(self, heard_db: np.ndarray) -> float:
        """How far along the straight way from the note to the other one a spectrum [M] lies: 0 to 1, or beyond."""
        way = self.goal_db - self.own_db
        return float((heard_db - self.own_db) @ way) / float(way @ way)

    def step_back_db(self, earlier_db: np.ndarray, later_db: np.ndarray) -> float:
        """By how much the later of two spectra is further from the other note, or nearer to its own."""
        away = distance_db(later_db, self.goal_db) - distance_db(earlier_db, self.goal_db)
        return max(away, distance_db(earlier_db, self.own_db) - distance_db(later_db, self.own_db))


def find(asked: Toward, before: Latents, explorer: Explorer, sound: Sound) -> Path:
    """Seek the path; between two that sound alike there is nothing to seek, and the formula serves.

    Args:
        asked: whose amount does not matter.
        explorer: of a checkpoint whose fast decoder takes a detail.
        sound: makes the sound [T] of latents.

    Raises EditError: its spectrum has another number of bands.
    """
    controls, bands_hz = explorer.controls, measure.MEL_CENTRES_HZ

    def heard_db(latents: Latents) -> np.ndarray:
        return measure.mean_spectrum_db(sound(latents), sample_rate_hz=explorer.sample_rate_hz)

    def trial(amount: float, octave: float = 0.0, equaliser_db: np.ndarray | None = None) -> np.ndarray:
        if not amount:
            return heard_db(before)
        offsets = () if equaliser_db is None else tuple(float(value) for value in _offsets(equaliser_db, explorer))
        edit = replace(asked, amount=amount, octaves=octave, offsets=offsets)
        return heard_db(explorer.edit(before, EditChain((edit,))))

    goal = _goal_db(asked, before, controls, heard_db)
    own, *plain = _POOL.map(trial, (0.0, *KNOTS))
    if distance_db(own, goal) < ALIKE_DB:
        return Path(own, goal, np.array([0.0, 1.0]), np.zeros(2), np.zeros((2, 0)), np.array([0.0, 1.0]), 1.0)
    way = goal - own

    def place(heard: np.ndarray) -> float:
        return float((heard - own) @ way) / float(way @ way)

    def lacks(amount: float, heard: np.ndarray) -> tuple[float, np.ndarray]:
        slope, rest = _lacking(own + amount * way, heard)
        return float(np.clip(slope / TILT_DB, -MOST_OCTAVES, MOST_OCTAVES)), np.clip(rest, -MOST_DB, MOST_DB)

    octaves, equalisers_db = zip(*map(lacks, KNOTS, plain), strict=True)
    heard = [own, *_POOL.map(trial, KNOTS, octaves, equalisers_db)]
    places = np.maximum.accumulate([0.0, *(place(one) for one in heard[1:])])
    amounts = np.array([0.0, *KNOTS])
    return Path(
        own,
        goal,
        amounts,
        np.array([0.0, *octaves]),
        np.stack([_offsets(equaliser_db, explorer) for equaliser_db in (np.zeros(len(bands_hz)), *equalisers_db)]),
        places + RISING * np.arange(len(places)),
        float(KNOTS[int(np.argmin([distance_db(one, goal) for one in heard[1:]]))]),
    )


def outcomes(path: Path, asked: Toward, heard_db: np.ndarray, earlier_db: np.ndarray | None) -> list[Outcome]:
    """Whether an amount was reached.

    Args:
        path: on which it lies.
        asked: an amount from 0 to 1.
        heard_db: mean spectrum [M] of what came of it.
        earlier_db: of what came of an amount that is smaller by `STEP_BACK_AFTER`; None where that is not looked at.
    """
    if distance_db(path.own_db, path.goal_db) < ALIKE_DB:
        return []
    place, within, back = path.place(heard_db), Toward.figure, Toward.step_back
    told = Outcome(within.name, within.unit, asked.amount, place, within.tolerance)
    if not told.reached:
        if place < asked.amount and path.last < 1.0 - within.tolerance:
            why = "its own movement keeps it from the other note, and the knob is spread over what is left"
            told = replace(told, limit=max(place, path.last), reason=why)
        else:
            told = replace(told, reason="it answers unevenly")
    found = [told]
    if earlier_db is not None:
        back_db = path.step_back_db(earlier_db, heard_db)
        if back_db > back.tolerance:
            further = distance_db(heard_db, path.goal_db) <= distance_db(earlier_db, path.goal_db)
            where = "further from its own sound" if further else "nearer to the other note"
            why = f"at {max(asked.amount - STEP_BACK_AFTER, 0.0):.2f} of the way it is {where}"
            found.append(Outcome(back.name, back.unit, 0.0, back_db, back.tolerance, reason=why))
    return found


def _within(amount: float, last: float) -> float:
    """The place of an amount from 0 to 1 where the way ends at `last`: itself as long as can be, then half as fast."""
    bend = float(np.clip(2.0 * last - 1.0, 0.0, 1.0))
    return amount if amount <= bend else bend + (amount - bend) * (last - bend) / (1.0 - bend)


def _goal_db(asked: Toward, before: Latents, controls: Controls, heard_db: Sound) -> np.ndarray:
    """Where to go: the other note's mean spectrum [M] at the pitch of this one.

    At its own pitch that is what was heard of it. At another one it is that of its mean held still, with what it had
    beyond that at its own.
    """
    still = held_still(before, asked.mean, controls)
    if not asked.spectrum_db:
        return heard_db(still)
    spectrum = np.array(asked.spectrum_db)
    if len(spectrum) != len(measure.MEL_CENTRES_HZ):
        raise EditError(f"toward: spectrum_db has {len(spectrum)} bands, not {len(measure.MEL_CENTRES_HZ)}.")
    if abs(before.pitch_midi - asked.midi) < SAME_PITCH_MIDI:
        return spectrum
    goal, there = heard_db(still), heard_db(with_pitch(still, midi=float(np.clip(asked.midi, 0.0, 127.0))))
    goal = goal + _smoothed(spectrum - there, np.maximum(spectrum, there))
    return np.maximum(goal - goal.max(), -measure.MEAN_RANGE_DB)


def _offsets(equaliser_db: np.ndarray, explorer: Explorer) -> np.ndarray:
    """An equaliser [M] as nepers upon the detail [D]; what stands at multiples of the pitch stays."""
    config: Any = explorer.config  # that of a model with a detail
    at_hz = config.detail_hz
    nepers = np.interp(at_hz, measure.MEL_CENTRES_HZ, equaliser_db) * np.log(10.0) / 20.0
    return np.where(np.isnan(at_hz), 0.0, nepers)


def _lacking(target_db: np.ndarray, heard_db: np.ndarray) -> tuple[float, np.ndarray]:
    """What a spectrum lacks: dB an octave, and the rest in dB [M]. The level of the whole does not count."""
    louder = np.maximum(target_db, heard_db)
    weight = np.clip(louder + measure.MEAN_RANGE_DB, 1e-3, HEARD_DB)
    weight = weight / weight.sum()
    octaves = np.log2(measure.MEL_CENTRES_HZ)
    octaves = octaves - weight @ octaves
    lacking = target_db - heard_db
    lacking = lacking - weight @ lacking
    slope = float(weight @ (octaves * lacking)) / float(weight @ octaves**2)
    return slope, _smoothed(np.clip(lacking - slope * octaves, -MOST_STEP_DB, MOST_STEP_DB), louder)


def _smoothed(values: np.ndarray, level_db: np.ndarray) -> np.ndarray:
    """Values [M] averaged over `NEAR_BANDS`, each by the amplitude of its band."""
    reach = int(4 * NEAR_BANDS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / NEAR_BANDS) ** 2)
    weight = 10.0 ** (level_db / 20.0)
    return np.convolve(weight * values, kernel, "same") / np.convolve(weight, kernel, "same")
