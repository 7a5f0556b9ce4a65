"""What counts, sweeps and tasks posted is in the ledger, and every count adds just what the book lacks to it."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select

from backend.book import ledger
from backend.book.schema_warehouse import counted, tag_stay, task_confirmation
from backend.verify.folds import Seen
from models.stock.count import Counted, Key, adjustments
from models.stock.ledger import lines, net


def counts_hold(seen: Seen) -> tuple[str, list[str]]:
    """At each counted moment the book is what was counted, by the rule over the whole ledger."""
    rows: defaultdict[Key, list[Row[Any]]] = defaultdict(list)
    for row in seen.tx.execute(select(counted).order_by(counted.c.at)):
        rows[Key(row.sku, row.location, row.lot)].append(row)
    own = {row.movement for of_key in rows.values() for row in of_key}
    moves: defaultdict[Key, list[tuple[int, Decimal]]] = defaultdict(list)
    for each in net(entry.movement for entry in ledger.entries_of(seen.tx)) if rows else ():
        for line in lines(each):
            key = Key(line.sku, line.location, line.lot)
            if each.id not in own and key in rows:
                moves[key].append((each.at, line.quantity))
    wrong: list[str] = []
    for key, of_key in rows.items():
        found = [Counted(row.id, key, row.at, Decimal(row.quantity), []) for row in of_key]
        due = adjustments(found, moves[key])
        wrong += [
            f"count {row.id} of {key.sku} at {key.location}: adds {row.adjustment}, expected {due[row.id]}"
            for row in of_key
            if Decimal(row.adjustment) != due[row.id]
        ]
    return f"{sum(map(len, rows.values()))} counted", wrong


def work_posted(seen: Seen) -> tuple[str, list[str]]:
    """Every confirmation of a task, transfer of a sweep and adjustment of a count has its movement."""
    named = {
        ident: table.name
        for table in (counted, tag_stay, task_confirmation)
        for ident in seen.tx.scalars(select(table.c.movement).where(table.c.movement.is_not(None)))
    }
    holding = {each.id for each in net(entry.movement for entry in ledger.entries_of(seen.tx))} if named else set[str]()
    wrong = [f"{table}: its movement {ident} does not hold" for ident, table in named.items() if ident not in holding]
    return f"{len(named)} movements of work", wrong
