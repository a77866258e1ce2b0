"""Checkpoints of TensorFlow 1, made here without magenta: found under every name, imported whole, or refused."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from synth_explorer import checkpoints
from synth_explorer.checkpoints.nsynth import AVERAGE
from synth_explorer.errors import CheckpointError
from synth_explorer.model.nsynth_config import NSynthConfig

CONFIG = NSynthConfig(channels=3, encoder_layers=3, encoder_width=4, layers=2, width=6, skip_width=5)
PREFIX = "model.ckpt-1234"
SHARD = f"{PREFIX}.data-00000-of-00001"
Variables = dict[str, np.ndarray]


def network(seed: int = 0) -> Variables:
    """Random variables by magenta's names, with averages, an optimizer's slots and the step."""
    rng = np.random.default_rng(seed)
    found: Variables = {"global_step": np.array(1234, np.int32), "beta1_power": np.array(0.5, np.float32)}
    for layer, shape in CONFIG.kernels().items():
        for name, size in ((f"{layer}/W", (1, *shape)), (f"{layer}/biases", shape[-1:])):
            for suffix in ("", AVERAGE, "/Adam"):
                found[name + suffix] = rng.standard_normal(size).astype(np.float32)
    return found


def write(prefix: Path, variables: Variables) -> Path:
    """Save variables as a TensorFlow 1 Saver does."""
    import tensorflow as tf

    prefix.parent.mkdir(parents=True, exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=[tf.constant(values) for values in variables.values()],
    )
    prefix.with_name(prefix.name + ".meta").write_bytes(b"a graph")
    return prefix


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of a good checkpoint."""
    return write(tmp_path_factory.mktemp("tf1") / PREFIX, network())


@pytest.fixture
def prefix(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(original.parent, tmp_path / "tf1")
    return tmp_path / "tf1" / PREFIX


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A function that imports through the shell, expects one clear line and nothing left behind; the line."""
    temporary, into = tmp_path / "temporary", tmp_path / "into"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def run(source: Path, *options: str) -> str:
        result = import_(source, into, *options)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
        assert "--debug" not in result.stderr
        assert not into.exists() and not list(temporary.iterdir())
        return result.stderr

    return run


def import_(source: Path, into: Path, *options: str):
    """`checkpoint import-nsynth`, in this process."""
    from synth_explorer.cli import app

    name = () if "--name" in options else ("--name", "mine")
    words = ["checkpoint", "import-nsynth", str(source), "--into", str(into), *name, *options]
    return CliRunner().invoke(app, words)


def weights(folder: Path) -> dict[str, np.ndarray]:
    """What a checkpoint of ours holds, by magenta's names."""
    found = {}
    for weight in checkpoints.load_model(checkpoints.verify(folder)).weights:
        layer, kind = weight.path.split("/")[-2:]
        found[f"{layer}/{'W' if kind == 'kernel' else 'biases'}"] = np.asarray(weight)
    return found


def pack(path: Path, folder: Path, *, inside: str = "wavenet-ckpt/", mode: str = "w") -> Path:
    """A tar of a folder's files."""
    with tarfile.open(path, mode) as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, inside + file.name)
    return path


