"""The benchmark runs every step and reports consistent figures; how fast is not a test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import fake_family
from tests.cli import shell


@pytest.mark.parametrize("kind", ["fake", pytest.param("bundled", marks=pytest.mark.long)])
def test_bench_reports_every_step(kind: str, request: pytest.FixtureRequest) -> None:
    from synth_explorer import bench

    timed = fake_family.fake_explorer() if kind == "fake" else request.getfixturevalue("explorer")
    report = bench.run(timed, note_s=0.5, repeats=2)
    assert {"encode", "decode, numba", "encode and decode", "morph, edit and decode"} <= set(report["steps"])
    for figures in report["steps"].values():
        assert 0.0 < figures["min_ms"] <= figures["median_ms"] <= figures["max_ms"]
        assert figures["times_real_time"] == pytest.approx(500.0 / figures["median_ms"])


@pytest.mark.long
def test_bench_reports_every_engine_and_its_limit() -> None:
    from synth_explorer.bench import decoding

    told: list[tuple[int, int]] = []
    engines = [("numba", "float32"), ("numba", "int8")]
    rows = decoding.run(
        networks=["small"], batches=[1, 3], engines=engines, seconds=0.05, progress=lambda *now: told.append(now)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [(row["batch"], row["engine"], row["precision"]) for row in rows] == [
        (b, *e) for b in (1, 3) for e in engines
    ]
    for row in rows:
        assert row["samples_per_s"] == pytest.approx(1e6 * row["batch"] / row["step_us"])
        assert row["times_real_time"] == pytest.approx(row["samples_per_s"] / 16_000)
        assert row["limit_us"] > 0.0 and row["limited_by"] in ("reading weights", "multiplying")
        assert row["times_magenta"] is None
        assert row["products"] in ("plain", "pairs", "seven") and row["why"]
    table = decoding.markdown(rows).splitlines()
    assert len(table) == 6 and len({line.count("|") for line in table}) == 1


def test_limits_count_what_a_stack_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    from synth_explorer.bench import decoding, limits
    from synth_explorer.decode.wavenet import transforms
    from synth_explorer.decode.wavenet.packing import pack

    stack = decoding.small_stack()
    weights = 20 * (2 * 64 * 128 + 64 * 64 + 64 * 128) + 2 * 64 + 64 * 128 + 128 * 128 + 128 * 256
    assert limits.multiplications(stack) == 2 * weights
    packed, whole = pack(stack, "float32"), pack(stack, "int16")
    start = 4 * 2 * (64 + 128)  # with the first skip product multiplied in
    head, gates, sums = 4 * (128 * 128 + 128 * 256), 20 * 64 * 128, 20 * (64 * 64 + 64 * 128)
    assert limits.bytes_read(whole, 16, "plain") == start + head + 2 * (2 * gates + sums)  # every tap at every sample
    assert limits.bytes_read(whole, 1, "plain") < 0.85 * limits.bytes_read(whole, 16, "plain")
    some = limits.bytes_read(
        packed, 4, "pairs"
    )  # layers that would keep too much are not filtered: a quarter of the old taps
    assert some == start + head + 4 * ((1.5 * 14 + 1.25 * 6) / 20 * gates + sums)
    monkeypatch.setattr(transforms, "KEPT_BYTES", (1e9, 1e9))
    assert limits.bytes_read(packed, 4, "pairs") == start + head + 4 * (
        1.5 * gates + sums
    )  # pairs: three products for two
    assert limits.bytes_read(packed, 32, "seven") == start + head + 7 * (
        1.5 * gates + sums
    )  # and seven quarters of each
    assert limits.bytes_read(pack(stack, "int8"), 16, "plain") < 0.7 * limits.bytes_read(whole, 16, "plain")


def test_bench_tells_mistakes() -> None:
    from synth_explorer.bench import decoding
    from synth_explorer.errors import SynthExplorerError

    with pytest.raises(SynthExplorerError, match="network must be one of"):
        decoding.run(networks=["huge"])
    with pytest.raises(SynthExplorerError, match="Batches"):
        decoding.run(networks=["small"], batches=[0])


@pytest.mark.long
def test_bench_command_times_the_small_network(tmp_path) -> None:
    import json

    from typer.testing import CliRunner

    from synth_explorer.cli import app

    out, table = tmp_path / "bench.json", tmp_path / "bench.md"
    words = ["bench", "--network", "small", "--batch", "2", "--quick", "-o", str(out), "--markdown", str(table)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = json.loads(out.read_text())["decoding"]
    assert [row["precision"] for row in rows] == ["float32", "float32", "int16", "int8"]
    assert len(table.read_text().splitlines()) == 6


def test_bench_command_says_what_it_ran_on_and_warns_of_a_busy_machine(tmp_path, monkeypatch) -> None:
    import json

    from typer.testing import CliRunner

    from synth_explorer.bench import machine
    from synth_explorer.cli import app
    from synth_explorer.cli import bench as command

    monkeypatch.setattr(machine, "busy_share", lambda: 0.5)
    monkeypatch.setattr(
        command, "_startup", lambda checkpoint: {"--help": dict.fromkeys(("min_s", "median_s", "max_s"), 1.0)}
    )
    out = tmp_path / "bench.json"
    result = CliRunner().invoke(app, ["bench", "--network", "startup", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "warning: other programs use 50% of this machine" in result.stderr
    told = json.loads(out.read_text())["machine"]
    assert told["processor"] in result.stdout and told["busy_share"] == told["busy_share_after"] == 0.5
    assert machine.warning(0.05) is None


@pytest.mark.long
def test_whole_commands_and_the_page_are_timed() -> None:
    from synth_explorer.bench import startup

    told: list[tuple[int, int]] = []
    times = startup.run(repeats=1, progress=lambda *now: told.append(now))
    assert told[-1] == (18, 18)
    assert {"--help", "morph --fit-steps 0", "edit", "page, until it answers"} <= set(times)
    assert times["--help"]["median_s"] < times["morph"]["median_s"]


@pytest.mark.slow
def test_a_command_that_fails_is_not_timed() -> None:
    from synth_explorer.bench import startup
    from synth_explorer.errors import SynthExplorerError

    with pytest.raises(SynthExplorerError, match=r"could not be timed: error: .*nowhere"):
        startup.run(checkpoint="nowhere", repeats=1)


OLD = {
    "machine": {"processor": "a", "cores": 2},
    "checkpoint": "default",
    "note_s": 4.0,
    "steps": {
        "quiet": {"min_ms": 10.0, "median_ms": 10.5},
        "noisy": {"min_ms": 10.0, "median_ms": 16.0},
        "better": {"min_ms": 10.0, "median_ms": 10.2},
        "gone": {"min_ms": 1.0, "median_ms": 1.0},
    },
    "startup": {"encode": {"min_s": 2.0, "median_s": 2.1}},
    "decoding": [{"network": "small", "batch": 4, "engine": "numba", "precision": "int8", "step_us": 100.0}],
    "nsynth_encoding": {"note_s": 4.0, "median_ms": 100.0, "times_real_time": 40.0},
}


def test_what_became_slower_beyond_the_noise() -> None:
    from synth_explorer.bench import compare

    new = json.loads(json.dumps(OLD))
    del new["steps"]["gone"]
    new["steps"] |= {"quiet": {"min_ms": 12.0, "median_ms": 12.3}, "noisy": {"min_ms": 14.0, "median_ms": 15.0}}
    new["steps"]["better"] = {"min_ms": 7.0, "median_ms": 7.2}
    new["startup"]["encode"] = {"min_s": 2.5, "median_s": 2.6}
    new["decoding"][0]["step_us"] = new["nsynth_encoding"]["median_ms"] = 120.0
    found = compare.compare(compare._Report.model_validate(OLD), new)
    assert {one.name: one.verdict for one in found.changes} == {
        "quiet": "slower", "noisy": "", "better": "faster", "encode": "slower", "small, 4 notes, numba int8": "",
        "NSynth encodes": "",
    }  # fmt: skip
    assert [one.name for one in found.slower] == ["quiet", "encode"]
    assert found.missing == ("gone",) and found.differences == ()
    new |= {"machine": {"processor": "b", "cores": 2}, "checkpoint": "wavenet", "note_s": 2.0}
    new["decoding"][0]["step_us"] = new["nsynth_encoding"]["median_ms"] = 130.0
    found = compare.compare(compare._Report.model_validate(OLD), new)
    assert [one.ratio for one in found.slower[-2:]] == pytest.approx([1.3, 1.3])
    assert found.differences == (
        "another machine", "another checkpoint (default, now wavenet)", "a note of another length (4 s, now 2 s)",
    )  # fmt: skip


@pytest.mark.slow
def test_the_shell_ends_with_1_where_something_became_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from synth_explorer.cli import bench as command

    timed = {"startup": {"encode": {"median_s": 2.6, "min_s": 2.5, "max_s": 3.0}}}
    monkeypatch.setattr(command, "_startup", lambda checkpoint: timed["startup"])
    monkeypatch.setattr(command, "_machine", lambda: {"processor": "a", "cores": 2})
    monkeypatch.setattr(command, "_busy_share", lambda: 0.0)
    words = ("bench", "--network", "startup", "-o", tmp_path / "new.json", "--compare", tmp_path / "old.json")
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    done = shell.run(*words)
    assert done.exit_code == 1 and "slower: encode, 1.25 times as long (noise 10%)" in done.stderr
    assert "warning: not timed now, but in the older report: quiet; noisy; better; gone; NSynth encodes" in done.stderr
    assert "another" not in done.stderr
    assert "of another checkpoint (default, now wavenet)" in shell.run(*words, "--checkpoint", "wavenet").stderr
    assert json.loads((tmp_path / "new.json").read_text())["startup"] == timed["startup"]
    done = shell.run(*words[:-1], tmp_path / "new.json", "-o", tmp_path / "again.json")
    assert done.exit_code == 0 and "slower" not in done.output
    (tmp_path / "old.json").write_text('{"machine": {"processor": "a", "cores": 2}, "steps": {"x": {"min_ms": 0}}}')
    assert "steps.x" in shell.refused(*words)
    (tmp_path / "old.json").write_text('{"machine": {"processor": "a", "cores": 2}}')
    assert "times nothing that was timed now" in shell.run(*words).stderr
