"""The lines of a count: what was counted at each place, by people or with COUNT scans, and how that stands to the book.

A line is counted in rounds: a recount begins the next one, and a figure belongs to the round in which it was counted.
The COUNT acts of one place in one round add up; a figure that a person put goes before them.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, insert, select

from backend.book import past
from backend.book.schema import scan_act
from backend.book.schema_warehouse import count_line, count_reading, counted
from models.stock.count import UNCLASSED, Count, Key, needs_recount, tolerance_of
from models.units import quantity_text

State = Literal["to_count", "counted", "recount"]
_UNDO = scan_act.alias()
_ACTS = select(scan_act).where(
    scan_act.c.action == "count",
    scan_act.c.ok,
    scan_act.c.sku.is_not(None),
    scan_act.c.location.is_not(None),
    ~select(_UNDO.c.id).where(_UNDO.c.undoes == scan_act.c.id).exists(),
)


class Reading(NamedTuple):
    """How much was at a place at a moment, and who says so."""

    at: int
    quantity: Decimal
    evidence: list[str]
    actor: str


class Line(NamedTuple):
    """One place of one item in a count. `book` is the book's figure of the moment that `final` was counted at."""

    n: int
    key: Key
    snapshot: Decimal
    round: int
    round_from: int
    put: Reading | None
    """What is kept of this round; scans are kept when it ends."""
    readings: list[Reading]
    """One of each round, this one's last."""
    final: Reading | None
    book: Decimal
    state: State

    @property
    def variance(self) -> Decimal | None:
        """Counted less book."""
        return None if self.final is None else self.final.quantity - self.book


def add(tx: Connection, count: Count, line: tuple[int, Key], snapshot: Decimal) -> None:
    """A further place to be counted."""
    n, key = line
    first = {"round": 1, "round_from": count.at, "snapshot": quantity_text(snapshot)}
    tx.execute(insert(count_line).values(count_id=count.id, line=n, **key._asdict(), **first))


def keep(tx: Connection, count: Count, line: Line, reading: Reading, now: int) -> None:
    """The figure of this round."""
    values = {"at": reading.at, "quantity": quantity_text(reading.quantity), "evidence": json.dumps(reading.evidence)}
    own = {"count_id": count.id, "line": line.n, "round": line.round}
    tx.execute(insert(count_reading).values(**own, **values, actor=reading.actor, recorded_at=now))


def one(tx: Connection, count: Count, n: int) -> Line | None:
    """One line, or None."""
    return next((line for line in evaluated(tx, count) if line.n == n), None)


def of_key(tx: Connection, count: Count, key: Key) -> int | None:
    """The number of the line of a place, or None."""
    own = select(count_line.c.line, count_line.c.lot).where(
        count_line.c.count_id == count.id, count_line.c.sku == key.sku, count_line.c.location == key.location
    )
    return next((row.line for row in tx.execute(own) if row.lot == key.lot), None)


def evaluated(tx: Connection, count: Count, keep_at: int | None = None) -> list[Line]:
    """The lines as they stand, by number. With `keep_at` what scans said of this round is kept, at that time."""
    rows = _rows(tx, count)
    scans = _scans(tx, count)
    if keep_at is not None and (new := sorted(scans.keys() - {_key(row) for row in rows}, key=str)):
        known = past.of_skus(tx, {key.sku for key in new}, count.at)
        for n, key in enumerate(new, max((row.line for row in rows), default=0) + 1):
            add(tx, count, (n, key), known.at(key, count.at))
        rows = _rows(tx, count)
    kept = _readings(tx, count)
    book = past.of_skus(tx, {row.sku for row in rows}, count.at)
    lines = [_line(count, row, kept[row.line], _sum(row, scans.get(_key(row), [])), book) for row in rows]
    settled = _settled(tx, count)
    lines = [line._replace(book=settled.get(f"{count.id}/{line.n}", line.book)) for line in lines]
    if keep_at is not None:
        for line in lines:
            if line.put is None and line.final is not None:
                keep(tx, count, line, line.final, keep_at)
    return lines


def _settled(tx: Connection, count: Count) -> dict[str, Decimal]:
    """Of an approved count, what the book has without its own adjustment."""
    rows = tx.execute(select(counted).where(counted.c.source == f"count:{count.id}"))
    return {row.id: Decimal(row.quantity) - Decimal(row.adjustment) for row in rows}


def _rows(tx: Connection, count: Count) -> Sequence[Row[Any]]:
    return tx.execute(select(count_line).where(count_line.c.count_id == count.id).order_by(count_line.c.line)).all()


def _key(row: Row[Any]) -> Key:
    return Key(row.sku, row.location, row.lot)


def _readings(tx: Connection, count: Count) -> dict[int, dict[int, Reading]]:
    """By line and round."""
    found: defaultdict[int, dict[int, Reading]] = defaultdict(dict)
    for row in tx.execute(select(count_reading).where(count_reading.c.count_id == count.id)):
        found[row.line][row.round] = Reading(row.at, Decimal(row.quantity), json.loads(row.evidence), row.actor)
    return found


def _scans(tx: Connection, count: Count) -> dict[Key, list[Reading]]:
    """COUNT acts in the scope since the count began, in order of time."""
    found: defaultdict[Key, list[Reading]] = defaultdict(list)
    for row in tx.execute(_ACTS.where(scan_act.c.at >= count.at).order_by(scan_act.c.at, scan_act.c.id)):
        key = _key(row)
        if count.holds(key):
            who = row.badge or f"scan:{row.device}"[:64]
            evidence = [f"scan:{json.loads(row.evidence)[0]}"]
            found[key].append(Reading(row.at, Decimal(row.quantity), evidence, who))
    return found


def _sum(row: Row[Any], scans: Sequence[Reading]) -> Reading | None:
    """What the scans of this round say together."""
    own = [scan for scan in scans if scan.at >= row.round_from]
    if not own:
        return None
    evidence = [text for scan in own for text in scan.evidence]
    return Reading(own[-1].at, sum((scan.quantity for scan in own), Decimal(0)), evidence, own[-1].actor)


def _line(count: Count, row: Row[Any], kept: dict[int, Reading], scanned: Reading | None, book: past.Past) -> Line:
    key, put = _key(row), kept.get(row.round)
    final = put or scanned
    before = [kept[n] for n in sorted(kept) if n < row.round]
    readings = [*before, final] if final is not None else before
    at_book = book.at(key, count.at if final is None else final.at)
    variances = [each.quantity - book.at(key, each.at) for each in readings]
    tolerance = tolerance_of(count.classes.get(key.sku, UNCLASSED))
    again = final is not None and needs_recount(variances, at_book, tolerance)
    state: State = "to_count" if final is None else "recount" if again else "counted"
    return Line(row.line, key, Decimal(row.snapshot), row.round, row.round_from, put, readings, final, at_book, state)
