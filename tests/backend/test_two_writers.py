"""Several writers of one PostgreSQL book at once: what they come to together is what one alone comes to in order."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from backend.book import ledger, register
from backend.book.db import read, write
from backend.book.register import load
from backend.book.schema import crossing, event, stream
from backend.deriver import Deriver
from backend.ingest import Ingest
from backend.verify import verify
from models.declared import Item
from models.reading import Reading, Scan, micros
from models.stock.ledger import Movement
from tests.backend.books import DAY, Template, Yard, batch, digest
from tests.backend.test_any_order import day_of_readings

on_postgres = pytest.mark.parametrize("store", ["postgres"], indirect=True)
SEEDS = [3, *(int(each) for each in os.environ.get("STOCKYARD_SEEDS", "").split())]
PART = None if len(SEEDS) > 1 else 700
"""The first readings of the day; with further seeds all of them."""
EPOCHS = {"door-1": "A" * 12, "door-2": "B" * 12}
DESK = "C" * 12
BATCH = 120


@contextmanager
def at_once(*runs: Callable[[], None]) -> Iterator[None]:
    """Run these on threads of their own beside the block; what one of them raises is raised at the end."""
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [Thread(target=run, args=(work,)) for work in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]


def by_stream(readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = {}
    for each in readings:
        found.setdefault(EPOCHS.get(each.device, DESK), []).append(each)
    return found


def orderly(template: Path, file: Path, readings: Sequence[Reading], now: int) -> dict[str, str]:
    """What one writer comes to, reading by reading in the order of their time, on SQLite."""
    yard = Yard.copy(template, file, now)
    for low in range(0, len(readings), BATCH):
        groups = by_stream(readings[low : low + BATCH])
        for epoch, group in groups.items():
            yard.send(group, epoch)
    yard.settle(DAY)
    found = digest(yard.book)
    yard.book.dispose()
    return found


@on_postgres
@pytest.mark.parametrize("seed", SEEDS)
def test_doors_and_desk_at_once_come_to_what_one_writer_comes_to(
    seed: int, template: Template, file_template: Path, tmp_path: Path
) -> None:
    """Each stream has a worker of its own, the deriver runs beside them, and a reader follows what is numbered."""
    readings = sorted(day_of_readings(seed), key=lambda each: each.at)[:PART]
    now = max(micros(each.at) for each in readings) + 60_000_000
    wanted = orderly(file_template, tmp_path / "orderly.db", readings, now)
    yard = Yard.copy(template, tmp_path / "unused.db", now)
    done, seen = Event(), Followed(yard.book)

    def worker(epoch: str, group: list[Reading], chance: random.Random) -> Callable[[], None]:
        mine = Yard(yard.book, yard.clock)

        def run() -> None:
            while group:
                size = chance.randint(1, BATCH)
                mine.send([group.pop(0) for _ in group[:size]], epoch)

        return run

    def derive() -> None:
        deriver = Deriver(yard.book, yard.clock)
        while not done.is_set():
            deriver.step()

    streams = [worker(epoch, group, random.Random(f"{seed} {epoch}")) for epoch, group in by_stream(readings).items()]
    with at_once(derive, lambda: seen.follow(done)):
        try:
            with at_once(*streams):
                pass
        finally:
            done.set()
    yard.settle(DAY)
    seen.look()
    assert digest(yard.book) == wanted
    assert seen.missed() == []
    assert [finding for finding in verify(yard.book) if not finding.ok] == []


class Followed:
    """Events and crossings as a reader sees them who asks again and again for what comes after the last number."""

    def __init__(self, book: Engine) -> None:
        self._book = book
        self._seen: dict[Any, list[int]] = {event: [], crossing: []}

    def follow(self, done: Event) -> None:
        while not done.is_set():
            self.look()

    def look(self) -> None:
        for table, seen in self._seen.items():
            after = seen[-1] if seen else 0
            with read(self._book) as tx:
                seen.extend(tx.scalars(select(table.c.n).where(table.c.n > after).order_by(table.c.n)))

    def missed(self) -> list[int]:
        """Numbers that are there, and that it was never shown."""
        with read(self._book) as tx:
            return [n for table, seen in self._seen.items() for n in sorted({*tx.scalars(select(table.c.n))} - {*seen})]


@on_postgres
def test_one_stream_from_two_workers_is_committed_once(yard: Yard) -> None:
    readings = sorted(day_of_readings(3), key=lambda each: each.at)[:400]
    messages = [yard.message(readings[low : low + 40]) for low in range(0, len(readings), 40)]

    def work() -> None:
        ingest = Ingest(yard.book, yard.clock)
        for message in messages:
            ingest.take([message])

    with at_once(work, work):
        pass
    assert yard.rows(stream)[0]["mark"] == len(readings)
    assert [finding for finding in verify(yard.book) if not finding.ok] == []


@on_postgres
def test_what_is_declared_while_readings_come_holds_for_all_of_them(
    template: Template, file_template: Path, tmp_path: Path
) -> None:
    """An item is declared anew, from before the first reading, at any moment of the ingest."""
    readings = sorted(day_of_readings(3), key=lambda each: each.at)[:600]
    now = max(micros(each.at) for each in readings) + 60_000_000
    yards = Yard.copy(file_template, tmp_path / "orderly.db", now), Yard.copy(template, tmp_path / "unused.db", now)
    with read(yards[0].book) as tx:
        items = {ident: body for ident, body in load(tx).all("items", now).items() if isinstance(body, Item)}
    changed = [(ident, replace_pack(item)) for ident, item in sorted(items.items()) if item.gtins]

    def declare(yard: Yard) -> None:
        for ident, item in changed:
            with write(yard.book) as tx:
                register.put(tx, "items", ident, item, valid_from=DAY, actor="test", now=now)

    declare(yards[0])
    for low in range(0, len(readings), BATCH):
        yards[0].send(readings[low : low + BATCH])
    with at_once(lambda: declare(yards[1])):
        for low in range(0, len(readings), BATCH // 4):
            yards[1].send(readings[low : low + BATCH // 4])
    for yard in yards:
        yard.settle(DAY)
    assert digest(yards[1].book) == digest(yards[0].book)
    assert [finding for finding in verify(yards[1].book) if not finding.ok] == []
    yards[0].book.dispose()


def replace_pack(item: Item) -> Item:
    """The same item whose packs have one unit more in them."""
    packs = [replace_units(pack) for pack in item.gtins]
    return type(item)(**{field: getattr(item, field) for field in item.__struct_fields__} | {"gtins": packs})


def replace_units(pack: Any) -> Any:
    return type(pack)(**{name: getattr(pack, name) for name in pack.__struct_fields__} | {"units": pack.units + 1})


@on_postgres
def test_two_that_move_one_item_at_once_leave_a_whole_ledger(yard: Yard) -> None:
    each, now = 60, yard.clock.now

    def mover(name: str, source: str, target: str) -> Callable[[], None]:
        def run() -> None:
            for number in range(each):
                where = {"source": source, "target": target, "reason": "test", "evidence": []}
                move = Movement(id=f"{name}-{number}", at=now, sku="BOLT-M8", quantity=Decimal(1), **where)
                with write(yard.book) as tx:
                    ledger.post(tx, [move], (), name, now)

        return run

    with at_once(mover("in", "supplier", "warehouse"), mover("out", "warehouse", "customer")):
        pass
    with read(yard.book) as tx:
        entries = list(ledger.entries_of(tx))
        assert tx.scalar(select(func.count()).select_from(event).where(event.c.kind == "movement")) == 2 * each
    assert [entry.n for entry in entries] == list(range(1, 2 * each + 1))
    assert [finding for finding in verify(yard.book) if not finding.ok] == []


@on_postgres
def test_nothing_of_a_gateway_that_another_process_has_is_committed(yard: Yard) -> None:
    reading = day_of_readings(3)[0]
    texts = [Scan("scanner-1", reading.at, str(n)) for n in range(3)]
    asked: list[set[str]] = []

    def lost(_tx: object, gateways: Any) -> set[str]:
        asked.append({*gateways})
        return {"dock-b"} & {*gateways}

    ingest = Ingest(yard.book, yard.clock, lost)
    messages = [yard.message(texts, gateway=name) for name in ("dock-a", "dock-b")]
    outcome = ingest.take([*messages, batch("D" * 12, 1, [], "dock-b")])
    assert [gateway for gateway, _ in outcome.receipts] == ["dock-a"]
    assert asked == [{"dock-a", "dock-b"}, {"dock-a"}]
    assert [row["mark"] for row in yard.rows(stream)] == [3]
