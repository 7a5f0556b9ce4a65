"""What a backup is: a folder, or a tar of one, with the book, the models and a manifest that vouches for each file."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec
from msgspec import Struct

from models.reading import Time

MANIFEST = "manifest.json"
FORMAT: Literal[1] = 1
CHUNK = 1 << 20
Tell = Callable[[str, int, int], None]
"""(what, done, total)."""


class BadBackup(Exception):
    """The backup is not whole, or not what it says it is."""


class File(Struct, frozen=True):
    """One file of a backup, its name relative to the folder."""

    name: str
    bytes: int
    sha256: str


class Mark(Struct, frozen=True):
    """How far a stream was committed."""

    gateway: str
    epoch: str
    mark: int


class Manifest(Struct, frozen=True):
    """What a backup holds."""

    format: Literal[1]
    made_at: Time
    version: str
    book: Literal["sqlite", "postgresql"]
    file: str
    """The book's."""
    revision: str
    readings: int
    ledger: int
    """The last entry's number,"""
    ledger_hash: str
    """and its hash, which vouches for all entries."""
    marks: list[Mark]
    files: list[File]


def sealed(folder: Path, tell: Tell) -> list[File]:
    """Every file of a backup with its hash."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST)
    total = sum(file.stat().st_size for file in files)
    done = 0
    found: list[File] = []
    for file in files:
        size, digest = 0, hashlib.sha256()
        for chunk in _chunks(file):
            digest.update(chunk)
            size += len(chunk)
            tell("checksums", done + size, total)
        done += size
        found.append(File(file.relative_to(folder).as_posix(), size, digest.hexdigest()))
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last file of a backup: without it there is none."""
    with (folder / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Raises BadBackup."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{folder}: no backup: {error}"
        raise BadBackup(msg) from error


def check(folder: Path, manifest: Manifest, tell: Tell) -> None:
    """Every file is there as it was written, and no other. Raises BadBackup naming the first that is not."""
    there, named = {each.name: each for each in sealed(folder, tell)}, {each.name: each for each in manifest.files}
    for name in sorted({*there, *named}):
        if name not in there:
            problem = "is missing"
        elif name not in named:
            problem = "is not of this backup"
        elif there[name] != named[name]:
            problem = f"has the SHA-256 {there[name].sha256[:16]}..., {named[name].sha256[:16]}... expected"
        else:
            continue
        msg = f"{folder / name} {problem}: the backup cannot be trusted"
        raise BadBackup(msg)


@contextmanager
def opened(path: Path, beside: Path) -> Generator[Path]:
    """The folder of a backup; a tar is unpacked in a temporary folder below `beside`. Raises BadBackup."""
    if path.is_dir():
        yield path
        return
    if path.name == MANIFEST:
        yield path.parent
        return
    with TemporaryDirectory(dir=beside, prefix=".unpacked-") as folder:
        try:
            with tarfile.open(path) as tar:
                tar.extractall(folder, filter="data")
        except tarfile.TarError as error:
            msg = f"{path}: neither the folder of a backup nor a tar of one: {error}"
            raise BadBackup(msg) from error
        yield Path(folder)


def pack(folder: Path, target: Path) -> None:
    """A tar of a folder, whole or not at all."""
    part = target.with_name(f"{target.name}.partial")
    try:
        with part.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                for each in sorted(folder.rglob("*")):
                    tar.add(each, each.relative_to(folder).as_posix(), recursive=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """What was renamed in a folder survives a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened_file:
        while chunk := opened_file.read(CHUNK):
            yield chunk
