"""`stockyard verify` on a book that was sealed and pruned: it is whole, and a damage is named as on any other."""

import shutil
from pathlib import Path
from threading import Event

import pytest

from backend.book import schema
from backend.keeping.sealed_days import Sealer
from backend.verify import CHECKS
from tests.backend.books import DAY, Clock, Yard, open_quick
from tests.backend.sealed_damages import SEALED
from tests.backend.stories import MIDNIGHT
from tests.backend.test_verify import INTEGRITY, OK, PUMP, a_pass, damaged, harm_by, run, verify

__all__ = ["run"]


@pytest.fixture(scope="module")
def sealed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, sealed and pruned a month later, with a pass that came since and a reading that came too late."""
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copy(run / "book.db", folder / "book.db")
    yard = Yard(open_quick(folder / "book.db"), Clock(MIDNIGHT + 40 * DAY))
    yard.settle()
    assert Sealer(yard.book, yard.clock, 30).all(Event()) == 1
    for at in (yard.clock.now, MIDNIGHT):
        yard.send(a_pass("door-1", PUMP, at), "F" * 12)
    yard.settle()
    assert len(yard.rows(schema.too_late)) == len(a_pass("door-1", PUMP, 0))
    yard.book.dispose()
    return folder


def test_a_pruned_book_is_whole(sealed: Path) -> None:
    status, found = verify(sealed)
    assert (status, found) == (OK, dict.fromkeys(CHECKS, True))


@pytest.mark.parametrize(("invariant", "sql"), SEALED)
def test_a_damage_of_a_pruned_book_is_named(invariant: str, sql: str, sealed: Path, tmp_path: Path) -> None:
    status, found = damaged(sealed, tmp_path, harm_by(sql))
    assert status == INTEGRITY
    assert not found[invariant]
