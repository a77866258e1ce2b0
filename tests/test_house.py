"""The house rules that a program can check: the layering of rooms, the size of files, what the papers promise."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import synth_explorer

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "synth_explorer"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE_LINES = 400
REQUIREMENTS = ("", "-cluster", "-dev", "-docs", "-formats", "-parity", "-soundfonts", "-training")

# Every room, and the rooms to its left that it may know.
BASE = {"errors", "files", "index", "lru", "marked", "package", "quiet", "runtime", "schema"}
SOUND = BASE | {"audio", "mel", "pitch", "pitch_path"}
NOTES = SOUND | {"latents", "edits", "measure", "assets"}
MODEL = BASE | {"mel", "pitch", "latents", "model"}
ENGINE = NOTES | MODEL | {"decode", "plain", "checkpoints"}
MAY_KNOW: dict[str, set[str]] = {
    "package": set(),
    "errors": set(),
    "schema": {"errors", "files"},
    "index": {"errors", "schema"},
    "marked": {"errors"},
    "lru": {"package"},
    "quiet": {"package"},
    "runtime": {"package", "quiet"},
    "files": BASE,
    "mel": BASE,
    "pitch_peaks": set(),
    "pitch": BASE | {"mel", "pitch_peaks"},
    "pitch_unrest": BASE | {"pitch"},
    "pitch_path": BASE | {"pitch", "pitch_unrest"},
    "audio": SOUND,
    "latents": BASE | {"pitch"},
    "edits": BASE | {"latents", "pitch"},
    "measure": SOUND | {"latents", "edits"},
    "assets": SOUND,
    "model": MODEL,
    "decode": MODEL | {"decode"},
    "plain": MODEL | {"decode", "plain"},
    "checkpoints": MODEL | {"edits", "checkpoints"},
    "plots": NOTES | {"plots"},
    "explorer": ENGINE,
    "closed_loop": NOTES | MODEL | {"explorer", "closed_loop"},
    "calibration": NOTES | MODEL | {"checkpoints", "explorer", "calibration"},
    "inspection": ENGINE | {"explorer", "plots", "inspection"},
    "data": NOTES | {"batch", "data"},
    "train": ENGINE | {"explorer", "data", "recordings", "library", "train"},
    "evaluation": ENGINE | {"batch", "closed_loop", "explorer"},
    "rendering": ENGINE | {"closed_loop", "explorer", "rendering"},
    "batch": ENGINE | {"explorer", "rendering", "batch"},
    "library": ENGINE | {"batch", "rendering", "library"},
    "sheet": NOTES | {"batch", "plots", "sheet"},
    "instruments": NOTES | {"batch", "rendering", "instruments"},
    "recordings": ENGINE | {"explorer", "recordings"},
    "ui": ENGINE
    | {"closed_loop", "explorer", "inspection", "instruments", "library", "plots", "recordings", "rendering", "ui"},
    "bench": ENGINE | {"closed_loop", "explorer"},
    "cli": ENGINE
    | {"bench", "calibration", "closed_loop", "explorer", "inspection"}
    | {"data", "evaluation", "plots", "train", "recordings", "rendering", "batch", "sheet", "instruments", "library"}
    | {"ui", "cli"},
    "__main__": {"cli"},
}
# The rooms of `ui`, and those of them that each may know beside its own.
UI_MAY_KNOW: dict[str, set[str]] = {
    "__init__": {"stubs"},
    "stubs": set(),
    "colours": set(),
    "request": set(),
    "session": {"colours", "request"},
    "answers": {"colours", "request", "session"},
    "widgets": {"request"},
    "routes": {"colours", "request", "session"},
    "api": {"request", "session"},
    "page": {"api", "colours", "request", "session", "answers", "widgets", "routes"},
}
# Libraries that only these rooms may import.
ONLY_IN: dict[str, set[str]] = {
    "gradio": {"ui"},
    "soundfile": {"audio"},
    "av": {"audio"},
    "typer": {"cli"},
    "tensorflow": {"bench", "runtime", "model", "decode", "checkpoints", "train", "explorer"},
    "keras": {"quiet", "runtime", "model", "decode", "checkpoints", "train", "explorer"},
    "jax": {"runtime", "decode", "train"},
    "fluidsynth": {"data"},
    "pydantic": {"schema", "rendering", "batch", "ui/request/wanted.py"},
    "ray": {"batch/ray_executor.py"},
    "sklearn": {"calibration", "library", "train"},
}


def name_of(path: Path) -> str:
    """A file of the package in words."""
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    """The room that a file belongs to: its top folder or module."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "package" if parts == ("__init__",) else parts[0]


