"""What counts and sweeps settled, kept true: a movement that becomes known late corrects what they posted.

`ledger.post` asks after every posting. A count says how much was at a place at a moment: its adjustment is what the
book lacks to that, so what comes before it is taken out again. A sweep says where a tag was: its transfer begins where
the books have the tag without it.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select, update

from backend.book import past, tag_places, virtual
from backend.book.schema import Big
from backend.book.schema_warehouse import counted as table
from backend.book.schema_warehouse import tag_stay
from models.ids import derived_id
from models.stock.count import Counted, Key, adjustment
from models.stock.ledger import Entry, Movement, lines
from models.stock.sweep import where
from models.units import plain, quantity_text

ACTOR = "count"
SWEEP = "sweep"
_SKUS: BindParameter[str] = bindparam("skus", expanding=True)
_SINCE = bindparam("since", type_=Big)
_COUNTED = select(table).where(table.c.sku.in_(_SKUS), table.c.at >= _SINCE).order_by(table.c.at)
_SEEN = select(tag_stay).where(tag_stay.c.sku.in_(_SKUS), tag_stay.c.at >= _SINCE, tag_stay.c.how == "seen")


class Fix(NamedTuple):
    """What makes it true: movements that must hold, and ids of those that must not."""

    wanted: list[Movement]
    withdrawn: set[str]


def counts(tx: Connection, entries: Sequence[Entry]) -> Fix:
    """The adjustments of counts that these entries belong before, as they must be now."""
    fix = Fix([], set())
    rows = _later(tx, _COUNTED, entries)
    if not rows:
        return fix
    since: dict[Key, int] = {}
    for entry in entries:
        for line in lines(entry.movement):
            key = Key(line.sku, line.location, line.lot)
            since[key] = min(since.get(key, entry.movement.at), entry.movement.at)
    touched: defaultdict[Key, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        key = Key(row.sku, row.location, row.lot)
        if key in since and row.at >= since[key]:
            touched[key].append(row)
    if touched:
        skus, first = {key.sku for key in touched}, min(rows[0].at for rows in touched.values())
        known = past.of_skus(tx, skus, first)
        for key, rows in touched.items():
            _adjust(tx, known, key, rows, fix)
    return fix


def _adjust(tx: Connection, known: past.Past, key: Key, rows: Sequence[Row[Any]], fix: Fix) -> None:
    """In order of time: what one adjustment changes, the next ones have before them."""
    shift = Decimal(0)
    for row in rows:
        off = Decimal(row.quantity) - known.at(key, row.at) - shift
        if off:
            shift += off
            settle(tx, Counted(row.id, key, row.at, Decimal(row.quantity), [row.source]), row, off, fix)


def settle(tx: Connection, count: Counted, row: Any, off: Decimal, fix: Fix) -> None:  # noqa: ANN401 - a row of counted
    """Let a count add `off` more than its row says."""
    adds = plain(Decimal(row.adjustment) + off)
    moved = adjustment(count, adds)
    if row.movement is not None:
        fix.withdrawn.add(row.movement)
    if moved is not None:
        fix.wanted.append(moved)
    values = {"adjustment": quantity_text(adds), "movement": None if moved is None else moved.id}
    tx.execute(update(table).where(table.c.id == count.id).values(values))


def tags(tx: Connection, entries: Sequence[Entry]) -> Fix:
    """The transfers of tags that sweeps saw after these entries, as they must be now."""
    return transfers(tx, _later(tx, _SEEN, entries))


def _later(tx: Connection, query: Select[Any], entries: Sequence[Entry]) -> Sequence[Row[Any]]:
    """What was settled of the items of these entries, at their time or later."""
    if not entries:
        return []
    skus = sorted({entry.movement.sku for entry in entries})
    return tx.execute(query, {"skus": skus, "since": min(entry.movement.at for entry in entries)}).all()


def transfers(tx: Connection, seen: Sequence[Row[Any]]) -> Fix:
    """The transfers that these rows of tags that were seen call for, as far as they do not hold yet."""
    fix = Fix([], set())
    if not seen:
        return fix
    stays = tag_places.stays(tx, {row.epc for row in seen})
    booked = {row: where(tag_places.in_ledger(stays.get(row.epc, ()), row.source), row.at).place for row in seen}
    outside = virtual.kinds(
        tx, {place for place in booked.values() if place is not None}, max(row.at for row in booked)
    )
    for row, place in booked.items():
        moved = None if place is None or place in outside or place == row.place else _transfer(row, place)
        ident = None if moved is None else moved.id
        if ident == row.movement:
            continue
        if row.movement is not None:
            fix.withdrawn.add(row.movement)
        if moved is not None:
            fix.wanted.append(moved)
        one = (tag_stay.c.source == row.source, tag_stay.c.epc == row.epc)
        tx.execute(update(tag_stay).where(*one).values(movement=ident))
    return fix


def _transfer(row: Row[Any], booked: str) -> Movement:
    """A tag that was seen at a place moves there, from where it was booked."""
    return Movement(
        id=derived_id(SWEEP, row.source, row.epc, row.sku, row.quantity, booked, row.place),
        at=row.at,
        sku=row.sku,
        quantity=Decimal(row.quantity),
        source=booked,
        target=row.place,
        reason=SWEEP,
        evidence=[row.source, f"tag:{row.epc}"],
    )
