"""Tells shops and channels what can be had of an item when that has become another: an event `availability` per item.

It follows the events of movements and reservations, changes of the register, and midnight, when lots expire. What was
told last is in the book: a process that begins compares everything with it, and tells what has changed meanwhile.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal
from threading import Event
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import OperationalError

from backend.book import events, lots, reservations, virtual
from backend.book.bulk import write_rows
from backend.book.db import read, repeated, write
from backend.book.register import version
from backend.book.schema import balance, event, register_entry
from backend.book.schema_notify import availability as told
from backend.step import DAY_US
from models.stock.availability import IN_ALL, Line, Standing, standings
from models.stock.lot import split
from models.units import quantity_text

log = logging.getLogger(__name__)
EVERY_S, AWAY_S = 0.2, 1.0
SKUS_A_TURN = 200
FOLLOWED = ("movement", "reservation")
_HELD = select(balance).where(balance.c.sku.in_(bindparam("skus", expanding=True)))
_TOLD = select(told).where(told.c.sku.in_(bindparam("skus", expanding=True)))
_OVER = upsert(told)
_SAVE = _OVER.on_conflict_do_update(
    index_elements=["sku", "location"],
    set_={name: _OVER.excluded[name] for name in ("on_hand", "available", "told_at")},
)


class _Of(msgspec.Struct):
    sku: str


_sku = msgspec.json.Decoder(_Of)


class Marks(NamedTuple):
    """How far was looked: the last event, the last entry of the register, the day."""

    event: int
    entry: int
    day: int


class Availability:
    """One worker; it holds only how far it has looked."""

    def __init__(self, book: Engine, clock: Callable[[], int]) -> None:
        self._book, self._clock = book, clock
        self._marks: Marks | None = None

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            try:
                self.step()
            except OperationalError as error:
                log.warning("availability waits for the book: %s", error.orig)
                stop.wait(AWAY_S)
            stop.wait(EVERY_S)

    def step(self) -> int:
        """Tell what has changed since the last look; how many items."""
        now = self._clock()
        with read(self._book) as tx:
            marks = Marks(_newest(tx), version(tx), now // DAY_US)
            skus = sorted(_touched(tx, self._marks, marks)) if marks != self._marks else []
        total = sum(self._tell(page, now) for page in _pages(skus))
        self._marks = marks
        return total

    def _tell(self, skus: Sequence[str], now: int) -> int:
        with read(self._book) as tx:
            changed = _changes(tx, skus, now)
        if changed:
            repeated(lambda: self._write(changed, now))
        return len({sku for sku, _ in changed})

    def _write(self, changed: dict[tuple[str, str], Standing | None], now: int) -> None:
        rows = [
            {
                "sku": sku,
                "location": location,
                "on_hand": quantity_text(each.on_hand),
                "available": quantity_text(each.available),
                "told_at": now,
            }
            for (sku, location), each in changed.items()
            if each is not None
        ]
        with write(self._book) as tx:
            write_rows(tx, _SAVE, rows)
            for (sku, location), each in changed.items():
                if each is None:
                    tx.execute(delete(told).where(told.c.sku == sku, told.c.location == location))
            events.emit_all(tx, [("availability", body) for body in _bodies(changed)], now)


def _newest(tx: Connection) -> int:
    return tx.scalar(select(event.c.n).order_by(event.c.n.desc()).limit(1)) or 0


def _touched(tx: Connection, before: Marks | None, marks: Marks) -> set[str]:
    """The items that may have become another: all of them at the start, and if a place did."""
    everything = select(balance.c.sku).distinct()
    if before is None:
        return {*tx.scalars(everything), *tx.scalars(select(told.c.sku).distinct())}
    bodies = select(event.c.body).where(event.c.n > before.event, event.c.n <= marks.event, event.c.kind.in_(FOLLOWED))
    found = {_sku.decode(body).sku for body in tx.scalars(bodies)}
    declared = select(register_entry.c.kind, register_entry.c.id).where(register_entry.c.n > before.entry)
    for kind, ident in tx.execute(declared):
        if kind == "locations":
            return {*tx.scalars(everything)}
        found |= {split(ident)[0]} if kind == "lots" else {ident} if kind == "items" else set[str]()
    if marks.day != before.day:
        found |= {*tx.scalars(everything.where(balance.c.lot != ""))}
    return found


def _changes(tx: Connection, skus: Collection[str], now: int) -> dict[tuple[str, str], Standing | None]:
    """What stands otherwise than it was told, and the sums of those items; None: nothing was ever there."""
    held = tx.execute(_HELD, {"skus": [*skus]}).all()
    outside = virtual.kinds(tx, {row.location for row in held}, now)
    barred = lots.barred(tx, {(row.sku, row.lot) for row in held if row.lot}, now)
    lines: defaultdict[str, list[Line]] = defaultdict(list)
    for row in held:
        if row.location not in outside:
            lines[row.sku].append(Line(row.location, row.lot, Decimal(row.on_hand), (row.sku, row.lot) in barred))
    promised: defaultdict[str, dict[tuple[str | None, str | None], Decimal]] = defaultdict(dict)
    for (sku, location, lot), quantity in reservations.allocated(tx, skus).items():
        promised[sku][location, lot] = quantity
    present = {(sku, place): each for sku in lines for place, each in standings(lines[sku], promised[sku]).items()}
    before = {
        (row.sku, row.location): Standing(Decimal(row.on_hand), Decimal(row.available))
        for row in tx.execute(_TOLD, {"skus": [*skus]})
    }
    differ = {key for key in {*present, *before} if present.get(key) != before.get(key)}
    differ |= {(sku, IN_ALL) for sku, _ in differ}
    return {key: present.get(key) for key in sorted(differ)}


def _bodies(changed: dict[tuple[str, str], Standing | None]) -> Iterator[dict[str, Any]]:
    """An event per item: what can be had in all, and at each place where that changed."""
    of_sku: defaultdict[str, dict[str, Standing | None]] = defaultdict(dict)
    for (sku, location), each in changed.items():
        of_sku[sku][location] = each
    for sku, places in of_sku.items():
        whole = _told(places.pop(IN_ALL))
        yield {"sku": sku, **whole, "places": [{"location": at, **_told(each)} for at, each in places.items()]}


def _told(each: Standing | None) -> dict[str, str]:
    on_hand, available = each or Standing(Decimal(0), Decimal(0))
    return {"on_hand": quantity_text(on_hand), "available": quantity_text(available)}


def _pages(skus: Sequence[str]) -> Iterator[Sequence[str]]:
    return (skus[low : low + SKUS_A_TURN] for low in range(0, len(skus), SKUS_A_TURN))
