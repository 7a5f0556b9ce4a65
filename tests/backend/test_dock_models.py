"""Models of doors by name: packaged, added, pinned by their hash, and what is said of one that is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import dock_models
from backend.app import open_book
from backend.config import Backend, Config
from models.dock.learned import PassModel
from models.errors import Refused

SHIPPED = (dock_models.PACKAGED / "two-rows.json").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is looked in beside the package, for the length of one test."""
    monkeypatch.setattr(dock_models, "_folders", [dock_models.PACKAGED])
    (tmp_path / "models" / "dock").mkdir(parents=True)
    open_book(Config(backend=Backend(state_dir=str(tmp_path)))).dispose()
    yield tmp_path / "models" / "dock"
    dock_models.find.cache_clear()
    dock_models.known.cache_clear()


@pytest.mark.usefixtures("folder")
def test_the_shipped_model_is_found_with_and_without_its_hash() -> None:
    model = dock_models.find("two-rows")
    assert isinstance(model, PassModel)
    name, _, digits = model.name.partition("@")
    assert (name, len(digits)) == ("two-rows", 8)
    assert dock_models.find(model.name) == model
    assert dock_models.names() == [model.name]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["three-rows", "two-rows@00000000", "two-rows@", "../two-rows", ""])
def test_another_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(Refused, match=r"^one of the models two-rows@[0-9a-f]{8} expected, got "):
        dock_models.find(name)


def test_a_model_beside_the_book_is_found_by_the_name_of_its_file(folder: Path) -> None:
    (folder / "mine.json").write_bytes(SHIPPED)
    shipped = dock_models.find("two-rows")
    assert dock_models.find("mine") == shipped
    (folder / f"{shipped.name}.json").write_bytes(SHIPPED)
    assert dock_models.find(shipped.name) == shipped


def test_a_file_that_is_no_model_is_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "broken.json").write_bytes(b"{")
    with pytest.raises(Refused, match=r"^broken\.json: "):
        dock_models.find("broken")
    with pytest.raises(Refused, match="one of the models two-rows@"):
        dock_models.find("other")
    assert "broken.json: " in caplog.text
    assert dock_models.known("broken") is None
    assert dock_models.known("broken") is None
    assert caplog.text.count("the rule decides instead") == 1


def test_a_door_without_a_model_has_none() -> None:
    assert dock_models.known(None) is None
