"""How an item is reordered, as the register says it: by which method, to which service, and what people fixed."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.units import not_negative, positive

Method = Literal["min_max", "reorder_point", "s_S", "R_Q", "review"]
LEAST_SERVICE, MOST_SERVICE = Decimal("0.5"), Decimal("0.9999")


class ReorderPolicy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The method, its service target, and figures that stand in place of measured ones.

    min_max: the item's `reorder_min` and `reorder_max` as they are. The others measure demand and lead time:
    reorder_point orders one economic quantity, or what is needed if that is more; R_Q whole multiples of it; s_S up to
    the reorder point and one quantity; review the same, but only once in `review_days`.
    """

    method: Method = "reorder_point"
    service: Decimal = Decimal("0.95")
    """From 0.5 to 0.9999: the share of replenishment cycles without a stock-out, or of units served at once."""
    target: Literal["cycle", "fill"] = "cycle"
    """Which of the two `service` is."""
    formula: Literal["corrected", "textbook"] = "corrected"
    """textbook: normal demand, no undershoot, nothing for what the measurements do not know."""
    review_days: Annotated[int, Meta(ge=1, le=366)] | None = None
    """Of review: a decision is made once in so many days."""
    window_days: Annotated[int, Meta(ge=7, le=3650)] = 365
    """Demand is measured over so many days, or since the item was first seen if that is less."""
    order_cost: Decimal | None = None
    """What placing and receiving one order costs."""
    holding_rate: Decimal = Decimal("0.2")
    """What holding stock for a year costs, as a share of its value."""
    cover_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    """An order is the demand of so many days where the economic quantity is not known for want of a price."""
    most_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Never more than the reorder point and the demand of so many days, unless packs or the minimum order need it."""
    reorder_point: Decimal | None = None
    safety_stock: Decimal | None = None
    quantity: Decimal | None = None
    """Each in place of what is computed."""

    def __post_init__(self) -> None:
        if not LEAST_SERVICE <= self.service <= MOST_SERVICE:
            msg = f"service: {LEAST_SERVICE} ... {MOST_SERVICE} expected, got {self.service}"
            raise ValueError(msg)
        if (self.method == "review") != (self.review_days is not None):
            msg = 'review_days: expected with method "review", and with no other'
            raise ValueError(msg)
        positive(holding_rate=self.holding_rate, quantity=self.quantity, order_cost=self.order_cost)
        not_negative(reorder_point=self.reorder_point, safety_stock=self.safety_stock)
