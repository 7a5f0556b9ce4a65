"""What is decided of a count: to count again, that the counting is over, and, by another than who counted, to post it.

The figures that are approved are kept; what they adjust follows from the ledger (backend.book.settled).
"""

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from backend.book import count_lines, ledger, locks, past, settled
from backend.book.count_lines import Line
from backend.book.counts import OPEN, in_state, move, state_of
from backend.book.schema_warehouse import count_line, counted
from backend.book.work_log import Stamp
from models.errors import Refused
from models.stock.count import Counted
from models.units import MAX_DIGITS, quantity_text

MOST_OFF = 10 ** (MAX_DIGITS - 1)
"""What becomes known late adds to an adjustment, and no reading may fail because that is more than can be posted."""


def recount(tx: Connection, ident: str, wanted: Iterable[int] | None, stamp: Stamp) -> list[int]:
    """Count some lines again, or those that are out of tolerance: which. Raises Refused if there are none."""
    locks.number(tx)
    count = in_state(tx, ident, *OPEN)
    lines = count_lines.evaluated(tx, count, keep_at=stamp.now)
    named = None if wanted is None else {*wanted}
    again = [line for line in lines if (line.state == "recount" if named is None else line.n in named)]
    if not again or any(line.final is None for line in again):
        msg = "lines: some that were counted expected" + (", none is out of tolerance" if named is None else "")
        raise Refused(msg)
    for line in again:
        values = {"round": line.round + 1, "round_from": stamp.now}
        own = (count_line.c.count_id == ident, count_line.c.line == line.n)
        tx.execute(update(count_line).where(*own).values(values))
    move(tx, ident, ("open", "recounted"), stamp, {"lines": [line.n for line in again]})
    return [line.n for line in again]


def submit(tx: Connection, ident: str, left_out: str | None, stamp: Stamp) -> None:
    """The counting is over. Raises Refused while lines are to be counted, unless `left_out` says why not."""
    locks.number(tx)
    if state_of(tx, ident) == "submitted":
        return
    count = in_state(tx, ident, "open")
    lines = count_lines.evaluated(tx, count, keep_at=stamp.now)
    again = [line.n for line in lines if line.state == "recount"]
    waiting = [line.n for line in lines if line.final is None]
    if again or (waiting and left_out is None):
        msg = f"lines: {again} are to be recounted" if again else f"lines: {waiting} are not counted; say why if so"
        raise Refused(msg)
    if len(waiting) == len(lines):
        msg = "lines: none is counted, so this count says nothing"
        raise Refused(msg)
    move(tx, ident, ("submitted", "submitted"), stamp, {"not_counted": waiting, "reason": left_out})


def approve(tx: Connection, ident: str, reason: str | None, stamp: Stamp) -> None:
    """Post what it found. Again is harmless. Raises Refused of one who counted, or Clash if it is not submitted."""
    locks.number(tx)
    if state_of(tx, ident) == "approved":
        return
    count = in_state(tx, ident, "submitted")
    lines = [line for line in count_lines.evaluated(tx, count, keep_at=stamp.now) if line.final is not None]
    if stamp.actor in {reading.actor for line in lines for reading in line.readings}:
        msg = f"by: another than who counted expected, got {stamp.actor!r}"
        raise Refused(msg)
    move(tx, ident, ("approved", "approved"), stamp, {"reason": reason, "lines": [_told(line) for line in lines]})
    found = [
        Counted(f"{ident}/{line.n}", line.key, line.final.at, line.final.quantity, [f"count:{ident}"])
        for line in lines
        if line.final is not None
    ]
    hold(tx, found, stamp)


def hold(tx: Connection, found: Iterable[Counted], stamp: Stamp) -> None:
    """These quantities were there at their moments, from now on and whatever becomes known late; post what that takes.

    Of two of one place and moment the one that is told later is the later one, by a microsecond. Raises Refused where
    the book is so far off that a number of another kind was entered.
    """
    fix = settled.Fix([], set())
    wanted = [*found]
    known = past.of_skus(tx, {each.key.sku for each in wanted}, min((each.at for each in wanted), default=0))
    for each in wanted:
        at = _free(tx, each)
        off = each.quantity - known.at(each.key, at)
        if abs(off) >= MOST_OFF:
            msg = f"lines: a book that is off by less than {MOST_OFF} expected, it is by {quantity_text(off)}"
            raise Refused(f"{msg} for {each.key.sku} at {each.key.location}: take back what made it so")
        row = {"id": each.id, "source": each.evidence[0], "at": at, **each.key._asdict()}
        row |= {"quantity": quantity_text(each.quantity), "adjustment": "0", "movement": None}
        tx.execute(insert(counted).values(row))
        stored = tx.execute(select(counted).where(counted.c.id == each.id)).one()
        moved = Counted(each.id, each.key, at, each.quantity, each.evidence)
        settled.settle(tx, moved, stored, off, fix)
    ledger.post(tx, fix.wanted, fix.withdrawn, stamp.actor, stamp.now)


def _free(tx: Connection, count: Counted) -> int:
    taken = select(counted.c.at, counted.c.location, counted.c.lot).where(counted.c.sku == count.key.sku)
    times = {row.at for row in tx.execute(taken) if (row.location, row.lot) == count.key[1:]}
    at = count.at
    while at in times:
        at += 1
    return at


def end(tx: Connection, ident: str, state: Literal["rejected", "cancelled"], reason: str, stamp: Stamp) -> None:
    """Post nothing. Again is harmless. Raises Clash if it was decided otherwise."""
    locks.number(tx)
    if state_of(tx, ident) != state:
        in_state(tx, ident, *OPEN)
        move(tx, ident, (state, state), stamp, {"reason": reason})


def _told(line: Line) -> dict[str, Any]:
    assert line.final is not None  # noqa: S101 - only what was counted is told
    figures = {"book": quantity_text(line.book), "counted": quantity_text(line.final.quantity), "at": line.final.at}
    return {"line": line.n, **line.key._asdict(), **figures}
