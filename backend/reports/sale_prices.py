"""What was sold for what: at the price of the order line that a movement filled, where the line names one."""

from bisect import bisect_right
from collections import defaultdict
from decimal import Decimal

from sqlalchemy import Connection, select

from backend.api.queries.tasks import waited_for
from backend.book.schema_warehouse import outbound_line, outbound_order
from models.stock.fulfilment import Part, came_for

ZERO = Decimal(0)


class Sold:
    """The parts of order lines that an item's movements filled, and the lines' prices."""

    def __init__(self, tx: Connection, sku: str) -> None:
        line, order = outbound_line.c, outbound_order.c
        query = select(line.order_id, line.line, line.price, order.stage).join(
            outbound_order, order.id == line.order_id
        )
        rows = tx.execute(query.where(line.sku == sku, line.price.is_not(None))).all()
        self._prices = {f"{row.order_id}/{row.line}": Decimal(row.price) for row in rows}
        parts = [
            part for stage in sorted({row.stage for row in rows}) for part in came_for(*waited_for(tx, stage, [sku]))
        ]
        self._of_move: defaultdict[str, list[Part]] = defaultdict(list)
        for part in parts:
            self._of_move[part.move].append(part)
        self._in_time = sorted(parts, key=lambda part: part.at)

    def worth(self, move: str, quantity: Decimal, usual: Decimal | None) -> Decimal | None:
        """What a sale earned: `usual` for one that no priced line waited for; None if there is no such price."""
        worth, left = ZERO, quantity
        for part in self._of_move.get(move, ()):
            price = self._prices.get(part.line or "")
            if price is not None:
                worth += part.quantity * price
                left -= part.quantity
        return worth if not left else None if usual is None else worth + left * usual

    def worth_back(self, at: int, quantity: Decimal, usual: Decimal | None) -> Decimal | None:
        """What a return takes back, below zero: at the price of what was sold last by then."""
        last = bisect_right(self._in_time, at, key=lambda part: part.at)
        line = self._in_time[last - 1].line if last else None
        price = self._prices.get(line or "", usual)
        return None if price is None else -quantity * price