@cache
def tree_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, the file itself first, but for what is imported for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    return tuple(ast.walk(tree))


@cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, lazily or not, except for type checkers."""
    names: set[str] = set()
    for node in tree_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: write imports in full"
            module = node.module or ""
            whole = module in ("synth_explorer", "synth_explorer.ui")
            names |= {f"{module}.{alias.name}" for alias in node.names} if whole else {module}
    return names


def rooms(path: Path) -> set[str]:
    """The rooms of this package that a file imports from, but for its own."""
    own = {name.split(".")[1] for name in imports(path) if name.startswith("synth_explorer.")}
    return {"package" if name.startswith("__") else name for name in own} - {room_of(path)}


def test_rooms_know_only_rooms_to_their_left() -> None:
    assert {room_of(path) for path in FILES} <= set(MAY_KNOW), "say in MAY_KNOW what the new room may know"
    unknown = {name_of(path): rooms(path) - MAY_KNOW[room_of(path)] for path in FILES}
    assert {name: found for name, found in unknown.items() if found} == {}


def test_rooms_of_the_page_know_only_rooms_beneath_them() -> None:
    for path in PACKAGE.glob("ui/**/*.py"):
        room = path.relative_to(PACKAGE / "ui").with_suffix("").parts[0]
        found = {name.split(".")[2] for name in imports(path) if name.startswith("synth_explorer.ui.")} - {room}
        assert room in UI_MAY_KNOW, f"say in UI_MAY_KNOW what {room} may know"
        assert found <= UI_MAY_KNOW[room], f"{name_of(path)} imports from {found - UI_MAY_KNOW[room]}"


def test_libraries_stay_in_their_rooms() -> None:
    for path in FILES:
        for library in {name.split(".")[0] for name in imports(path)} & set(ONLY_IN):
            assert {room_of(path), name_of(path)} & ONLY_IN[library], f"{name_of(path)} imports {library}"


def uses(path: Path) -> set[Path]:
    """The files of the package that a file imports, lazily or not, except for type checkers."""
    named: set[str] = set()
    for node in tree_of(path):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {
                inside if file_of(inside := f"{node.module}.{alias.name}") else node.module for alias in node.names
            }
    return {file for name in named if (file := file_of(name)) is not None} - {path}


def file_of(module: str) -> Path | None:
    """The file of a module of the package; None for what is none."""
    place = REPOSITORY.joinpath(*module.split("."))
    found = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    return found[0] if found and module.split(".")[0] == PACKAGE.name else None


def test_no_files_import_each_other_in_a_circle() -> None:
    left = {path: uses(path) for path in FILES}
    while ends := {path for path, used in left.items() if not used & left.keys()}:  # what no circle goes through
        left = {path: used for path, used in left.items() if path not in ends}
    inside = {name_of(path): sorted(map(name_of, used & left.keys())) for path, used in left.items()}
    assert not inside, f"a circle lies among these: {inside}"


def test_the_package_knows_no_tests() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "tests" not in {name.split(".")[0] for name in imports(path)}, f"{name_of(path)} imports tests"
        assert not re.search(r"""["']tests["']|["']tests/""", text), f"{name_of(path)} reads the folder of the tests"


def test_files_hold_one_noun() -> None:
    for path in FILES:
        text, (tree, *_) = path.read_text(encoding="utf-8"), tree_of(path)
        assert isinstance(tree, ast.Module)
        assert len(text.splitlines()) <= LONGEST_FILE_LINES, f"{name_of(path)} is too long"
        assert ast.get_docstring(tree), f"{name_of(path)} does not say what it is"
        assert len(tree.body) == 1 or "from __future__ import annotations" in text, name_of(path)


def test_decoders_are_named_in_one_place() -> None:
    """Whoever wants to know something of a decoder asks it, not its name."""
    from synth_explorer.explorer.decoders import KNOWN

    names = {one.name for one in KNOWN}
    for path in FILES:
        for node in tree_of(path):
            if isinstance(node, ast.Compare) or (isinstance(node, ast.keyword) and node.arg == "decoder"):
                told = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                assert not told & names, f"{name_of(path)}:{node.lineno} compares with, or passes, a decoder's name"


def test_requirements_name_what_is_imported() -> None:
    distributions = {"yaml": "pyyaml", "sklearn": "scikit-learn", "fluidsynth": "pyfluidsynth", "PIL": "pillow"}
    distributions["llvmlite"] = "numba"  # which brings the one that it needs
    promised = {name for kind in REQUIREMENTS for name in requirements(f"requirements{kind}.txt")}
    promised |= {"tensorflow", "synth_explorer"} | {"pysfizz", "pillow", "magenta"}
    used = {name.split(".")[0] for path in FILES for name in imports(path)} - set(sys.stdlib_module_names)
    assert {distributions.get(name, name) for name in used} <= promised


def requirements(name: str) -> set[str]:
    """The distributions that a requirements file names."""
    lines = (line.split("#")[0].strip() for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines())
    return {re.match(r"[A-Za-z0-9_.-]+", line)[0].lower() for line in lines if line}


@pytest.mark.parametrize("kind", [*REQUIREMENTS, "-gpu"])
def test_requirements_are_bounded(kind: str) -> None:
    name = f"requirements{kind}.txt"
    for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].split(";")[0].strip()
        assert not text or (">=" in text and "<" in text), f"{name}: {text} has no range"


def test_constraints_are_within_the_ranges() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    for kind in REQUIREMENTS:
        for line in (REPOSITORY / f"requirements{kind}.txt").read_text(encoding="utf-8").splitlines():
            if text := line.split("#")[0].strip():
                asked = Requirement(text)
                version = pinned[asked.name.lower()]
                assert asked.specifier.contains(version), f"{text}, and constraints.txt has {version}: make constraints"


def test_one_version() -> None:
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == synth_explorer.__version__
    assert cited["license"] == tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["license"]


def test_every_extra_has_its_file() -> None:
    tools = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    extras = tools["setuptools"]["dynamic"]["optional-dependencies"]
    together = set(extras.pop("all")["file"])
    assert together == {f"requirements-{name}.txt" for name in ("cluster", "formats", "soundfonts", "training")}
    assert set(extras) == {"cluster", "dev", "docs", "formats", "gpu", "parity", "soundfonts", "training"}
    for extra, given in extras.items():
        files = [given["file"]] if isinstance(given["file"], str) else given["file"]
        assert f"requirements-{extra}.txt" in files and all(requirements(file) for file in files)


def test_entry_point_exists() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, function = project["scripts"]["synth-explorer"].split(":")
    assert callable(getattr(import_module(module), function))


PAPERS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def test_papers_tell_the_truth() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z-]+)", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert named and set(named) <= targets
    for path in PAPERS:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name} links to {link}"


def test_the_tree_is_there() -> None:
    papers = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = papers.split("## The tree")[1].split("```")[1]
    there = {above for path in tracked() for above in (path, *path.parents)}
    for name in re.findall(r"^ {2}(\S+/?) {2,}", tree, re.MULTILINE):
        assert any(path.match(f"**/{name.rstrip('/')}") for path in there), f"the tree names {name}"


def test_shell_lines_of_the_papers_parse() -> None:
    """Every `synth-explorer` line of the papers is a command with options that exist."""
    from typer.main import get_command

    from synth_explorer.cli import app

    shell = get_command(app)
    for path in PAPERS:
        for line in re.findall(r"^synth-explorer (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            command, words = shell, shlex.split(line, comments=True)
            while hasattr(command, "commands"):
                command = command.commands[words.pop(0)]
            options = {o for parameter in command.params for o in (*parameter.opts, *parameter.secondary_opts)}
            assert {word for word in words if re.match(r"-+[a-z]", word)} <= options, line


@cache
def tracked() -> list[Path]:
    """The files under version control; every file when there is no git here."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here")
    return [path for path in (REPOSITORY / name for name in listed.stdout.split("\0") if name) if path.is_file()]


def test_tracked_files_are_portable() -> None:
    home = re.compile(r"(?<![\w./-])/(?:home|root|Users|work)/\w+")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".sh"} or path.name == "Makefile":
            found = home.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.relative_to(REPOSITORY)} names {found[0]}"


def test_tracked_files_are_small() -> None:
    for path in tracked():
        assert path.stat().st_size < 30e6, f"{path.relative_to(REPOSITORY)} is too large for git"
