"""Files as people have them: what is lost on reading is said, and what is there is used."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import audio
from synth_explorer.errors import AudioError

RATE_HZ = 16_000


def tone(seconds: float = 1.0, *, hz: float = 220.0, rate_hz: int = RATE_HZ, level: float = 0.3) -> np.ndarray:
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * hz * at_s) * np.minimum(1.0, at_s * 200)).astype(np.float32)


def wave_bytes(sound: np.ndarray, *, rate_hz: int = RATE_HZ, data_size: int | None = None, tail: bytes = b"") -> bytes:
    """A 16-bit WAV, by hand, with any size in its header."""
    data = (np.atleast_2d(sound).T * 32_767).astype("<i2").tobytes()
    count = 1 if sound.ndim == 1 else len(sound)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, count, rate_hz, rate_hz * 2 * count, 2 * count, 16)
    size = len(data) if data_size is None else data_size
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data) + len(tail) if data_size is None else size, b"WAVE")
        + head
        + struct.pack("<4sI", b"data", size)
        + data
        + tail
    )


def record(path: Path, **options: float) -> audio.Recording:
    return audio.record(path, sample_rate_hz=RATE_HZ, **options)


class TestChannels:
    @pytest.mark.parametrize(
        ("gains", "expected", "said"),
        [
            ((1.0, 0.0), 1.0, "one of its 2 channels, the left one"),
            ((0.0, 1.0), 1.0, "the right one"),
            ((0.0, 0.0, 1.0, 0.0, 0.0, 0.0), 1.0, "the centre one"),
            ((1.0, -0.9), 1.0, "cancel each other"),
            ((1.0, -1.0), 1.0, "cancel each other"),
            ((1.0, 1.0), 1.0, ""),
            ((0.5, 1.0), 0.75, ""),
            ((1.0, 1.0, 0.0, 0.0), 1.0, ""),
            ((1.0, 1.0, 1.0, -0.2, 0.0), 0.7, "loses"),
        ],
    )
    def test_the_live_ones_are_used(self, tmp_path: Path, gains: tuple, expected: float, said: str) -> None:
        note = tone()
        soundfile.write(tmp_path / "a.wav", np.outer(note, gains), RATE_HZ, subtype="FLOAT")
        found = record(tmp_path / "a.wav")
        np.testing.assert_allclose(found.audio, expected * note, atol=1e-4)
        assert bool(found.notices) == bool(said)
        assert said in " ".join(found.notices)

    def test_two_that_have_nothing_in_common_lose_three_decibels_in_words(self, tmp_path: Path) -> None:
        two = 0.1 * np.random.default_rng(0).normal(size=(RATE_HZ, 2))
        soundfile.write(tmp_path / "a.wav", two, RATE_HZ, subtype="FLOAT")
        (said,) = record(tmp_path / "a.wav").notices
        assert "loses 3.1 dB in the mean of its 2 channels" in said

    def test_rumble_in_one_channel_is_no_sound(self, tmp_path: Path) -> None:
        rumble = 0.9 * np.sin(2 * np.pi * 8.0 * np.arange(RATE_HZ) / RATE_HZ)
        soundfile.write(tmp_path / "a.wav", np.stack([tone(), rumble], axis=1), RATE_HZ, subtype="FLOAT")
        found = record(tmp_path / "a.wav")
        assert "the left one" in found.notices[0] or "loses" in found.notices[0]

    def test_an_offset_in_one_channel_is_no_sound(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.stack([tone(), np.full(RATE_HZ, 0.4)], axis=1), RATE_HZ, subtype="FLOAT")
        np.testing.assert_allclose(record(tmp_path / "a.wav").audio, tone(), atol=1e-3)


@pytest.mark.parametrize("rate_hz", [1, 50, 128, 240, 999])
def test_a_rate_at_which_nothing_is_heard_is_told(tmp_path: Path, rate_hz: int) -> None:
    content = bytearray(wave_bytes(tone()))
    content[24:28] = rate_hz.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match=f"has {rate_hz} samples a second; no note is heard in less than 1000"):
        record(tmp_path / "a.wav")


class TestSizes:
    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
    def test_a_recording_that_was_never_finished_is_read(self, tmp_path: Path, size: int) -> None:
        (tmp_path / "a.wav").write_bytes(wave_bytes(tone(), data_size=size))
        found = record(tmp_path / "a.wav")
        np.testing.assert_allclose(found.audio, tone(), atol=1e-3)
        assert "never finished" in found.notices[0]
        assert found.whole_s == pytest.approx(1.0, abs=0.01)

    def test_an_empty_one_is_empty(self, tmp_path: Path) -> None:
        for tail in (b"", b"LIST\x04\x00\x00\x00INFO"):
            (tmp_path / "a.wav").write_bytes(wave_bytes(tone()[:0], tail=tail))
            with pytest.raises(AudioError, match="no samples"):
                record(tmp_path / "a.wav")

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 1_000_000, 1_000])
    @pytest.mark.parametrize(
        "tail", [b"LIST\x06\0\0\0INFOab", b"id3 \x05\0\0\0abcde", b"cue \0\0\0\0xtra\x03\0\0\0abc\0"]
    )
    def test_what_comes_after_the_sound_is_no_sound(self, tmp_path: Path, size: int, tail: bytes) -> None:
        tail += sampler_chunk(69, 0.0, [(100, 900)])
        (tmp_path / "a.wav").write_bytes(wave_bytes(tone() + 1e-3, data_size=size, tail=tail))
        found = record(tmp_path / "a.wav")
        assert found.audio.size == RATE_HZ
        assert (found.root_midi, found.loop) == (69.0, (100, 900))
        assert "sound that is there" in found.notices[0] or "sound than its header says" in found.notices[0]

    @pytest.mark.parametrize("sizes", [b"", bytes(28), struct.pack("<QQQI", 0, 32_000, 0, 0)])
    @pytest.mark.parametrize("form", [b"RF64", b"BW64"])
    def test_the_forms_of_large_files(self, tmp_path: Path, form: bytes, sizes: bytes) -> None:
        plain = wave_bytes(tone(), data_size=0xFFFFFFFF)
        content = form + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", len(sizes)) + sizes + plain[12:]
        (tmp_path / "a.wav").write_bytes(content)
        found = record(tmp_path / "a.wav")
        np.testing.assert_allclose(found.audio, tone(), atol=1e-3)
        assert ["never finished" in notice for notice in found.notices] == ([] if any(sizes) else [True])

    @pytest.mark.parametrize("odd", [b"bext\x05\0\0\0abcde", b"LIST\x05\0\0\0INFO\0"])
    def test_a_chunk_without_its_filling_byte(self, tmp_path: Path, odd: bytes) -> None:
        plain = wave_bytes(tone(), tail=odd + sampler_chunk(69, 0.0, []))
        for at in (12, 36):
            (tmp_path / "a.wav").write_bytes(plain[:at] + odd + plain[at:])
            found = record(tmp_path / "a.wav")
            np.testing.assert_allclose(found.audio, tone(), atol=1e-3)
            assert found.root_midi == 69.0 and "as its pitch" in found.notices[0]

    @pytest.mark.parametrize("bytes_lost", [2, 200])
    def test_little_that_is_lost_is_not_nothing(self, tmp_path: Path, bytes_lost: int) -> None:
        (tmp_path / "a.wav").write_bytes(wave_bytes(tone(), data_size=32_000)[:-bytes_lost])
        assert "(>99 %)" in record(tmp_path / "a.wav").notices[0]

    @pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
    @pytest.mark.parametrize(
        ("kind", "subtype"),
        [("WAV", "PCM_24"), ("AIFF", "PCM_16"), ("AU", "PCM_16"), ("W64", "FLOAT"), ("RF64", "PCM_16")],
    )
    def test_half_a_file_is_said_to_be_half(self, tmp_path: Path, kind: str, subtype: str, share: float) -> None:
        path = tmp_path / "a.snd"
        soundfile.write(path, tone(), RATE_HZ, format=kind, subtype=subtype)
        assert record(path).notices == ()
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        found = record(path)
        assert "cut off" in found.notices[0]
        assert f"({100 * share:.0f} %)" in found.notices[0]
        assert found.audio.size == pytest.approx(share * RATE_HZ, rel=0.1)

    @pytest.mark.parametrize(("kind", "subtype"), [("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
    def test_half_a_packed_file_too(self, tmp_path: Path, kind: str, subtype: str) -> None:
        path = tmp_path / "a.snd"
        noise = 0.1 * np.random.default_rng(0).normal(size=10 * RATE_HZ)
        soundfile.write(path, noise, RATE_HZ, format=kind, subtype=subtype)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        found = record(path)
        assert any(word in found.notices[0] for word in ("cut off", "missing"))
        assert 2 * RATE_HZ < found.audio.size < 6 * RATE_HZ

    def test_a_long_file_says_how_much_is_read(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tone(3.0), RATE_HZ)
        found = record(tmp_path / "a.wav", max_s=2.0)
        assert found.audio.size == 2 * RATE_HZ
        assert "lasts 3 s; its first 2 s are read" in found.notices[0]

    @pytest.mark.parametrize("share", [0.4, 0.8, 0.95])
    def test_a_short_flac_is_used_as_far_as_it_goes(self, tmp_path: Path, share: float) -> None:
        path, noise = tmp_path / "a.flac", 0.1 * np.random.default_rng(0).normal(size=2 * RATE_HZ)
        soundfile.write(path, noise, RATE_HZ)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        found = record(path)
        assert "cut off" in found.notices[0]
        assert found.audio.size == pytest.approx(share * 2 * RATE_HZ, abs=2 * 4096)

    def test_a_cut_ogg_is_said_to_be_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ogg"
        soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=10 * RATE_HZ), RATE_HZ, format="OGG")
        assert record(path).notices == ()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert "cut off" in record(path).notices[0]

    def test_more_sound_than_the_header_says_is_used(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(wave_bytes(tone(), data_size=RATE_HZ))
        found = record(tmp_path / "a.wav")
        assert found.audio.size == RATE_HZ
        assert "more sound than its header says" in found.notices[0]

    def test_what_is_not_there_is_said_in_plain_words(self, tmp_path: Path) -> None:
        for path, said in ((tmp_path / "none.wav", "There is no file"), (tmp_path, "is a folder")):
            with pytest.raises(AudioError) as error:
                record(path)
            assert "cannot be a file's name" not in str(error.value) and said in str(error.value)


class TestBand:
    def test_a_sound_above_the_band_is_refused(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tone(hz=9_000.0, rate_hz=44_100), 44_100)
        with pytest.raises(AudioError, match="above 8000 Hz as good as whole"):
            record(tmp_path / "a.wav")

    def test_a_part_above_the_band_is_told(self, tmp_path: Path) -> None:
        both = tone(rate_hz=44_100) + tone(hz=12_000.0, rate_hz=44_100, level=0.1)
        soundfile.write(tmp_path / "a.wav", both, 44_100)
        (said,) = record(tmp_path / "a.wav").notices
        assert "has 10 % of its power above 8000 Hz" in said or "has 10.0 %" in said

    def test_nothing_is_said_of_nothing(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tone(rate_hz=44_100), 44_100)
        assert record(tmp_path / "a.wav").notices == ()


class TestSilence:
    @pytest.mark.parametrize("level", [0.0, 0.3])
    def test_an_offset_is_silent(self, tmp_path: Path, level: float) -> None:
        soundfile.write(tmp_path / "a.wav", np.full(RATE_HZ, level), RATE_HZ)
        with pytest.raises(AudioError, match="is silent"):
            record(tmp_path / "a.wav")

    @pytest.mark.parametrize("silent_s", [5.0, 15.0, 40.0])
    def test_a_note_counts_from_its_onset(self, tmp_path: Path, silent_s: float) -> None:
        sound = np.concatenate([np.zeros(int(silent_s * RATE_HZ), np.float32), tone(3.0)])
        soundfile.write(tmp_path / "a.flac", sound, RATE_HZ)
        note = record(tmp_path / "a.flac").first_note(max_s=2.0, pre_roll_samples=512)
        assert note.audio.size == pytest.approx((silent_s + 2.0) * RATE_HZ, abs=600)
        assert "2 s of it are used, from the note's onset on" in note.notices[-1]

    @pytest.mark.parametrize(("onset_s", "said"), [(0.0, "1 s of it are used"), (3.5, "its first 4 s are read")])
    def test_one_line_says_how_much_is_used(self, tmp_path: Path, onset_s: float, said: str) -> None:
        sound = np.concatenate([np.zeros(round(onset_s * RATE_HZ), np.float32), tone(5.0)])
        soundfile.write(tmp_path / "a.wav", sound, RATE_HZ)
        (notice,) = record(tmp_path / "a.wav", max_s=4.0).first_note(max_s=1.0).notices
        assert said in notice


def sampler_chunk(unity: int, fraction: float, loops: list[tuple[int, int]]) -> bytes:
    body = struct.pack("<9I", 0, 0, 62_500, unity, int(fraction * 2**32), 0, 0, len(loops), 0)
    for first, last in loops:
        body += struct.pack("<6I", 0, 0, first, last, 0, 0)
    return struct.pack("<4sI", b"smpl", len(body)) + body


class TestSampler:
    def test_root_note_and_loop(self, tmp_path: Path) -> None:
        content = wave_bytes(tone(rate_hz=48_000), rate_hz=48_000, tail=sampler_chunk(69, 0.25, [(3_000, 30_000)]))
        (tmp_path / "a.wav").write_bytes(content)
        found = record(tmp_path / "a.wav")
        assert found.root_midi == pytest.approx(69.25)
        assert found.loop == (1_000, 10_000)
        said = "gives A4 (MIDI 69.25) as its pitch and a loop from 0.062 to 0.625 s in its sampler chunk"
        assert found.notices == (said,)
        assert found.whole_s == pytest.approx(1.0)

    @pytest.mark.parametrize(
        "chunk",
        [
            b"smpl\x04\x00\x00\x00abcd",
            sampler_chunk(400, 0.0, []),
            sampler_chunk(0, 0.0, []),
            sampler_chunk(69, 0.0, [(30_000, 20)])[:50],
            b"smpl\xff\xff\xff\x7f" + b"\x01" * 20,
        ],
    )
    def test_what_makes_no_sense_is_passed_over(self, tmp_path: Path, chunk: bytes) -> None:
        (tmp_path / "a.wav").write_bytes(wave_bytes(tone(), tail=chunk))
        found = record(tmp_path / "a.wav")
        assert found.loop is None and not (found.root_midi or 60.0) < 18.0
        np.testing.assert_allclose(found.audio, tone(), atol=1e-3)


class TestMp3:
    @pytest.fixture
    def whole(self, tmp_path: Path) -> bytes:
        noise = 0.1 * np.random.default_rng(0).normal(size=4 * RATE_HZ)
        soundfile.write(tmp_path / "whole.mp3", noise, RATE_HZ, format="MP3")
        return (tmp_path / "whole.mp3").read_bytes()

    def test_what_its_decoder_says_of_damage_is_not_shown(self, tmp_path: Path, whole: bytes, capfd) -> None:
        damaged, rng = bytearray(whole), np.random.default_rng(1)
        for at in range(3_000, len(whole) - 2_000, 700):
            damaged[at : at + 40] = rng.bytes(40)
        for content in (bytes(damaged), whole[: len(whole) // 2]):
            (tmp_path / "a.bin").write_bytes(content)
            record(tmp_path / "a.bin")
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("bytes_kept", [10, 300])
    def test_a_header_alone_has_no_sound(self, tmp_path: Path, whole: bytes, bytes_kept: int, capfd) -> None:
        (tmp_path / "a.mp3").write_bytes(whole[:bytes_kept])
        with pytest.raises(AudioError, match="has no sound in it: nothing comes after its header"):
            record(tmp_path / "a.mp3")
        assert capfd.readouterr().err == ""


class TestPhones:
    def test_aac_in_m4a(self, tmp_path: Path) -> None:
        av = pytest.importorskip("av")
        path, note = tmp_path / "memo.m4a", tone(1.0, rate_hz=44_100)
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("aac", rate=44_100)
            frame = av.AudioFrame.from_ndarray(note[None], format="fltp", layout="mono")
            frame.rate = 44_100
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
        found = record(path)
        spectrum = np.abs(np.fft.rfft(found.audio * np.hanning(found.audio.size)))
        assert np.argmax(spectrum) * RATE_HZ / found.audio.size == pytest.approx(220.0, abs=2.0)
        assert np.abs(found.audio).max() == pytest.approx(0.3, rel=0.5)  # the encoder's own

    def test_without_the_library_the_line_that_installs_it(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "av", None)
        (tmp_path / "memo.m4a").write_bytes(b"\x00\x00\x00\x1cftypM4A " + bytes(100))
        with pytest.raises(AudioError, match="pip install av"):
            record(tmp_path / "memo.m4a")

    def test_a_damaged_one_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "memo.m4a").write_bytes(b"\x00\x00\x00\x1cftypM4A " + bytes(1000))
        with pytest.raises(AudioError, match="not a sound file"):
            record(tmp_path / "memo.m4a")


@pytest.mark.parametrize("name", ["a" * 300 + ".wav", "a\0b.wav"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(AudioError, match=r"cannot be a file's name|There is no file"):
        record(Path(name))
