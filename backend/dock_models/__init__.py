"""Learned models of dock doors, found by name: `two-rows`, or `two-rows@` and the first 8 digits of its SHA-256.

A file is `NAME.json` or `NAME@HASH.json`, here in the package or in a folder that was added: the backend adds
`models/dock` under its `state_dir`. What is named without a hash is the file of that plain name.
"""

import logging
from functools import lru_cache
from pathlib import Path

from models.dock.learned import PassModel, decode_model
from models.errors import Refused

log = logging.getLogger(__name__)
PACKAGED = Path(__file__).parent
_folders: list[Path] = [PACKAGED]


def add_folder(folder: Path) -> None:
    """Look there too, after the package."""
    if folder not in _folders:
        _folders.append(folder)
        find.cache_clear()
        known.cache_clear()


@lru_cache(maxsize=64)
def find(name: str) -> PassModel:
    """The model of a name. Raises Refused naming the models that there are, or what is wrong with its file."""
    held = _files()
    plain, _, _ = name.partition("@")
    for file in [held[each] for each in (name, plain) if each in held]:
        model = _load(file)
        if name in (plain, model.name):
            return model
    raise Refused(f"one of the models {', '.join(names()) or '(there is none)'} expected, got {name!r}")


def names() -> list[str]:
    """Every model that can be read, with its hash."""
    found: set[str] = set()
    for file in _files().values():
        try:
            found.add(_load(file).name)
        except Refused as error:
            log.warning("%s", error)
    return sorted(found)


@lru_cache(maxsize=64)
def known(name: str | None) -> PassModel | None:
    """The model of a name that was declared; None, and the rule decides, if its file is gone. Logged once."""
    try:
        return None if name is None else find(name)
    except Refused as error:
        log.error("door.model: %s; the rule decides instead", error)  # noqa: TRY400 - what is wrong is in its words
        return None


def _files() -> dict[str, Path]:
    """Files by the name they are asked for; the package comes first."""
    held: dict[str, Path] = {}
    for folder in _folders:
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            held.setdefault(file.stem, file)
    return held


def _load(file: Path) -> PassModel:
    try:
        return decode_model(file.read_bytes())
    except OSError as error:
        raise Refused(f"{file.name}: cannot be read: {error.strerror}") from error
    except Refused as error:
        raise Refused(f"{file.name}: {error}") from error
