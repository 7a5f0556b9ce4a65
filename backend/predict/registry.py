"""Models on disk: state_dir/models/gearbox/failure/<version>/{model.skops, card.json}, and `current` that names one.

What serves is in memory. A model that must not be used is refused and the one that served goes on; at the start, the
newest of the others that may be used.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.predict import card as cards
from models.predict.card import MODEL, MOST_BYTES, MOST_MODEL_BYTES, Card, ModelRefused

if TYPE_CHECKING:
    from models.predict.registry import Model

MODEL_FILE, CARD_FILE, CURRENT = "model.skops", "card.json", "current"
T = TypeVar("T")
VERSION = re.compile(r"[0-9a-f]{12}")
DEMO = Path(__file__).parent / "demo_model"
"""The model of the demo: of a simulated fleet, and of no use for real machines."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves now, and why something else does not."""

    model: "Model | None"
    refused: str | None = None
    """Which version was refused, and why; None if the current one serves, or there is none."""


class Registry:
    """The models of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "models" / MODEL
        self._seen: object = None
        self._serving = Serving(None)

    def serving(self) -> Serving:
        """What serves; looks at the folder again if something in it changed."""
        seen = self._look()
        if seen != self._seen:
            self._serving, self._seen = self._choose(), seen
        return self._serving

    def cards(self) -> list[Card]:
        """The cards that can be read, by version."""
        found = [_or_none(partial(self._card, version)) for version in self._versions()]
        return [card for card in found if card is not None]

    def current(self) -> str | None:
        """The version that `current` names. Raises ModelRefused if that is none: it may not lead out of the folder."""
        try:
            text = _read(self.folder / CURRENT, 64).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        if not VERSION.fullmatch(text):
            raise ModelRefused(f"model {MODEL}: current: a version (12 hexadecimal digits) expected, got {text[:40]!r}")
        return text

    def save(self, file: bytes, card: Card) -> Path:
        """Keep a model and make it the current one."""
        target = self.folder / card.version
        write(target, file, card)
        _write(self.folder / CURRENT, f"{card.version}\n".encode())
        return target

    def _choose(self) -> Serving:
        try:
            version = self.current()
            return Serving(None if version is None else self._open(version))
        except (ModelRefused, OSError) as error:
            refused = str(error)
        if self._serving.model is not None:
            return Serving(self._serving.model, refused)
        others = (_or_none(partial(self._open, version)) for version in self._newest())
        return Serving(next((model for model in others if model is not None), None), refused)

    def _open(self, version: str) -> "Model":
        folder = self.folder / version
        try:
            from models.predict.registry import libraries, open_model  # noqa: PLC0415 - needs the extra `ml`

            text, file = _read(folder / CARD_FILE, MOST_BYTES), _read(folder / MODEL_FILE, MOST_MODEL_BYTES)
            model = open_model(text, file, libraries())
        except (ModelRefused, OSError, ImportError) as error:
            raise ModelRefused(f"model {MODEL} {version}: {error}") from error
        if model.card.version != version:
            raise ModelRefused(f"model {MODEL} {version}: this folder has version {model.card.version}")
        return model

    def _card(self, version: str) -> Card:
        return cards.decode(_read(self.folder / version / CARD_FILE, MOST_BYTES))

    def _versions(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if VERSION.fullmatch(path.name))

    def _newest(self) -> list[str]:
        return sorted(self._versions(), key=lambda version: (-_stamp(self.folder / version / CARD_FILE)[0], version))

    def _look(self) -> object:
        """What changes when `current` or a file of the current model does."""
        try:
            current = self.current() or ""
        except (ModelRefused, OSError) as error:
            return str(error)
        files = [self.folder / current / name for name in (CARD_FILE, MODEL_FILE)] if current else []
        return (current, *(_stamp(path) for path in files))


def write(folder: Path, file: bytes, card: Card) -> None:
    """A model's two files, each whole or not at all, on the disk when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / MODEL_FILE, file)
    _write(folder / CARD_FILE, cards.encode(card))


def install(state_dir: Path) -> Path | None:
    """Keep the demo's model as the current one, unless the directory has a model; None if it stays as it is."""
    registry = Registry(state_dir)
    if not (DEMO / CARD_FILE).exists() or (registry.folder / CURRENT).exists():
        return None
    card = cards.decode(_read(DEMO / CARD_FILE, MOST_BYTES))
    return registry.save(_read(DEMO / MODEL_FILE, MOST_MODEL_BYTES), card)


def _write(path: Path, text: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        text = file.read(most + 1)
    if len(text) > most:
        raise ModelRefused(f"{path.name}: at most {most} bytes expected")
    return text


def _stamp(path: Path) -> tuple[int, int]:
    """When it was written, and how long it is."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _or_none(make: Callable[[], T]) -> T | None:
    try:
        return make()
    except (ModelRefused, OSError):
        return None
