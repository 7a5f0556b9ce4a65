"""Retention: what is past its time goes, in small transactions; what the books rest on stays."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, insert, select

from backend.book import journal, schema
from backend.book.db import open_engine, read, write
from backend.keeping import retention
from backend.keeping.retention import Retention
from backend.verify import verify
from models.reading import Signal, from_micros
from models.wire import encode
from tests.backend.books import DAY, Yard, batch

NOW = 1_795_424_400_000_000
KEPT = 400
OLD, YOUNG = NOW - (KEPT + 1) * DAY, NOW - (KEPT - 1) * DAY
EACH = 700
TABLES = ("event", "changed", "clock_tick")


@pytest.fixture(params=["sqlite", "postgresql"])
def grown(request: pytest.FixtureRequest, yard: Yard) -> Iterator[Engine]:
    """A book with old and young rows of everything that is forgotten, and a quarantined reading of old."""
    if request.param == "postgresql":
        book = open_engine(request.getfixturevalue("postgres_book_url"), Path())
    else:
        book = yard.book
    with write(book) as tx:
        before = {name: tx.scalar(select(func.count()).select_from(schema.metadata.tables[name])) for name in TABLES}
        assert before["clock_tick"] == 0
        for name in TABLES:
            tx.execute(schema.metadata.tables[name].delete())
        for at in (OLD, YOUNG):
            tx.execute(insert(schema.event), [{"kind": "alert", "at": at, "body": b"{}"}] * EACH)
            tx.execute(insert(schema.changed), [{"subject": "item:X", "at": at}] * EACH)
            tx.execute(insert(schema.clock_tick), [{"at": at, "step": "all", "keys": 1}] * EACH)
            for day in range(3):
                for _ in range(12):
                    journal.keep_envelope(
                        tx, "dock-a", "unreadable", b"x", at + day * DAY if at == YOUNG else at - day * DAY
                    )
                journal.count_refused(tx, "dock-a", "stream", 5, at - day * DAY)
        risks = [(asset, at) for asset in ("crane-2", "gone") for at in (OLD, OLD - DAY)] + [("crane-2", YOUNG)]
        known = {"model": "m", "state": "scored", "reasons": "[]", "complete_to": 0}
        tx.execute(insert(schema.risk), [{"asset": asset, "at": at, **known} for asset, at in risks])
        held = journal.lock_stream(tx, "dock-a", "A" * 12)
        journal.keep_bad(tx, held, journal.BadRow(1, "invalid", "of old", b"{}"), OLD)
        journal.raise_mark(tx, held, 1)
    yield book
    if request.param == "postgresql":
        book.dispose()


def test_what_is_past_its_time_goes_and_the_rest_stays(grown: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    with read(grown) as tx:
        refused = tx.scalar(select(func.sum(schema.refused_count.c.count)))
    keeper = Retention(grown, lambda: NOW, KEPT)
    assert keeper.all(threading.Event()) > 3 * EACH
    with read(grown) as tx:
        for name in TABLES:
            table = schema.metadata.tables[name]
            assert tx.execute(select(func.count(), func.min(table.c.at))).one() == (EACH, YOUNG), name
        kept = tx.execute(select(schema.quarantine.c.sort, schema.quarantine.c.received_at)).all()
        assert ("invalid", OLD) in kept, "a reading's place in its stream"
        assert {at for sort, at in kept if sort == "envelope"} == {YOUNG, YOUNG + DAY, YOUNG + 2 * DAY}
        assert {*tx.execute(select(schema.risk.c.asset, schema.risk.c.at))} == {("crane-2", YOUNG), ("gone", OLD)}
        days = {*tx.scalars(select(schema.refused_count.c.day))}
        assert min(days) == 0
        assert min(days - {0}) >= (NOW - KEPT * DAY) // DAY
        assert tx.scalar(select(func.sum(schema.refused_count.c.count))) == refused, "counts are not forgotten"
    assert keeper.all(threading.Event()) == 0
    broken = [f for f in verify(grown) if not f.ok]
    assert [f.name for f in broken] == []


def test_it_takes_a_few_rows_at_a_time(grown: Engine) -> None:
    keeper = Retention(grown, lambda: NOW, KEPT)
    keeper.turn()
    with read(grown) as tx:
        assert tx.scalar(select(func.count()).select_from(schema.event)) == 2 * EACH - retention.ROWS_A_TURN


def test_it_stops_when_it_is_told(grown: Engine) -> None:
    stop = threading.Event()
    stop.set()
    assert Retention(grown, lambda: NOW, KEPT).all(stop) == 0


def test_numbers_of_events_are_not_given_out_again(grown: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    with read(grown) as tx:
        newest = tx.scalar(select(func.max(schema.event.c.n)))
    Retention(grown, lambda: NOW + 2 * KEPT * DAY, KEPT).all(threading.Event())
    with write(grown) as tx:
        assert tx.scalar(select(func.count()).select_from(schema.event)) == 0
        tx.execute(insert(schema.event).values(kind="alert", at=NOW, body=b"{}"))
        assert tx.scalar(select(func.max(schema.event.c.n))) == newest + 1


def test_a_book_in_use_goes_on(yard: Yard) -> None:
    now = yard.clock.now
    texts = [encode(Signal("crane-2", from_micros(now - k), "load", 1.0, "kg")) for k in range(3)]
    yard.ingest.take([batch("A" * 12, 1, texts)])
    Retention(yard.book, lambda: now + 1000 * DAY, 1).all(threading.Event())
    assert all(finding.ok for finding in verify(yard.book))


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_two_that_forget_at_once_count_what_was_refused_once(yard: Yard) -> None:
    """Every process that plans forgets too: both have seen a count of an old day before either has moved it."""
    day = (NOW - 500 * DAY) // DAY
    with write(yard.book) as tx:
        journal.count_refused(tx, "dock-a", "stream", 5, day * DAY)
    read_both = threading.Barrier(2)

    def forget() -> None:
        met: list[bool] = []

        def meet(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if "FROM refused_count" in statement and statement.startswith("SELECT") and not met:
                met.append(True)
                read_both.wait(10)

        book = yard.book.execution_options()
        event.listen(book, "after_cursor_execute", meet)
        Retention(book, lambda: NOW, KEPT).turn()

    threads = [threading.Thread(target=forget) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = schema.refused_count.c
    with read(yard.book) as tx:
        assert tx.execute(select(counts.day, counts.count)).all() == [(0, 5)]