NAMES: dict[str, Callable[[Path], Path]] = {
    "prefix": lambda prefix: prefix,
    "index": lambda prefix: prefix.with_name(f"{PREFIX}.index"),
    "meta": lambda prefix: prefix.with_name(f"{PREFIX}.meta"),
    "shard": lambda prefix: prefix.with_name(SHARD),
    "folder": lambda prefix: prefix.parent,
    "folder above": lambda prefix: prefix.parent.parent,
    "tar": lambda prefix: pack(prefix.parents[1] / "wavenet-ckpt.tar", prefix.parent),
    "tar without folders": lambda prefix: pack(prefix.parents[1] / "c.tar", prefix.parent, inside="./"),
    "compressed tar": lambda prefix: pack(prefix.parents[1] / "c.tgz", prefix.parent, mode="w:gz"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_every_name_of_a_checkpoint(prefix: Path, tmp_path: Path, kind: str) -> None:
    found = checkpoints.import_nsynth(NAMES[kind](prefix), name="mine", into=tmp_path / "into")
    assert (found.source, found.step, found.averaged) == (PREFIX, 1234, False)
    assert NSynthConfig(**found.info.config) == CONFIG
    variables = network()
    for name, values in weights(found.info.path).items():
        np.testing.assert_array_equal(values.reshape(variables[name].shape), variables[name])


def test_what_is_said_and_shown(prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = import_(prefix, tmp_path / "into", "--averaged")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'into' / 'mine'}\n"
    assert "averaged weights of step 1234" in result.stderr and "2 decoder layers of 6" in result.stderr
    expected = network()
    for name, values in weights(tmp_path / "into" / "mine").items():
        np.testing.assert_array_equal(values.ravel(), expected[name + AVERAGE].ravel())
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, str(tmp_path / "into"))
    assert {"mine", "default"} <= {info.name for info in checkpoints.list_checkpoints()}
    assert "averaged" in checkpoints.show("mine")


def test_the_first_folder_of_the_variable(prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    assert checkpoints.import_nsynth(prefix, name="mine").info.path == tmp_path / "first" / "mine"


@pytest.mark.parametrize("state", ["names it", "names another machine's", "missing", "useless"])
def test_the_last_of_a_trainers_checkpoints(prefix: Path, tmp_path: Path, state: str) -> None:
    write(prefix.with_name("model.ckpt-99"), network(1))
    contents = {
        "names it": f'model_checkpoint_path: "{PREFIX}"\nall_model_checkpoint_paths: "model.ckpt-99"\n',
        "names another machine's": f'model_checkpoint_path: "/tmp/nsynth/{PREFIX}"\n',
        "useless": "\0\xff",
    }
    if state in contents:
        (prefix.parent / "checkpoint").write_text(contents[state], encoding="latin-1")
    assert checkpoints.import_nsynth(prefix.parent, name="mine", into=tmp_path / "into").source == PREFIX


def test_the_checkpoint_file_may_name_an_older_one(prefix: Path, tmp_path: Path) -> None:
    write(prefix.with_name("model.ckpt-99"), network(1))
    (prefix.parent / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-99"\n')
    tar = pack(tmp_path / "two.tar", prefix.parent)
    for source in (prefix.parent, prefix.parent / "checkpoint", tar):
        assert checkpoints.import_nsynth(source, name="mine", into=tmp_path, force=True).source == "model.ckpt-99"


def cut(prefix: Path, name: str, keep: float) -> Path:
    path = prefix.with_name(name)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    return prefix


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("name", [f"{PREFIX}.index", SHARD])
def test_truncated_files(prefix: Path, refused: Callable[..., str], name: str, keep: float) -> None:
    assert PREFIX in refused(cut(prefix, name, keep))


@pytest.mark.parametrize("name", [f"{PREFIX}.index", SHARD])
def test_overwritten_files(prefix: Path, refused: Callable[..., str], name: str) -> None:
    content = bytearray(prefix.with_name(name).read_bytes())
    content[len(content) // 3 : len(content) // 2] = b"\x07" * (len(content) // 2 - len(content) // 3)
    prefix.with_name(name).write_bytes(content)
    assert PREFIX in refused(prefix)


def test_missing_parts(prefix: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    prefix.with_name(SHARD).rename(prefix.with_name(f"{PREFIX}.data-00001-of-00002"))
    assert f"{PREFIX}.data-00000-of-00002" in refused(prefix)
    prefix.with_name(f"{PREFIX}.data-00001-of-00002").unlink()
    assert SHARD in refused(prefix)
    assert SHARD in refused(pack(tmp_path / "half.tar", prefix.parent))
    prefix.with_name(f"{PREFIX}.index").unlink()
    assert f"{PREFIX}.index" in refused(prefix.with_name(f"{PREFIX}.meta"))
    assert "holds no TensorFlow checkpoint" in refused(prefix.parent)
    assert "There is no checkpoint" in refused(prefix)


def renamed(variables: Variables, old: str, new: str) -> Variables:
    return {name.replace(old, new): values for name, values in variables.items()}


def reshaped(name: str, shape: tuple[int, ...]) -> Callable[[Variables], Variables]:
    return lambda variables: variables | {name: np.ones(shape, np.float32)}


OTHERS: dict[str, tuple[Callable[[Variables], Variables], str]] = {
    "renamed layer": (lambda v: renamed(v, "res_2/W", "residual_2/W"), "no variable"),
    "renamed kernels": (lambda v: renamed(v, "/W", "/kernel"), "no variable startconv/W"),
    "in a scope": (lambda v: {f"model/{name}": values for name, values in v.items()}, "of another model"),
    "missing layer": (lambda v: {n: x for n, x in v.items() if not n.startswith("dilatedconv_1/")}, "dilatedconv_1/W"),
    "missing bias": (lambda v: {n: x for n, x in v.items() if n != "logits/biases"}, "logits/biases"),
    "one layer more": (lambda v: v | {"res_3/W": v["res_2/W"]}, "res_3/W"),
    "wider skip": (reshaped("skip_1/W", (1, 1, 6, 7)), "skip_1/W has shape [1, 1, 6, 7]; it must be [1, 1, 6, 5]"),
    "wider start": (reshaped("startconv/W", (1, 3, 1, 4096)), "width: should be less than or equal to 2048"),
    "flat kernel": (reshaped("startconv/W", (18,)), "startconv/W has shape [18]"),
    "fewer levels": (reshaped("logits/W", (1, 1, 5, 128)), "128 levels"),
    "double precision": (lambda v: v | {"out1/W": v["out1/W"].astype(np.float64)}, "float64"),
    "not a number": (lambda v: v | {"out1/biases": v["out1/biases"] * np.float32("nan")}, "not finite"),
    "another model": (lambda v: {"conv1/kernel": np.ones((3, 3), np.float32)}, "of another model"),
    "averages alone": (lambda v: {n: x for n, x in v.items() if n.endswith(AVERAGE)}, "--averaged"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_networks(tmp_path: Path, refused: Callable[..., str], kind: str) -> None:
    change, message = OTHERS[kind]
    assert message in refused(write(tmp_path / "other" / "model.ckpt-5", change(network())))


def test_averages_that_are_not_there(tmp_path: Path, refused: Callable[..., str]) -> None:
    plain = {name: values for name, values in network().items() if not name.endswith(AVERAGE)}
    assert "without --averaged" in refused(write(tmp_path / "plain" / "model.ckpt-5", plain), "--averaged")


def test_files_that_are_no_checkpoints(tmp_path: Path, refused: Callable[..., str]) -> None:
    text, folder = tmp_path / "notes.txt", tmp_path / "folder"
    text.write_text("these are words, not a checkpoint\n")
    folder.mkdir()
    assert "no TensorFlow checkpoint" in refused(text)
    assert "holds no TensorFlow checkpoint" in refused(folder)
    assert "nowhere" in refused(tmp_path / "nowhere")
    (folder / "model.ckpt.index").write_text("these are words" * 100)
    (folder / "model.ckpt.data-00000-of-00001").write_bytes(b"")
    assert "model.ckpt" in refused(folder)


def test_archives_that_are_refused(prefix: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    empty, words, half, outside = (tmp_path / f"{name}.tar" for name in ("empty", "words", "half", "outside"))
    tarfile.open(empty, "w").close()
    assert "holds no TensorFlow checkpoint" in refused(empty)
    words.write_text("these are words, not an archive")
    assert "words.tar" in refused(words)
    content = pack(half, prefix.parent).read_bytes()
    half.write_bytes(content[: len(content) // 2])
    assert "half.tar" in refused(half)
    for name in (f"../../{PREFIX}.index", f"/tmp/{PREFIX}.index"):
        with tarfile.open(outside, "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
        assert "points outside" in refused(outside)
    with tarfile.open(outside, "w") as tar:  # a link is no file of a checkpoint
        info = tarfile.TarInfo(f"{PREFIX}.index")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert "holds no TensorFlow checkpoint" in refused(outside)


@pytest.mark.parametrize("name", ["../mine", "a/b", "", ".", "..", ".hidden", "default", "a b", "x" * 65, "a\\b"])
def test_names_that_are_none(prefix: Path, refused: Callable[..., str], name: str) -> None:
    assert "--name" in refused(prefix, "--name", name)


def test_a_name_that_is_taken(prefix: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    first = checkpoints.import_nsynth(prefix, name="mine", into=into).info
    other = write(tmp_path / "other" / "model.ckpt-5", network(7))
    with pytest.raises(CheckpointError, match="exists already"):
        checkpoints.import_nsynth(other, name="mine", into=into)
    assert checkpoints.verify(first.path).hash == first.hash
    second = checkpoints.import_nsynth(other, name="mine", into=into, force=True).info
    assert second.hash != first.hash
    assert [path.name for path in into.iterdir()] == ["mine"]


def test_a_write_that_fails_leaves_what_was_there(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "into"
    first = checkpoints.import_nsynth(prefix, name="mine", into=into).info

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", "weights.npz")

    monkeypatch.setattr(np, "savez", full)
    result = import_(prefix, into, "--force")
    assert result.exit_code == 1 and "No space left" in result.stderr
    assert [path.name for path in into.iterdir()] == ["mine"]
    assert checkpoints.verify(first.path).hash == first.hash
