"""The value ledger in the book: months as they were closed, and what was learnt of them later; append-only, chained.

All postings of an item together are always what its closed months are worth as they are known now.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book import locks
from backend.book.bulk import write_rows
from backend.book.schema import ledger_head
from backend.book.schema_costs import period, value_month, value_posting
from backend.book.values import month_of_row
from models.chain import GENESIS
from models.stock import accounts
from models.stock.accounts import INVENTORY
from models.stock.periods import PostedLine, Posting, Sum, posted_lines, posting_hash
from models.units import quantity_text

VALUE = "value"
_HEAD = select(ledger_head.c.n, ledger_head.c.hash).where(ledger_head.c.ledger == VALUE).with_for_update()
_APPEND = insert(value_posting)


def lock(tx: Connection) -> tuple[int, bytes]:
    """The number and hash of the last posting; nobody else values stock until this transaction ends."""
    locks.number(tx)
    row = tx.execute(_HEAD).one_or_none()
    if row is None:
        tx.execute(upsert(ledger_head).values(ledger=VALUE, n=0, hash=GENESIS).on_conflict_do_nothing())
        row = tx.execute(_HEAD).one()
    return row.n, bytes(row.hash)


class Wanted(msgspec.Struct, frozen=True):
    """What is to be posted of an item; `carries` are those of its posting before."""

    what: Literal["close", "delta"]
    sku: str
    period: int
    origin: int
    sums: Mapping[str, Sum]
    causes: Sequence[str] = ()


def append(tx: Connection, wanted: Sequence[Wanted], actor: str, now: int) -> list[Posting]:
    """Post these, each with what the item's posting before carried on."""
    if not wanted:
        return []
    n, last = lock(tx)
    carries = {sku: _carries(tx, sku) for sku in sorted({each.sku for each in wanted})}
    posted: list[Posting] = []
    rows: list[dict[str, Any]] = []
    for each in wanted:
        n += 1
        lines = posted_lines(each.sums, carries[each.sku])
        carries[each.sku] = {line.flow: line.carry for line in lines}
        posting = Posting(
            n=n,
            recorded_at=now,
            actor=actor,
            what=each.what,
            sku=each.sku,
            period=each.period,
            origin=each.origin,
            lines=lines,
            causes=[*each.causes],
        )
        last = posting_hash(last, posting)
        posted.append(posting)
        fields = msgspec.structs.asdict(posting)
        texts = {name: msgspec.json.encode(fields[name]).decode() for name in ("lines", "causes")}
        rows.append(fields | texts | {"hash": last})
    write_rows(tx, _APPEND, rows)
    tx.execute(update(ledger_head).where(ledger_head.c.ledger == VALUE).values(n=n, hash=last))
    return posted


def _carries(tx: Connection, sku: str) -> dict[str, Decimal]:
    found = postings(tx, value_posting.c.sku == sku, newest=True, limit=1)
    return {line.flow: line.carry for posting, _ in found for line in posting.lines}


def postings(
    tx: Connection, *which: ColumnElement[bool], newest: bool = False, limit: int | None = None
) -> list[tuple[Posting, bytes]]:
    """Postings with their hashes, by n."""
    order = value_posting.c.n.desc() if newest else value_posting.c.n
    return [of_row(row) for row in tx.execute(select(value_posting).where(*which).order_by(order).limit(limit))]


def of_row(row: Row[Any]) -> tuple[Posting, bytes]:
    """A posting from its row, and its hash."""
    fields = {name: getattr(row, name) for name in ("n", "recorded_at", "actor", "what", "sku", "period", "origin")}
    lines = msgspec.json.decode(row.lines, type=list[PostedLine])
    return Posting(**fields, lines=lines, causes=msgspec.json.decode(row.causes, type=list[str])), bytes(row.hash)


def sums_of(posting: Posting) -> dict[str, Sum]:
    """What a posting says, by flow."""
    return {line.flow: Sum(line.quantity, line.value, 0) for line in posting.lines}


def close(tx: Connection, month: int, closed_to: int | None, by: tuple[str, str | None, int]) -> None:
    """Post every month up to this one that is not closed yet, as it is known now."""
    actor, note, now = by
    lock(tx)
    after = -1 if closed_to is None else closed_to
    rows = tx.execute(
        select(value_month)
        .where(value_month.c.month > after, value_month.c.month <= month)
        .order_by(value_month.c.month, value_month.c.sku)
    )
    wanted = [Wanted("close", row.sku, row.month, row.month, month_of_row(row).sums()) for row in rows]
    append(tx, wanted, actor, now)
    first = min([month, *(each.period for each in wanted)]) if closed_to is None else closed_to + 1
    inventory = Decimal(0)
    if closed_to is not None:
        inventory = Decimal(tx.execute(select(period.c.inventory).where(period.c.month == closed_to)).scalar_one())
    for each in range(first, month + 1):
        inventory += balance(tx, each).get(INVENTORY, Decimal(0))
        values = {"month": each, "closed_at": now, "inventory": quantity_text(inventory), "actor": actor, "note": note}
        tx.execute(insert(period).values(**values))


def balance(tx: Connection, month: int) -> dict[str, Decimal]:
    """Debit less credit by account, of what is posted in a month."""
    posted = postings(tx, value_posting.c.period == month)
    return accounts.balance(
        line for posting, _ in posted for each in posting.lines for line in accounts.journal(each.flow, each.amount)
    )
