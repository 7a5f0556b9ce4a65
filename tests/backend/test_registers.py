"""The register is loaded once for all workers of a process, and anew when an entry was added."""

from pathlib import Path

from backend.book import register
from backend.book.db import read, write
from backend.registers import Registers
from models.declared import Location
from tests.backend.books import Template, Yard


def test_workers_share_what_was_loaded(yard: Yard) -> None:
    with read(yard.book) as tx:
        held = Registers().current(tx)
        assert Registers().current(tx) is held
    with write(yard.book) as tx:
        register.put(tx, "locations", "bay", Location("Bay"), valid_from=0, actor="test", now=1)
    with read(yard.book) as tx:
        anew = Registers().current(tx)
        assert anew is not held
        assert anew.get("locations", "bay", 1) == Location("Bay")
        assert held.get("locations", "bay", 1) is None


def test_what_is_rolled_back_is_kept_by_nobody(yard: Yard) -> None:
    with read(yard.book) as tx:
        held = Registers().current(tx)
    connection = yard.book.connect()
    with connection.begin() as transaction:
        register.put(connection, "locations", "bay", Location("Bay"), valid_from=0, actor="test", now=1)
        transaction.rollback()
    connection.close()
    with read(yard.book) as tx:
        assert Registers().current(tx) is held


def test_each_book_has_its_own(yard: Yard, template: Template, tmp_path: Path) -> None:
    other = Yard.copy(template, tmp_path / "other.db", yard.clock.now)
    with read(yard.book) as tx, read(other.book) as beside:
        assert Registers().current(tx) is not Registers().current(beside)
    other.book.dispose()
