"""Writing sound: peaks, bits, dither, length, and what a sampler reads, against plain loops and other readers."""

from __future__ import annotations

import math
import struct
import warnings
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from synth_explorer import audio
from synth_explorer.audio import writing
from synth_explorer.audio.writing import Sampler, Writing
from synth_explorer.errors import AudioError

RATE_HZ = 16_000
CEILING = 10 ** (writing.CEILING_DB / 20)


def tone(seconds: float = 0.3, *, pitch_hz: float = 220.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def loud_note() -> np.ndarray:
    """Quiet, then over full scale, then quiet for longer than the limiter takes to let go."""
    return np.concatenate([tone(0.2), tone(0.1, level=2.0), tone(0.6)])


def limited_by_loops(sound: np.ndarray) -> np.ndarray:
    """The limiter's reduction in dB, as its words say it."""
    ahead, hold = round(writing.LOOK_AHEAD_S * RATE_HZ), round(writing.HOLD_S * RATE_HZ)
    need = [max(0.0, 20 * math.log10(max(abs(float(x)), 1e-12) / CEILING)) for x in sound]
    held = [max(need[max(0, n - hold) : n + 1]) for n in range(len(need))]
    falling, now = [], 0.0
    for value in held:
        now = max(value, now - writing.RELEASE_DB_PER_S / RATE_HZ)
        falling.append(now)
    ahead_of = [max([*falling, *[0.0] * ahead][max(0, n) : n + ahead + 1]) for n in range(-ahead, len(need))]
    window = [math.sin(math.pi * (k + 1) / (ahead + 2)) ** 2 for k in range(ahead + 1)]
    total = sum(window)
    return np.array([sum(w * ahead_of[n + ahead - j] for j, w in enumerate(window)) / total for n in range(len(need))])


def dithered_by_loops(sound: np.ndarray, bits: int) -> list[int]:
    draws = np.random.default_rng(zlib.crc32(sound.tobytes())).random((2, sound.size))
    full, out = 2 ** (bits - 1), []
    for n, x in enumerate(sound):
        noise = 0.0 if x == 0 else draws[0][n] - draws[1][n]
        out.append(min(max(round(float(x) * full + noise), -full), full - 1))
    return out


class TestLimiter:
    @pytest.mark.parametrize("sound", [loud_note()[:6000], tone(0.01, level=3.0), np.array([5.0, 0.1], np.float32)])
    def test_as_a_loop(self, sound: np.ndarray) -> None:
        found = writing.limiter_db(sound, sample_rate_hz=RATE_HZ)
        np.testing.assert_allclose(found, limited_by_loops(sound), atol=1e-6)

    @pytest.mark.parametrize("level", [0.1, 0.98])
    def test_below_the_ceiling_nothing_changes(self, level: float) -> None:
        sound = tone(level=level)
        limited, change_db = writing.at_peak(sound, sample_rate_hz=RATE_HZ, peak="limit")
        assert limited is sound and change_db == 0.0

    @pytest.mark.parametrize("seed", range(5))
    def test_no_sample_passes_the_ceiling(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        sound = (rng.standard_normal(4000) * np.exp(rng.normal(size=4000))).astype(np.float32)
        limited, change_db = writing.at_peak(sound, sample_rate_hz=RATE_HZ, peak="limit")
        assert np.abs(limited).max() <= np.float32(CEILING)
        assert change_db <= -20 * math.log10(np.abs(sound).max() / CEILING) + 1e-9

    def test_only_what_exceeds_is_touched(self) -> None:
        sound = loud_note()
        limited, _ = writing.at_peak(sound, sample_rate_hz=RATE_HZ, peak="limit")
        touched = np.flatnonzero(limited != sound)
        assert touched[0] >= 0.2 * RATE_HZ - 2 * writing.LOOK_AHEAD_S * RATE_HZ
        assert touched[-1] <= (0.3 + writing.HOLD_S + 0.2) * RATE_HZ  # 6 dB at 40 dB/s
        np.testing.assert_array_equal(limited[-RATE_HZ // 5 :], sound[-RATE_HZ // 5 :])

    def test_the_gain_is_smooth(self) -> None:
        reduction = writing.limiter_db(loud_note(), sample_rate_hz=RATE_HZ)
        assert np.abs(np.diff(reduction)).max() < 6.2 * 2.1 / (writing.LOOK_AHEAD_S * RATE_HZ)  # a Hann window's slope
        inside = reduction[round(0.21 * RATE_HZ) : round(0.29 * RATE_HZ)]
        assert np.ptp(inside) < 0.15  # it does not follow the wave

    def test_normalise(self) -> None:
        for level in (0.01, 7.0):
            sound, change_db = writing.at_peak(tone(level=level), sample_rate_hz=RATE_HZ, peak="normalise")
            assert np.abs(sound).max() == pytest.approx(CEILING, rel=1e-6)
            assert change_db == pytest.approx(20 * math.log10(CEILING / np.abs(tone(level=level)).max()), abs=1e-3)
        silence = np.zeros(10, np.float32)
        assert writing.at_peak(silence, sample_rate_hz=RATE_HZ, peak="normalise") == (silence, 0.0)


class TestBits:
    @pytest.mark.parametrize("bits", [16, 24])
    def test_dither_as_a_loop(self, bits: int, rng: np.random.Generator) -> None:
        sound = np.concatenate([rng.uniform(-1, 1, 500), np.zeros(20), [1.0, -1.0]]).astype(np.float32)
        assert writing.quantised(sound, bits=bits).tolist() == dithered_by_loops(sound, bits)

    def test_the_error_is_noise_that_does_not_know_the_sound(self) -> None:
        quiet = tone(4.0, pitch_hz=441.3, level=0.4 / 2**15)  # below half a step: without dither it would be gone
        numbers = writing.quantised(quiet, bits=16)
        error = numbers / 2**15 - quiet
        assert np.std(error) * 2**15 == pytest.approx(0.5, abs=0.03)  # two parts of dither, one of rounding
        assert abs(np.corrcoef(error, quiet)[0, 1]) < 0.02
        assert np.dot(numbers, quiet) / np.dot(quiet, quiet) / 2**15 == pytest.approx(1.0, abs=0.05)

    def test_silence_stays_silence_and_what_fits_stays(self, rng: np.random.Generator) -> None:
        sound = np.concatenate([tone(), np.zeros(100, np.float32)])
        assert not writing.quantised(sound, bits=16)[-100:].any()
        numbers = rng.integers(-(2**15), 2**15, 1000)
        np.testing.assert_array_equal(writing.quantised((numbers / 2**15).astype(np.float32), bits=16), numbers)

    @pytest.mark.parametrize("suffix", [".wav", ".flac"])
    @pytest.mark.parametrize("bits", [16, 24])
    def test_any_reader_opens_it(self, tmp_path: Path, suffix: str, bits: int) -> None:
        sound = tone()[:-1]
        path = audio.save(tmp_path / f"a{suffix}", sound, sample_rate_hz=RATE_HZ, bits=bits, sampler=Sampler(60.37))
        assert soundfile.info(path).subtype == f"PCM_{bits}"
        expected = writing.quantised(sound, bits=bits)
        np.testing.assert_array_equal(soundfile.read(path, dtype="int32")[0] >> (32 - bits), expected)
        if suffix == ".wav":
            with wave.open(str(path)) as file:
                assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, bits // 8, RATE_HZ)
                raw = np.frombuffer(file.readframes(sound.size), np.uint8).reshape(-1, bits // 8)
            padded = np.pad(raw, ((0, 0), (4 - bits // 8, 0))).copy().view("<i4")[:, 0] >> (32 - bits)
            np.testing.assert_array_equal(padded, expected)

    def test_defaults_are_what_they_were(self, tmp_path: Path) -> None:
        sound = tone(level=1.5)
        path = audio.save(tmp_path / "a.wav", sound, sample_rate_hz=RATE_HZ)
        wavfile.write(tmp_path / "b.wav", RATE_HZ, sound)
        assert path.read_bytes() == (tmp_path / "b.wav").read_bytes()
        flac = audio.save(tmp_path / "a.flac", tone(), sample_rate_hz=RATE_HZ)
        assert soundfile.info(flac).subtype == "PCM_24"

    @pytest.mark.parametrize("name", ["a.wav", "a.flac"])
    def test_equal_sounds_are_equal_files(self, tmp_path: Path, name: str) -> None:
        files = [audio.save(tmp_path / str(n) / name, tone(), sample_rate_hz=RATE_HZ, bits=16) for n in range(2)]
        assert files[0].read_bytes() == files[1].read_bytes()

    @pytest.mark.parametrize(("name", "bits"), [("a.wav", 16), ("a.wav", 24), ("a.flac", None), ("a.flac", 16)])
    def test_whole_numbers_end_at_full_scale(self, tmp_path: Path, name: str, bits: int | None) -> None:
        loud = tone(level=2.0)
        with pytest.raises(AudioError, match=r"\+6\.\d\d dBFS.*--peak limit or --peak normalise"):
            audio.save(tmp_path / name, loud, sample_rate_hz=RATE_HZ, bits=bits)
        assert not list(tmp_path.iterdir())
        for peak in ("limit", "normalise"):
            audio.save(tmp_path / name, loud, sample_rate_hz=RATE_HZ, bits=bits, peak=peak)
            assert np.abs(soundfile.read(tmp_path / name)[0]).max() == pytest.approx(CEILING, abs=1e-3)

    @pytest.mark.parametrize(
        ("name", "how", "message"),
        [
            ("a.flac", {"bits": 32}, "FLAC holds whole numbers only: take 16 or 24"),
            ("a.wav", {"bits": 8}, "take 16 or 24 or 32"),
            ("a.wav", {"peak": "loud"}, "keep, limit, normalise"),
            ("a.wav", {"length_s": 0.0}, "at least 0.001"),
            ("a.wav", {"length_s": 1e-9}, "at least 0.001"),
            ("a.wav", {"length_s": math.nan}, "at least 0.001"),
            ("a.wav", {"length_s": 1e9}, "at most 3600"),
        ],
    )
    def test_what_cannot_be_is_said(self, tmp_path: Path, name: str, how: dict, message: str) -> None:
        with pytest.raises(AudioError, match=message):
            audio.save(tmp_path / name, tone(), sample_rate_hz=RATE_HZ, **how)
        assert not list(tmp_path.iterdir())


class TestLength:
    def test_cut_with_a_fade_or_filled_with_silence(self, tmp_path: Path) -> None:
        sound = np.full(1600, 0.5, np.float32)
        for length_s in (0.05, 0.1, 0.3):
            path = audio.save(tmp_path / "a.wav", sound, sample_rate_hz=RATE_HZ, length_s=length_s)
            written = soundfile.read(path, dtype="float32")[0]
            assert written.size == round(length_s * RATE_HZ)
            kept = min(written.size, sound.size) - (160 if length_s < 0.1 else 0)
            np.testing.assert_array_equal(written[:kept], sound[:kept])
            assert length_s == 0.1 or written[-1] == pytest.approx(0.0, abs=1e-9)
            assert np.all(np.diff(written[kept - 1 :]) <= 0)

    @pytest.mark.parametrize("samples", [1, 2, 50])
    def test_very_short(self, samples: int) -> None:
        assert writing.at_length(tone(), samples=samples, sample_rate_hz=RATE_HZ).size == samples

    def test_the_sound_itself_is_left_alone(self) -> None:
        sound = tone()
        before = sound.copy()
        writing.at_length(sound, samples=1000, sample_rate_hz=RATE_HZ)
        np.testing.assert_array_equal(sound, before)


def smpl_of(content: bytes) -> bytes | None:
    """The `smpl` chunk of a RIFF file, read chunk by chunk."""
    assert content[:4] == b"RIFF" and struct.unpack("<I", content[4:8])[0] == len(content) - 8
    at, found = 12, None
    while at < len(content):
        name, size = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])[0]
        found = content[at + 8 : at + 8 + size] if name == b"smpl" else found
        at += 8 + size + size % 2
    assert at == len(content)
    return found


class TestSampler:
    @pytest.mark.parametrize("bits", [16, 24, 32])
    @pytest.mark.parametrize("loop", [None, (100, 899)])
    def test_the_chunk_and_its_readers(self, tmp_path: Path, bits: int, loop: tuple[int, int] | None) -> None:
        sound = tone()[:999]
        sampler = Sampler(60.37, loop)
        path = audio.save(tmp_path / "a.wav", sound, sample_rate_hz=RATE_HZ, bits=bits, sampler=sampler)
        chunk = smpl_of(path.read_bytes())
        fields = struct.unpack("<9I", chunk[:36])
        assert fields[2:4] == (62_500, 60) and fields[7] == (0 if loop is None else 1)
        assert fields[3] + fields[4] / 2**32 == pytest.approx(60.37, abs=1e-8)
        assert chunk[36:] == (b"" if loop is None else struct.pack("<6I", 0, 0, 100, 899, 0, 0))
        plain = audio.save(tmp_path / "b.wav", sound, sample_rate_hz=RATE_HZ, bits=bits)
        assert smpl_of(plain.read_bytes()) is None
        np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(plain)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # it says that it passes the chunk over
            np.testing.assert_array_equal(wavfile.read(path)[1], wavfile.read(plain)[1])

    @pytest.mark.parametrize("midi", [0.0, 59.99999999999, 60.0, 127.9999999999])
    def test_fractions_carry_over(self, midi: float) -> None:
        note, fraction = struct.unpack("<2I", writing.smpl_bytes(Sampler(midi), sample_rate_hz=RATE_HZ)[12:20])
        assert note + fraction / 2**32 == pytest.approx(midi, abs=1e-9) and note <= 127

    def test_what_no_sampler_can_map(self, tmp_path: Path) -> None:
        for midi, loop in ((128.0, None), (math.nan, None), (-1.0, None), (60.0, (5, 4)), (60.0, (-1, 4))):
            with pytest.raises(AudioError):
                Sampler(midi, loop)
        with pytest.raises(AudioError, match="must lie within"):
            audio.save(tmp_path / "a.wav", tone()[:900], sample_rate_hz=RATE_HZ, sampler=Sampler(60.0, (0, 900)))


def test_what_was_done_is_told(tmp_path: Path) -> None:
    loud = tone(level=2.0)
    kept = writing.write(tmp_path / "a.wav", loud, sample_rate_hz=RATE_HZ)
    assert kept.peak_db == pytest.approx(6.02, abs=0.02) and kept.change_db == 0.0
    limited = writing.write(tmp_path / "a.wav", loud, sample_rate_hz=RATE_HZ, how=Writing("limit"))
    assert limited.peak_db == pytest.approx(writing.CEILING_DB, abs=0.01)
    assert limited.change_db == pytest.approx(-6.12, abs=0.02)
