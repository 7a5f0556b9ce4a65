"""What receipts cost: declared prices, and costs that several of them share (freight, duty), each from facts only.

A cost is never changed: another one replaces it, and only what is not replaced holds. So what holds does not depend on
the order in which costs became known.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from models.errors import Refused
from models.stock.layers import EXACT, UNIT, ZERO
from models.units import not_negative, plain, positive

Share = Literal["value", "quantity", "weight"]
MOST_RECEIPTS = 500


class BadCost(Refused):
    """A cost that cannot be; the message names the field."""


class Cost(Struct, frozen=True, kw_only=True):
    """A price of one unit, of a receipt or of an item's receipts from a time on; or what some receipts cost beside."""

    id: str
    what: Literal["price", "landed"]
    amount: Decimal
    movement: str | None = None
    sku: str | None = None
    lot: str | None = None
    since: int | None = None
    share: Share | None = None
    receipts: list[str] = []
    weights: list[Decimal] = []
    replaces: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Receipts come in the order of their ids. Raises BadCost."""
        try:
            not_negative(amount=self.amount)
            positive(**{f"weights[{k}]": each for k, each in enumerate(self.weights)})
        except ValueError as error:
            raise BadCost(str(error)) from error
        wrong = self._wrong_price() if self.what == "price" else self._wrong_landed()
        if wrong is not None:
            raise BadCost(wrong)
        if self.weights:
            weight = dict(zip(self.receipts, self.weights, strict=True))
            structs.force_setattr(self, "weights", [plain(weight[each]) for each in sorted(weight)])
        structs.force_setattr(self, "receipts", sorted(self.receipts))
        structs.force_setattr(self, "amount", plain(self.amount))

    def _wrong_price(self) -> str | None:
        if self.receipts or self.weights or self.share is not None:
            return "receipts: none expected of a price, it is of a movement, or of a sku from since on"
        of_item = (self.sku, self.since)
        if self.movement is not None and (*of_item, self.lot) == (None, None, None):
            return None
        if self.movement is None and None not in of_item:
            return None
        return "movement: either a movement, or sku and since (and a lot) expected of a price"

    def _wrong_landed(self) -> str | None:
        if (self.movement, self.sku, self.lot, self.since) != (None, None, None, None):
            return "movement: none expected of a landed cost, its receipts are named in receipts"
        if self.share is None or not 1 <= len({*self.receipts}) == len(self.receipts) <= MOST_RECEIPTS:
            return f"receipts: 1 to {MOST_RECEIPTS} different ones expected of a landed cost, and share"
        if len(self.weights) != (len(self.receipts) if self.share == "weight" else 0):
            return "weights: one for each receipt expected of a share by weight, else none"
        return None


class Bears(NamedTuple):
    """A receipt that bears a part of a landed cost, as far as its share asks."""

    movement: str
    quantity: Decimal
    price: Decimal | None
    weight: Decimal | None


def holding(costs: Iterable[Cost]) -> list[Cost]:
    """Those that nothing replaces."""
    known = [*costs]
    replaced = {each.replaces for each in known}
    return [each for each in known if each.id not in replaced]


def dated(prices: Iterable[Cost], lot: str | None, at: int) -> Decimal | None:
    """The price of an item's receipts that holds at a time: the lot's own before the item's, the newest of each."""
    found = [each for each in prices if each.lot in {None, lot} and (each.since or 0) <= at]
    best = max(found, key=lambda each: (each.lot is not None, each.since or 0, each.id), default=None)
    return None if best is None else best.amount


def spread(amount: Decimal, share: Share, bears: Sequence[Bears]) -> dict[str, Decimal]:
    """What each receipt bears, to UNIT; the last one has the rest, so that nothing is lost.

    Where no price is known of any, by quantity.
    """
    with localcontext(EXACT):
        keys = [_key(share, each) for each in bears]
        if not any(keys):
            keys = [each.quantity for each in bears]
        whole, left = sum(keys, ZERO), amount
        found: dict[str, Decimal] = {}
        for each, key in zip(bears, keys, strict=True):
            found[each.movement] = (amount * key / whole).quantize(UNIT)
            left -= found[each.movement]
        if bears:
            found[bears[-1].movement] += left
        return found


def _key(share: Share, bears: Bears) -> Decimal:
    if share == "value":
        return bears.quantity * (bears.price or ZERO)
    return bears.quantity if share == "quantity" else bears.weight or ZERO
