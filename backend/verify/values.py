"""The value of stock: months as ledger and costs make them, nothing lost between what came and what left, postings.

An item whose mark says that it is still to be valued is left out, and so is one that the ledger has moved since.
"""

from decimal import Decimal, localcontext

from sqlalchemy import select

from backend.book import value_ledger, value_marks
from backend.book.register import load
from backend.book.schema import ledger_head, movement
from backend.book.schema_costs import period, value_mark, value_month
from backend.book.value_marks import LEDGER, Mark
from backend.book.values import month_of_row, revalue
from backend.verify.folds import Seen
from models.chain import GENESIS
from models.months import month_text
from models.stock.accounts import CHART, INVENTORY, balance, journal, signed
from models.stock.layers import EXACT, ZERO
from models.stock.periods import Sum, first_broken, together
from models.stock.valuation import Month
from models.units import quantity_text

EPOCH_US = 86_400_000_000
FROM_NOTHING = Mark(-EPOCH_US, value_marks.FOR_EVER)
"""Before everything that can be in the ledger, so that no month that is kept is gone on from."""


def months_replayed(seen: Seen) -> tuple[str, list[str]]:
    """Every month of an item is what its movements and costs come to from nothing."""
    tx = seen.tx
    register, waiting = load(tx), _waiting(seen)
    skus = {*tx.scalars(select(movement.c.sku).distinct()), *tx.scalars(select(value_month.c.sku).distinct())}
    wrong: list[str] = []
    count = 0
    for sku in sorted(skus - waiting):
        made = {each.month: each for each in revalue(tx, register, sku, FROM_NOTHING).months}
        kept = _months(seen, sku)
        count += len(kept)
        wrong += [
            f"{sku} {month_text(month)}: {_worth(kept.get(month))} is kept, {_worth(made.get(month))} is due"
            for month in sorted({*made, *kept})
            if made.get(month) != kept.get(month)
        ]
    return f"{count} months, {len(skus & waiting)} items still to be valued", wrong


def nothing_lost(seen: Seen) -> tuple[str, list[str]]:
    """What came and what it cost beside is what left and what is there, to the last digit, month after month."""
    wrong: list[str] = []
    total = ZERO
    for sku in sorted(seen.tx.scalars(select(value_month.c.sku).distinct())):
        value = ZERO
        for number, month in sorted(_months(seen, sku).items()):
            with localcontext(EXACT):
                value += sum((signed(flow, each.value) for flow, each in month.sums().items()), ZERO)
            if value != month.value:
                flowed = quantity_text(value)
                wrong.append(f"{sku} {month_text(number)}: worth {_worth(month)}, its flows come to {flowed}")
        total += value
    return f"inventory {quantity_text(total.quantize(Decimal('0.01')))}", wrong


def postings_stand(seen: Seen) -> tuple[str, list[str]]:
    """Postings are chained and balance, and an item's come to what its closed months are worth as is known now."""
    tx = seen.tx
    head = tx.execute(select(ledger_head).where(ledger_head.c.ledger == value_ledger.VALUE)).one_or_none()
    found = value_ledger.postings(tx)
    broken, n, last = first_broken(found)
    wrong = [f"posting {broken}: its hash does not follow from posting {broken - 1}"] if broken is not None else []
    if broken is None and (n, last) != ((0, GENESIS) if head is None else (head.n, bytes(head.hash))):
        wrong.append(f"the head is not posting {n}")
    posted: dict[str, list[dict[str, Sum]]] = {}
    for posting, _ in found:
        posted.setdefault(posting.sku, []).append(value_ledger.sums_of(posting))
        sides = balance(line for each in posting.lines for line in journal(each.flow, each.amount))
        if sum(sides.values()) or not sides.keys() <= CHART.keys():
            wrong.append(f"posting {posting.n}: debit and credit differ")
    closed_to, waiting = value_marks.closed_to(tx), _waiting(seen)
    for sku in sorted({*posted, *tx.scalars(select(value_month.c.sku).distinct())} - waiting):
        closed = [each.sums() for month, each in _months(seen, sku).items() if month <= (closed_to or -1)]
        if _values(together(closed)) != _values(together(posted.get(sku, []))):
            wrong.append(f"{sku}: its postings are not what its closed months are worth")
    return f"{len(found)} postings", wrong


def periods_closed(seen: Seen) -> tuple[str, list[str]]:
    """Months are closed one after the other, each with the inventory's account as its postings leave it."""
    rows = seen.tx.execute(select(period).order_by(period.c.month)).all()
    wrong: list[str] = []
    inventory = ZERO
    for k, row in enumerate(rows):
        if row.month != rows[0].month + k:
            wrong.append(f"{month_text(row.month)} is closed, the month before is not")
        inventory += value_ledger.balance(seen.tx, row.month).get(INVENTORY, ZERO)
        if Decimal(row.inventory) != inventory:
            wrong.append(f"{month_text(row.month)}: inventory {row.inventory}, its postings leave {inventory}")
    return f"{len(rows)} months closed", wrong


def _waiting(seen: Seen) -> set[str]:
    """Items that are still to be valued: everyone that moved after what is followed, or that is marked."""
    tx = seen.tx
    after = value_marks.position(tx, LEDGER)
    moved = tx.scalars(select(movement.c.sku).where(movement.c.n > after).distinct())
    return {*moved, *tx.scalars(select(value_mark.c.sku))}


def _months(seen: Seen, sku: str) -> dict[int, Month]:
    rows = seen.tx.execute(select(value_month).where(value_month.c.sku == sku).order_by(value_month.c.month))
    return {row.month: month_of_row(row) for row in rows}


def _worth(month: Month | None) -> str:
    return "nothing" if month is None else quantity_text(month.value)


def _values(sums: dict[str, Sum]) -> dict[str, tuple[Decimal, Decimal]]:
    return {flow: (each.quantity, each.value) for flow, each in sums.items() if each.quantity or each.value}
