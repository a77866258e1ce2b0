"""Many notes at once are what they are one by one; and no decoder leaves the sane range unnoticed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synth_explorer.errors import CheckpointError, LatentsError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.bounds import bounded, refuse_unless_sane
from synth_explorer.explorer.family import Decoding
from synth_explorer.explorer.together import decode_together
from synth_explorer.latents import Latents
from tests.conftest import make_note


@pytest.fixture(scope="module")
def nsynth(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    from tests.model.small_nsynth import small_checkpoint

    return Explorer.load(small_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny").path)


def notes(explorer: Explorer, *seconds: float) -> list[Latents]:
    return [explorer.encode(make_note(55 + 5 * i, seconds=length)) for i, length in enumerate(seconds)]


def test_many_are_what_they_are_alone(nsynth: Explorer) -> None:
    latents = notes(nsynth, 0.1, 0.3, 0.05, 0.2)
    latents[3] = latents[3].replace(noise_db=-6.0)
    told: list[tuple[int, int]] = []
    many = nsynth.decode_many(latents, seed=5, progress=lambda done, total: told.append((done, total)))
    for one, sound in zip(latents, many, strict=True):
        np.testing.assert_array_equal(sound, nsynth.decode(one, seed=5))
    total = sum(map(len, many))
    assert told[-1] == (total, total) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert nsynth.decode_many([]) == []


def test_a_group_holds_no_more_than_it_may(nsynth: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = notes(nsynth, *[0.02] * 5)
    sizes: list[int] = []
    stream = nsynth.family.stream_together

    def counted(some: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        sizes.append(len(some))
        return stream(some, hows)

    monkeypatch.setattr(nsynth.family, "stream_together", counted)
    monkeypatch.setattr(nsynth.family, "together", lambda engine: 2)
    assert len(nsynth.decode_many(latents)) == 5
    assert sizes == [2, 2, 1]


@pytest.mark.slow
def test_the_default_family_takes_them_side_by_side(explorer: Explorer) -> None:
    midi = [50.0, 62.0, 57.0, 45.0, 66.0]
    notes = [make_note(one) for one in midi]
    latents = [explorer.encode(note, pitch=one, fit_steps=1) for note, one in zip(notes, midi, strict=True)]
    for one, again in zip(latents, explorer.encode_many(notes, pitch=midi, fit_steps=1), strict=True):
        assert one.fingerprint == again.fingerprint
    told: list[tuple[int, int]] = []
    many = explorer.decode_many(latents, seed=range(5), progress=lambda done, total: told.append((done, total)))
    for seed, (one, sound) in enumerate(zip(latents, many, strict=True)):
        np.testing.assert_array_equal(sound, explorer.decode(one, seed=seed))
    assert told[-1] == (sum(map(len, many)),) * 2 and len(told) == 5
    assert explorer.encode_many([]) == []
    with pytest.raises(CheckpointError):
        explorer.decode_many(latents, decoder="none")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 100.1, -1e30])
def test_the_bound_looks_at_every_chunk(bad: float) -> None:
    chunks = [np.array([0.0, 99.9], np.float32), np.array([0.0, bad], np.float32)]
    looked = bounded(iter(chunks))
    np.testing.assert_array_equal(next(looked), chunks[0])
    with pytest.raises(LatentsError, match=r"too far from any note.*\+40 dBFS") as caught:
        next(looked)
    assert "\n" not in str(caught.value)
    assert not np.isfinite(bad) or f"{20 * np.log10(abs(bad)):+.0f} dBFS" in str(caught.value)


def test_what_is_sane_passes() -> None:
    for sound in (np.zeros(0, np.float32), np.full((2, 3), -100.0, np.float32)):
        refuse_unless_sane(sound)


def test_one_that_is_refused_ends_no_other() -> None:
    chunk = np.array([[0.5] * 4, [200.0] * 4, [0.25] * 4], np.float32)
    for most in (3, 1):
        family = SimpleNamespace(
            together=lambda engine, most=most: most,
            stream=lambda row, how: iter([chunk[row]]),
            stream_together=lambda rows, hows: iter([chunk]),
        )
        first, bad, last = decode_together(family, [0, 1, 2], [Decoding(4)] * 3)
        assert isinstance(bad, LatentsError) and "+46 dBFS" in str(bad)
        np.testing.assert_array_equal([first, last], chunk[[0, 2]])


@pytest.mark.long
@pytest.mark.parametrize("decoder", ["fast", "final"])
def test_keras_makes_many_in_one_batch(explorer: Explorer, decoder: str) -> None:
    latents = [explorer.encode(make_note(50.0 + 5 * i, seconds=s), enhance=True) for i, s in enumerate((0.4, 0.4, 0.7))]
    latents[2] = latents[2].replace(noise_db=-6.0)
    many = explorer.decode_many(latents, decoder=decoder, seed=[1, 2, 3], engine="keras")
    for one, sound, seed in zip(latents, many, (1, 2, 3), strict=True):
        for engine, near in (("keras", 1e-6), ("auto", 2e-4)):
            alone = explorer.decode(one, decoder=decoder, seed=seed, engine=engine)
            np.testing.assert_allclose(sound, alone, atol=near)


@pytest.mark.parametrize("decoder", ["fast", "final"])
def test_latents_far_from_any_note_are_refused(explorer: Explorer, decoder: str) -> None:
    note = explorer.encode(make_note(60), pitch=60.0)
    z = note.z.copy()
    z[:, 0] += 30.0  # hundreds of dB
    with pytest.raises(LatentsError, match="too far from any note"):
        explorer.decode(note.replace(z=z), decoder=decoder)


def test_the_network_itself_ends_at_full_scale(nsynth: Explorer, tmp_path: Path) -> None:
    note = notes(nsynth, 0.05)[0]
    assert np.abs(nsynth.decode(note.replace(z=1e4 * note.z))).max() <= 1.0
