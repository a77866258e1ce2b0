"""Sound files, onset, trimming and restoring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import audio
from synth_explorer.errors import AudioError, SynthExplorerError

RATE_HZ = 16_000


def tone(
    seconds: float = 1.0, *, pitch_hz: float = 220.0, level: float = 0.5, attack_s: float = 0.0, rate_hz: int = RATE_HZ
) -> np.ndarray:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    rise = np.minimum(time_s / attack_s, 1.0) if attack_s else 1.0
    return (level * rise * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32)


def noise(samples: int, level_db: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=samples) * 10 ** (level_db / 20)).astype(np.float32)


class TestLoad:
    @pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 192_000])
    @pytest.mark.parametrize("channels", [1, 2, 6])
    def test_any_rate_and_channel_count(self, tmp_path: Path, rate_hz: int, channels: int) -> None:
        path = tmp_path / "note.wav"
        sound = tone(0.5, rate_hz=rate_hz)
        soundfile.write(path, np.repeat(sound[:, None], channels, axis=1), rate_hz, subtype="PCM_24")
        loaded = audio.load(path, sample_rate_hz=RATE_HZ)
        assert loaded.dtype == np.float32
        assert loaded.shape == (RATE_HZ // 2,)
        assert np.abs(loaded - tone(0.5))[200:-200].max() < 1e-4

    @pytest.mark.parametrize(
        ("suffix", "subtype", "tolerance"),
        [
            (".wav", "PCM_U8", 0.01),
            (".wav", "PCM_16", 1e-4),
            (".wav", "PCM_32", 1e-6),
            (".wav", "FLOAT", 0.0),
            (".wav", "DOUBLE", 0.0),
            (".flac", "PCM_16", 1e-4),
            (".aiff", "PCM_16", 1e-4),
            (".ogg", "VORBIS", 0.05),
            (".mp3", "MPEG_LAYER_III", 0.05),
        ],
    )
    def test_any_format(self, tmp_path: Path, suffix: str, subtype: str, tolerance: float) -> None:
        path = tmp_path / f"note{suffix}"
        soundfile.write(path, tone(), RATE_HZ, subtype=subtype)
        loaded = audio.load(path, sample_rate_hz=RATE_HZ)
        assert np.abs(loaded[: RATE_HZ - 2000] - tone()[: RATE_HZ - 2000]).max() <= tolerance

    def test_channels_are_averaged_and_levels_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "note.wav"
        soundfile.write(path, np.stack([1.5 * tone(), 0.5 * tone()], axis=1), RATE_HZ, subtype="FLOAT")
        assert np.allclose(audio.load(path, sample_rate_hz=RATE_HZ), tone())

    def test_resampling_leaves_no_aliases(self, tmp_path: Path) -> None:
        path = tmp_path / "high.wav"
        high = tone(1.0, pitch_hz=9_000.0, rate_hz=44_100) + tone(1.0, level=0.01, rate_hz=44_100)
        soundfile.write(path, high, 44_100, subtype="FLOAT")
        loaded = audio.load(path, sample_rate_hz=RATE_HZ)[1000:-1000]
        spectrum = np.abs(np.fft.rfft(loaded * np.hanning(loaded.size))) / loaded.size * 4
        assert spectrum[round(7_000 / RATE_HZ * loaded.size)] < 1e-5

    def test_max_s_reads_no_more(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "long.wav"
        with soundfile.SoundFile(path, "w", 192_000, 2, subtype="PCM_16") as file:
            block = np.repeat(tone(1.0, rate_hz=192_000)[:, None], 2, axis=1)
            for _ in range(90):
                file.write(block)
        asked, read = [], soundfile.SoundFile.read

        def counted(file: soundfile.SoundFile, frames: int = -1, *words: object, **more: object) -> np.ndarray:
            found = read(file, frames, *words, **more)
            asked.append(len(found))
            return found

        monkeypatch.setattr(soundfile.SoundFile, "read", counted)
        loaded = audio.load(path, sample_rate_hz=RATE_HZ, max_s=1.5)
        assert 0 < sum(asked) < 4 * 192_000  # of 90 s
        assert loaded.shape == (RATE_HZ * 3 // 2,)

    @pytest.mark.parametrize("max_s", [0, -1, float("nan")])
    def test_bad_max_s(self, tmp_path: Path, max_s: float) -> None:
        with pytest.raises(AudioError, match="max_s"):
            audio.load(tmp_path / "a.wav", sample_rate_hz=RATE_HZ, max_s=max_s)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"this is a text, not a sound\n" * 40, "not a sound file"),
            (b"", "empty file"),
            (b"RIFF\x00\x00\x00\x00WAVE", "not a sound file|no samples"),
            (bytes(range(256)) * 20, "not a sound file"),
        ],
    )
    def test_what_is_no_sound(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "note.wav"
        path.write_bytes(content)
        with pytest.raises(AudioError, match=message) as caught:
            audio.load(path, sample_rate_hz=RATE_HZ)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, SynthExplorerError)

    @pytest.mark.parametrize(
        ("samples", "message"),
        [
            (np.zeros(100), "silent"),
            (np.full(100, 1e-5), "silent"),
            (np.zeros(0), "no samples"),
            (np.array([0.1, np.nan, 0.1]), "not finite"),
            (np.array([0.1, np.inf, 0.1]), "not finite"),
            (tone() * 32_767, "full scale"),
        ],
    )
    def test_what_cannot_be_used(self, tmp_path: Path, samples: np.ndarray, message: str) -> None:
        path = tmp_path / "note.wav"
        soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
        with pytest.raises(AudioError, match=message) as caught:
            audio.load(path, sample_rate_hz=RATE_HZ)
        assert str(path) in str(caught.value)

    def test_silence_has_a_reason(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        soundfile.write(path, np.concatenate([np.zeros(RATE_HZ), tone()]), RATE_HZ)
        with pytest.raises(AudioError, match=r"a\.wav is silent \(in its first 0\.5 s, which are read"):
            audio.load(path, sample_rate_hz=RATE_HZ, max_s=0.5)
        soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ)
        with pytest.raises(AudioError, match=r"a\.wav is silent \(what can be heard of it peaks below"):
            audio.load(path, sample_rate_hz=RATE_HZ)

    def test_too_short_to_resample_names_the_file(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "one.wav", np.full(1, 0.5), 192_000)
        with pytest.raises(AudioError, match=r"one\.wav is too short to resample: 1 samples"):
            audio.load(tmp_path / "one.wav", sample_rate_hz=RATE_HZ)

    def test_a_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "note\udcff.wav"
        path.write_bytes(b"RIFF")
        with pytest.raises(AudioError, match="not UTF-8"):
            audio.load(path, sample_rate_hz=RATE_HZ)
        assert audio.save(path.with_suffix(".flac"), tone(), sample_rate_hz=RATE_HZ).is_file()

    def test_missing_file_folder_and_headerless(self, tmp_path: Path) -> None:
        (tmp_path / "note.raw").write_bytes(b"\x01\x02" * 100)
        for path, message in [("none.wav", "no file"), (".", "folder"), ("note.raw", "not a sound file")]:
            with pytest.raises(AudioError, match=message):
                audio.load(tmp_path / path, sample_rate_hz=RATE_HZ)


class TestSave:
    @pytest.mark.parametrize("gain", [0.001, 1.0, 7.3])
    def test_wav_keeps_every_level_exactly(self, tmp_path: Path, gain: float) -> None:
        path = audio.save(tmp_path / "new" / "note.wav", gain * tone(), sample_rate_hz=RATE_HZ)
        assert soundfile.info(path).subtype == "FLOAT"
        assert np.array_equal(audio.load(path, sample_rate_hz=RATE_HZ), np.float32(gain) * tone())

    def test_flac_is_24_bit(self, tmp_path: Path) -> None:
        path = audio.save(tmp_path / "note.flac", tone(), sample_rate_hz=RATE_HZ)
        assert soundfile.info(path).subtype == "PCM_24"
        assert np.abs(audio.load(path, sample_rate_hz=RATE_HZ) - tone()).max() < 2**-22

    def test_flac_refuses_to_clip_and_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(AudioError, match=r"clip.*\+6\.02 dBFS.*\.wav"):
            audio.save(tmp_path / "note.flac", 4.0 * tone(), sample_rate_hz=RATE_HZ)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["note.mp3", "note", "note.wav.txt"])
    def test_other_endings(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(AudioError, match="must end in"):
            audio.save(tmp_path / name, tone(), sample_rate_hz=RATE_HZ)

    def test_upper_case_ending(self, tmp_path: Path) -> None:
        assert audio.save(tmp_path / "NOTE.WAV", tone(), sample_rate_hz=RATE_HZ).exists()

    def test_no_room_to_write(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(AudioError, match="cannot be written"):
            audio.save(tmp_path / "file" / "note.wav", tone(), sample_rate_hz=RATE_HZ)


class TestCheck:
    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros((2, 3)), r"shape \(2, 3\)"),
            (np.zeros(0), "empty"),
            (np.array([np.nan]), "not finite"),
            (np.array([1e300]), "not finite"),
            (np.arange(3), "int64"),
            (np.array(["a"]), "dtype"),
            (np.zeros(3, complex), "complex"),
        ],
    )
    def test_refuses(self, array: np.ndarray, message: str) -> None:
        with pytest.raises(AudioError, match=message):
            audio.check(array)

    def test_float32_passes_without_a_copy(self) -> None:
        sound = tone()
        assert audio.check(sound) is sound
        assert audio.check(sound.astype(np.float64)).dtype == np.float32


class TestOnset:
    @pytest.mark.parametrize("rate_hz", [16_000, 48_000])
    @pytest.mark.parametrize("pitch_hz", [27.5, 220.0, 4_000.0])
    def test_instant_attack_at_the_first_sample(self, pitch_hz: float, rate_hz: int) -> None:
        onset = audio.find_onset(tone(pitch_hz=pitch_hz, rate_hz=rate_hz), sample_rate_hz=rate_hz)
        assert onset <= 0.002 * rate_hz

    @pytest.mark.parametrize("attack_s", [0.0, 0.02, 0.5])
    @pytest.mark.parametrize("shift", [1, 333, 16_000])
    def test_zeros_in_front_shift_it_exactly(self, attack_s: float, shift: int) -> None:
        note = tone(attack_s=attack_s)
        first = audio.find_onset(note, sample_rate_hz=RATE_HZ)
        assert audio.find_onset(np.pad(note, (shift, 0)), sample_rate_hz=RATE_HZ) == first + shift

    @pytest.mark.parametrize("attack_s", [0.0, 0.1, 0.5])
    @pytest.mark.parametrize("floor_db", [-90.0, -70.0, -60.0, -50.0])
    def test_stable_in_noise(self, attack_s: float, floor_db: float) -> None:
        found = []
        for shift in (1600, 1607, 4000, 9000):
            note = np.pad(tone(attack_s=attack_s), (shift, 12_000 - shift))
            found.append(audio.find_onset(note + noise(note.size, floor_db), sample_rate_hz=RATE_HZ) - shift)
        assert max(found) - min(found) <= (16 if attack_s == 0 else 0.02 * attack_s * RATE_HZ + 32)
        rise = 10 ** (max(floor_db + 10, -49.0) / 20) / 0.35  # where the swell leaves the noise
        assert min(found) >= -16
        assert max(found) <= (1.3 * rise * attack_s + 0.006) * RATE_HZ

    def test_slow_swell_is_found_where_it_rises_not_at_its_peak(self) -> None:
        onset = audio.find_onset(np.pad(tone(2.0, attack_s=0.5), (800, 0)), sample_rate_hz=RATE_HZ)
        assert 800 <= onset <= 800 + 0.02 * RATE_HZ

    @pytest.mark.parametrize("gain", [1e-3, 0.1, 10.0])
    def test_level_does_not_matter(self, gain: float) -> None:
        note = np.pad(tone(attack_s=0.05), (500, 0))
        assert audio.find_onset(gain * note, sample_rate_hz=RATE_HZ) == audio.find_onset(note, sample_rate_hz=RATE_HZ)

    def test_a_click_before_the_note_is_not_its_onset(self) -> None:
        note = np.pad(tone(), (8000, 0)) + noise(24_000, -70.0)
        note[2000] = 0.3
        assert abs(audio.find_onset(note, sample_rate_hz=RATE_HZ) - 8000) <= 16

    def test_a_note_that_swells_later_begins_at_its_beginning(self) -> None:
        swell = tone(2.0) * np.linspace(0.3, 1.0, 2 * RATE_HZ, dtype=np.float32)
        assert audio.find_onset(swell, sample_rate_hz=RATE_HZ) <= 16

    def test_a_very_short_note(self) -> None:
        assert audio.find_onset(np.array([0.0, 0.5, -0.5], np.float32), sample_rate_hz=RATE_HZ) == 1

    def test_silence_has_none(self) -> None:
        with pytest.raises(AudioError, match="silent"):
            audio.find_onset(np.zeros(100, np.float32), sample_rate_hz=RATE_HZ)


class TestPrepareAndRestore:
    @pytest.mark.parametrize("lead", [0, 100, 512, 5000])
    def test_onset_lies_after_the_pre_roll(self, lead: int) -> None:
        note = np.pad(tone(attack_s=0.01), (lead, 0))
        prepared = audio.prepare(note, sample_rate_hz=RATE_HZ, pre_roll_samples=512, max_samples=64_000)
        assert audio.find_onset(prepared.audio, sample_rate_hz=RATE_HZ) == 512
        assert prepared.lead_in_samples == audio.find_onset(note, sample_rate_hz=RATE_HZ) - 512

    @pytest.mark.parametrize("lead", [0, 100, 5000])
    @pytest.mark.parametrize("max_samples", [600, 8000, 64_000])
    def test_restore_undoes_prepare(self, lead: int, max_samples: int) -> None:
        note = np.pad(tone(), (lead, 0)) + 0.0
        prepared = audio.prepare(note, sample_rate_hz=RATE_HZ, pre_roll_samples=512, max_samples=max_samples)
        assert prepared.audio.size <= max_samples
        back = audio.restore(prepared.audio, lead_in_samples=prepared.lead_in_samples, total_samples=note.size)
        end = min(note.size, prepared.lead_in_samples + max_samples)
        assert np.array_equal(back[:end], note[:end])
        assert not back[end:].any()

    def test_restore_outside_is_silence(self) -> None:
        for lead_in in (-5000, 5000):
            assert not audio.restore(tone(0.1), lead_in_samples=lead_in, total_samples=1600).any()

    def test_bad_lengths(self) -> None:
        for pre_roll, longest in [(-1, 100), (100, 100)]:
            with pytest.raises(AudioError, match="pre_roll_samples"):
                audio.prepare(tone(), sample_rate_hz=RATE_HZ, pre_roll_samples=pre_roll, max_samples=longest)
        with pytest.raises(AudioError, match="total_samples"):
            audio.restore(tone(), lead_in_samples=0, total_samples=0)


def test_equal_sounds_are_equal_files(tmp_path: Path) -> None:
    wave = np.linspace(-1.5, 1.5, 1000, dtype=np.float32)
    first, second = (audio.save(tmp_path / name, wave, sample_rate_hz=16000) for name in ("a.wav", "b.wav"))
    assert first.read_bytes() == second.read_bytes()
    np.testing.assert_array_equal(audio.load(first, sample_rate_hz=16000), wave)
