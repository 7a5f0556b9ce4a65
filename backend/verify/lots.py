"""What is promised, written off and capitalised: each follows from its recorded steps, and is in the ledger once."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import select

from backend.book import ledger, reservations
from backend.book.schema_lots import capitalisation, reservation, reservation_step, write_off
from backend.verify.folds import Seen
from models.declared import Asset
from models.stock.ledger import net


def reservations_stepped(seen: Seen) -> tuple[str, list[str]]:
    """What is left of every reservation is the sum of its steps."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for ident, quantity in seen.tx.execute(select(reservation_step.c.reservation_id, reservation_step.c.quantity)):
        sums[ident] += Decimal(quantity)
    rows = seen.tx.execute(select(reservation)).all()
    left = {row.id: reservations.held(row).left for row in rows}
    wrong = [
        f"reservation {ident}: {left.get(ident)} left, its steps say {sums[ident]}"
        for ident in sorted({*left, *sums})
        if left.get(ident) != sums[ident]
    ]
    return f"{len(rows)} reservations", wrong


def left_stock_once(seen: Seen) -> tuple[str, list[str]]:
    """Every approved write-off and capitalised spare has its movement that holds, the spare its asset too."""
    rows = seen.tx.execute(select(write_off).where(write_off.c.state == "approved")).all()
    spares = seen.tx.execute(select(capitalisation)).all()
    holding = {each.id for each in net(entry.movement for entry in ledger.entries_of(seen.tx))}
    wrong = [f"write-off {row.id}: its movement does not hold" for row in rows if row.movement not in holding]
    wrong += [f"capitalisation {row.id}: its movement does not hold" for row in spares if row.movement not in holding]
    register = seen.register
    wrong += [
        f"capitalisation {row.id}: asset {row.asset!r} from then on expected in the register"
        for row in spares
        if not isinstance(register.get("assets", row.asset, row.at), Asset)
    ]
    return f"{len(rows)} write-offs, {len(spares)} capitalised", wrong
