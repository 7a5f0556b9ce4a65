"""What follows from derived rows: the rows themselves, their ledger entries, domain events, the planner's subjects."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert

from backend.book import events, ledger
from backend.book.schema import crossing, scan_act
from backend.step import Derived

ACTOR = "deriver"
LATE_US = 300_000_000
TABLES: dict[str, Table] = {"dock": crossing, "scan": scan_act}
_DELETE = {step: delete(table).where(table.c.id == bindparam("row")) for step, table in TABLES.items()}
_INSERT = {step: insert(table) for step, table in TABLES.items()}
EVENTS = {"dock": "crossing", "scan": "scan"}


def post_new(tx: Connection, new: Sequence[Derived], now: int) -> None:
    """Write new derived rows, and post what they move."""
    replace(tx, new, [], now)


def replace(tx: Connection, new: Sequence[Derived], old: Sequence[tuple[str, str, str | None]], now: int) -> None:
    """Take back rows `old` = (step, id, movement id) and write `new`; the ledger gets only the difference."""
    by_step: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in new:
        by_step[each.step].append(each.row)
    for step in sorted({step for step, _, _ in old}):
        tx.execute(_DELETE[step], [{"row": ident} for owner, ident, _ in old if owner == step])
    for step, rows in by_step.items():
        tx.execute(_INSERT[step], rows)
    wanted = [each.movement for each in new if each.movement is not None]
    keep = {movement.id for movement in wanted}
    withdrawn = {movement for _, _, movement in old if movement is not None and movement not in keep}
    ledger.post(tx, wanted, withdrawn, ACTOR, now)
    events.emit_all(tx, [(EVENTS[each.step], {**each.row, "late": is_late(each, now)}) for each in new], now)
    events.changed_all(tx, [f"tag:{each.row['subject']}" for each in new if each.step == "dock"], now)


def is_late(derived: Derived, now: int) -> bool:
    """Whether it became known more than five minutes after it was: then it raises no alert about a moment."""
    return derived.closed_at < now - LATE_US
