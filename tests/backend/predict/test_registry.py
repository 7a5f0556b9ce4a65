"""Models on disk: what is wrong with the current one is refused with a reason, and the one before goes on serving."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io
from msgspec.structs import replace
from sklearn.svm import SVC

from backend.predict import registry as module
from backend.predict.registry import CARD_FILE, CURRENT, MODEL_FILE, Registry, install, write
from models.predict.card import Card, encode, stamped
from tests.models.predict import fleet

Tamper = Callable[[Path], object]


def second() -> tuple[bytes, Card]:
    """Another version."""
    file, card = fleet.trained()
    return file, stamped(replace(card, seed=99))


def flip(path: Path) -> None:
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)


def carry(folder: Path, card: Card) -> None:
    """A card that says of itself what is true, in the folder of another."""
    (folder / CARD_FILE).write_bytes(encode(card))


def unlisted(folder: Path) -> None:
    rows = [[float(k)] * 15 for k in range(20)]
    (folder / MODEL_FILE).write_bytes(skops.io.dumps(SVC().fit(rows, [k % 2 for k in range(20)])))


TAMPERS: list[tuple[str, Tamper, str]] = [
    ("a bit of the model", lambda folder: flip(folder / MODEL_FILE), "the file was changed"),
    ("a bit of the card", lambda folder: flip(folder / CARD_FILE), "card: "),
    ("a truncated card", lambda folder: os.truncate(folder / CARD_FILE, 900), "card: "),
    ("no card", lambda folder: (folder / CARD_FILE).unlink(), "No such file"),
    ("no model", lambda folder: (folder / MODEL_FILE).unlink(), "No such file"),
    ("an unlisted type", unlisted, "the file was changed"),
    (
        "another library",
        lambda folder: carry(folder, replace(second()[1], libraries={"skops": "0.1"})),
        "card: libraries: ",
    ),
    (
        "other features",
        lambda folder: carry(folder, replace(second()[1], features=["rpm"])),
        "card: features: ",
    ),
    ("another's card", lambda folder: carry(folder, fleet.trained()[1]), "this folder has version"),
    ("a path", lambda folder: (folder.parent / CURRENT).write_text("../../../etc\n"), "current: a version"),
    ("an absolute path", lambda folder: (folder.parent / CURRENT).write_text("/tmp/model"), "current: a version"),  # noqa: S108
    ("what is no text", lambda folder: (folder.parent / CURRENT).write_bytes(b"\xff" * 12), "current: a version"),
    ("a version that is not there", lambda folder: (folder.parent / CURRENT).write_text("0" * 12), "No such file"),
    ("a card of the size of a disk", lambda folder: (folder / CARD_FILE).write_bytes(bytes(70_000)), "at most"),
    ("a model of that size", lambda folder: (folder / MODEL_FILE).write_bytes(bytes(2**20)), "at most"),
]


@pytest.mark.parametrize(("tamper", "why"), [each[1:] for each in TAMPERS], ids=[each[0] for each in TAMPERS])
def test_what_is_wrong_is_refused_and_the_previous_one_serves(registry: Registry, tamper: Tamper, why: str) -> None:
    first = registry.serving().model
    assert first is not None
    folder = registry.save(*second())
    tamper(folder)
    running = registry.serving()
    assert running.model is first
    assert running.refused is not None
    assert why in running.refused
    assert running.refused.startswith("model gearbox/failure")
    started = Registry(registry.folder.parents[2]).serving()
    assert started.model is not None
    is_whole = (folder.parent / CURRENT).read_bytes() != f"{folder.name}\n".encode()
    assert started.model.card.version == (folder.name if is_whole else first.card.version)
    assert started.refused == running.refused


def test_what_serves_is_told_once_and_a_good_one_takes_its_place(registry: Registry) -> None:
    first = registry.serving()
    assert registry.serving() is first
    folder = registry.save(*second())
    flip(folder / MODEL_FILE)
    assert registry.serving().refused is not None
    registry.save(*second())  # trained again: the same version, whole again
    good = registry.serving()
    assert good.refused is None
    assert good.model is not None
    assert good.model.card.version == folder.name
    (registry.folder / CURRENT).write_text(f"{fleet.trained()[1].version}\n")  # and back
    back = registry.serving()
    assert back.model is not None
    assert back.model.card.version == fleet.trained()[1].version


def test_the_newest_that_may_be_used_serves_at_the_start(registry: Registry) -> None:
    file, card = fleet.trained()
    older = stamped(replace(card, seed=7))
    write(registry.folder / older.version, file, older)
    os.utime(registry.folder / older.version / CARD_FILE, (1, 1))
    flip(registry.save(*second()) / MODEL_FILE)
    started = Registry(registry.folder.parents[2]).serving()
    assert started.model is not None
    assert started.model.card.version == card.version


def test_without_a_model_there_is_none(tmp_path: Path) -> None:
    empty = Registry(tmp_path)
    assert (empty.serving().model, empty.serving().refused, empty.cards()) == (None, None, [])


def test_without_the_libraries_it_is_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins  # noqa: PLC0415

    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "skops":
            raise ImportError("No module named 'skops'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    serving = registry.serving()
    assert serving.model is None
    assert serving.refused is not None
    assert serving.refused.endswith("No module named 'skops'")


def test_the_cards_that_can_be_read_are_told(registry: Registry) -> None:
    folder = registry.save(*second())
    assert {card.version for card in registry.cards()} == {fleet.trained()[1].version, folder.name}
    flip(folder / CARD_FILE)
    assert [card.version for card in registry.cards()] == [fleet.trained()[1].version]
    assert registry.current() == folder.name


def test_the_demo_has_a_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEMO", tmp_path / "demo")
    assert install(tmp_path) is None
    write(tmp_path / "demo", *fleet.trained())
    assert install(tmp_path) == tmp_path / "models" / "gearbox" / "failure" / fleet.trained()[1].version
    assert Registry(tmp_path).serving().model is not None
    assert install(tmp_path) is None
