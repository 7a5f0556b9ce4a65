"""What the projector reads from the stock ledger: entries by number, and what identifies the last one."""

from decimal import Decimal

from sqlalchemy import Connection, func, select

from backend.book.schema import movement
from backend.telemetry.rows import StockRow

MILLIONTHS = 10**6


def entries(tx: Connection, after: int, limit: int) -> list[StockRow]:
    """What ledger entries after n take from and bring to each place."""
    found: list[StockRow] = []
    for row in tx.execute(select(movement).where(movement.c.n > after).order_by(movement.c.n).limit(limit)):
        delta = int(Decimal(row.quantity) * MILLIONTHS)
        for location, change in ((row.source, -delta), (row.target, delta)):
            found.append(StockRow(row.n, location, row.at, row.sku, change))
    return found


def entry_hash(tx: Connection, n: int) -> bytes | None:
    """What identifies entry n and all before it; None if there is none."""
    found = tx.scalar(select(movement.c.hash).where(movement.c.n == n))
    return None if found is None else bytes(found)


def last_entry(tx: Connection) -> int:
    """The ledger's last n."""
    return tx.scalar(select(func.max(movement.c.n))) or 0
