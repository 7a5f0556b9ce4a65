"""What follows from derived rows: the rows themselves, their ledger entries, domain events, the planner's subjects."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, delete, insert

from backend.book import events, ledger
from backend.book.schema import crossing
from backend.step import Derived

ACTOR = "deriver"
LATE_US = 300_000_000
IDS_A_QUERY = 5000
EVENTS = {"dock": "crossing", "scan": "scan", "motion": "visit"}
"""What others are told of a step's rows; hours and distance are figures, which are asked for."""


class Old(NamedTuple):
    """A derived row that is taken back."""

    table: Table
    id: str
    movement: str | None


def post_new(tx: Connection, new: Sequence[Derived], now: int) -> None:
    """Write new derived rows, and post what they move."""
    replace(tx, new, [], now)


def replace(tx: Connection, new: Sequence[Derived], old: Sequence[Old], now: int) -> None:
    """Take back rows `old` and write `new`; the ledger gets only the difference."""
    by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    for each in new:
        by_table[each.table].append(each.stored)
    for table in {each.table: None for each in old}:
        gone = [each.id for each in old if each.table is table]
        for low in range(0, len(gone), IDS_A_QUERY):
            tx.execute(delete(table).where(table.c.id.in_(gone[low : low + IDS_A_QUERY])))
    for table, rows in by_table.items():
        tx.execute(insert(table), rows)
    wanted = [each.movement for each in new if each.movement is not None]
    keep = {movement.id for movement in wanted}
    withdrawn = {movement for _, _, movement in old if movement is not None and movement not in keep}
    ledger.post(tx, wanted, withdrawn, ACTOR, now)
    stay = {each.id for each in new}
    gone_for_good = [each for each in old if each.table is crossing and each.id not in stay]
    events.emit_all(tx, [("crossing", {"id": each.id, "withdrawn": True}) for each in gone_for_good], now)
    told = [each for each in new if each.step in EVENTS and each.row.get("what") != "distance"]
    events.emit_all(tx, [(EVENTS[each.step], {**each.row, "late": is_late(each, now)}) for each in told], now)
    events.changed_all(tx, [f"tag:{each.row['subject']}" for each in new if each.step == "dock"], now)
    events.changed_all(tx, [f"asset:{each.row['asset']}" for each in new if each.step in {"hours", "motion"}], now)


def is_late(derived: Derived, now: int) -> bool:
    """Whether it became known more than five minutes after it was: then it raises no alert about a moment."""
    return derived.closed_at < now - LATE_US
