"""Rows that go straight to SQLite's driver are the rows that SQLAlchemy writes, on the other path too."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from backend.book import bulk
from backend.book.db import open_engine, read, write
from backend.book.derived import save_checkpoints
from backend.book.migrations import migrate
from backend.book.schema import changed, checkpoint, journal, scan_act

READING = {
    "stream_id": 1,
    "seq": 1,
    "kind": "tag",
    "device_id": 2,
    "at": 1 << 50,
    "received_at": 3,
    "content": (1 << 63) - 1,
    "body": b"\x00{}\xff",
}
ACT: dict[str, Any] = {
    "id": "a",
    "device_id": 1,
    "subject": "",
    "device": "d",
    "at": 1,
    "closed_at": 1,
    "day": 0,
    "action": "receive",
    "ok": False,
    "text": "\u00e9\u4e2d",
    "sku": None,
    "evidence": "[]",
}


@pytest.fixture
def book(tmp_path: Path) -> Any:
    engine = open_engine("sqlite", tmp_path / "book.db")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("table", "row"), [(journal, READING), (scan_act, ACT), (changed, {"at": 1, "subject": "x"})])
def test_they_are_written_as_sqlalchemy_does(book: Any, table: Any, row: dict[str, Any]) -> None:
    unique = "seq" if table is journal else "id" if table is scan_act else "at"
    other = row | {unique: 7 if unique != "id" else "b"}
    with write(book) as tx:
        bulk.write_rows(tx, insert(table), [row])
        tx.execute(insert(table), [other])
    with read(book) as tx:
        mine, theirs = [dict(each) for each in tx.execute(select(table)).mappings()]
    for name, value in row.items():
        assert mine[name] == value
        assert type(mine[name]) is type(theirs[name])


def test_the_order_of_columns_is_the_callers(book: Any) -> None:
    with write(book) as tx:
        bulk.write_values(tx, insert(changed), ("at", "subject"), [(1, "x"), (2, "y")])
        bulk.write_values(tx, insert(changed), ("subject", "at"), [("z", 3)])
    with read(book) as tx:
        assert [(row.at, row.subject) for row in tx.execute(select(changed))] == [(1, "x"), (2, "y"), (3, "z")]


def test_a_row_over_another_takes_its_place(book: Any) -> None:
    row: dict[str, Any] = {"step": "dock", "device_id": 1, "subject": "x", "day": 5, "state": b"1"}
    with write(book) as tx:
        save_checkpoints(tx, [row, row | {"day": 6}])
        save_checkpoints(tx, [row | {"state": b"2"}])
    with read(book) as tx:
        assert {row.day: row.state for row in tx.execute(select(checkpoint))} == {5: b"2", 6: b"1"}


def test_twice_the_same_is_an_error_and_nothing_of_it_stays(book: Any) -> None:
    with pytest.raises(IntegrityError), write(book) as tx:
        bulk.write_rows(tx, insert(journal), [READING, READING | {"seq": 2}, READING])
    with read(book) as tx:
        assert tx.execute(select(journal)).all() == []


def test_nothing_is_nothing(book: Any) -> None:
    with write(book) as tx:
        bulk.write_rows(tx, insert(journal), [])
        bulk.write_values(tx, insert(changed), ("at", "subject"), [])
