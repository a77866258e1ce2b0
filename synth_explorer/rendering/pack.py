"""A patch and its notes in one file, which opens where the notes are not: a ZIP of `patch.json` and `sources/`."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from synth_explorer.errors import AudioError, SpecError
from synth_explorer.files import UNREADABLE, atomic_path, cache_folder, is_file, read_text
from synth_explorer.rendering.patch import Patch
from synth_explorer.rendering.sources import Source, content_hash

PATCH_NAME, SOURCES_FOLDER = "patch.json", "sources"
LARGEST_PATCH_BYTES, LARGEST_SOURCE_BYTES = 2**24, 2**30
SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


def pack(patch: Patch, path: str | os.PathLike[str]) -> Path:
    """Write a patch with its notes into one file, whole or not at all.

    Raises AudioError: a note is not where it was; SpecError: the file cannot be written.
    """
    found = {source.sha256: source.locate() for source in patch.sources}
    kept = tuple(source.model_copy(update={"origin": "kept", "path": ""}) for source in patch.sources)
    try:
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(_member(PATCH_NAME), patch.but(sources=kept).to_json())
            for digest, note in found.items():
                suffix = note.suffix.lower()
                name = f"{SOURCES_FOLDER}/{digest}{suffix if SUFFIX.fullmatch(suffix) else ''}"
                file.writestr(_member(name), note.read_bytes())
    except OSError as error:
        raise SpecError(f"{path} cannot be written: {error.strerror or error}.") from error
    return Path(path)


def _member(name: str) -> zipfile.ZipInfo:
    """What is packed under a name: always of the same time, so that equal patches are equal files."""
    member = zipfile.ZipInfo(name)
    member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return member


def load_patch(path: str | os.PathLike[str]) -> Patch:
    """Read a patch, alone (JSON) or with its notes. Notes that are not where they were are sought beside the patch.

    The notes of a packed patch are unpacked into the user's cache folder.

    Raises SpecError: not a patch, damaged, or of a newer version; the message names the file.
    """
    path = Path(path)
    try:
        if is_file(path) and zipfile.is_zipfile(path):  # a device has no end
            return _unpacked(path)
        patch = Patch.from_json(read_text(path))
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error
    except UNREADABLE as error:
        raise SpecError(f"{path} cannot be read as a patch: {error}.") from error
    return patch.but(sources=tuple(_beside(source, path.parent) for source in patch.sources))


def _beside(source: Source, folder: Path) -> Source:
    """A source whose file moved together with the patch."""
    near = folder / Path(source.path).name
    if not source.path or is_file(source.path) or not is_file(near) or content_hash(near) != source.sha256:
        return source
    return source.model_copy(update={"path": str(near.absolute())})


def _unpacked(path: Path) -> Patch:
    """The patch in a packed file, its notes kept in the cache folder."""
    with zipfile.ZipFile(path) as file:
        members = {Path(item.filename).stem: item for item in file.infolist() if "/" in item.filename}
        if file.getinfo(PATCH_NAME).file_size > LARGEST_PATCH_BYTES:
            raise SpecError(f"its {PATCH_NAME} is larger than any patch.")
        patch = Patch.from_json(file.read(PATCH_NAME))
        return patch.but(sources=tuple(_kept(file, members.get(one.sha256), one) for one in patch.sources))


def _kept(file: zipfile.ZipFile, member: zipfile.ZipInfo | None, source: Source) -> Source:
    """A note of a packed file, written into the cache folder under the name of its content unless it is there."""
    if member is None or member.file_size > LARGEST_SOURCE_BYTES:
        raise SpecError(f"the note {source.name!r} is not in it, or too large.")
    suffix = Path(member.filename).suffix
    target = cache_folder() / SOURCES_FOLDER / f"{source.sha256}{suffix if SUFFIX.fullmatch(suffix) else ''}"
    if not target.is_file() or content_hash(target) != source.sha256:
        with atomic_path(target) as temporary:
            with file.open(member) as packed, temporary.open("wb") as written:
                shutil.copyfileobj(packed, written)
            if hashlib.sha256(temporary.read_bytes()).hexdigest() != source.sha256:
                raise AudioError(f"the note {source.name!r} in it is damaged.")
    return source.model_copy(update={"path": str(target)})
