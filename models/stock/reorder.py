"""Replenishment: at or below the minimum, one proposal up to the maximum or of whole lots, and none while one is open.

The minimum is a reorder point, whoever set it: a person, or `models.stock.policy` from what it measured.
"""

from decimal import Decimal

from msgspec import Struct

from models.errors import Refused
from models.units import BadQuantity, checked, plain, quantity_text


class Rule(Struct, frozen=True):
    """Minimum and maximum of a SKU, in its units; orders are whole packs and at least `minimum_order`."""

    sku: str
    minimum: Decimal
    maximum: Decimal
    pack: Decimal = Decimal(1)
    minimum_order: Decimal = Decimal(0)
    lot: Decimal | None = None
    """An order is one lot, or what is needed to come above the minimum if that is more; else it is up to `maximum`."""
    multiples: bool = False
    """An order is as many whole lots as are needed."""
    ceiling: Decimal | None = None
    """An order takes the position no higher, unless what is needed, a pack or the minimum order does."""

    def __post_init__(self) -> None:
        for name in ("minimum", "maximum", "pack", "minimum_order"):
            figure: Decimal = getattr(self, name)
            try:
                if not figure.is_zero():
                    checked(figure)
            except BadQuantity as error:
                msg = f"{name}: {error}"
                raise Refused(msg) from error
        if self.maximum <= self.minimum:
            msg = f"maximum: more than the minimum {self.minimum} (0 or more) expected, got {self.maximum}"
            raise Refused(msg)
        if self.pack.is_zero():
            msg = f"pack: a positive size expected, got {self.pack}"
            raise Refused(msg)


class Proposal(Struct, frozen=True):
    """Buy `quantity` of a SKU; `position` is what was on hand and on order, less what is promised, when it was made."""

    sku: str
    quantity: Decimal
    position: Decimal
    reason: str


class Holding(Struct, frozen=True):
    """What counts as there: on hand and usable, on order, and promised to somebody. On hand may be negative."""

    on_hand: Decimal
    on_order: Decimal
    reserved: Decimal = Decimal(0)

    @property
    def position(self) -> Decimal:
        """On hand + on order - reserved."""
        return self.on_hand + self.on_order - self.reserved

    def __str__(self) -> str:
        promised = f", {quantity_text(self.reserved)} reserved" if self.reserved else ""
        return f"{quantity_text(self.on_hand)} on hand and {quantity_text(self.on_order)} on order{promised}"


def proposal(rule: Rule, holding: Holding, *, is_open: bool) -> Proposal | None:
    """What to order now, or None: above the minimum, or a proposal for this SKU `is_open`.

    A negative position, more issued than received, counts as it is. The quantity is rounded up to whole packs, at least
    the minimum order, and always takes the position above the minimum.
    """
    position = holding.position
    if is_open or position > rule.minimum:
        return None
    lacking = rule.minimum - position
    wanted = _wanted(rule, position)
    if rule.ceiling is not None:
        wanted = min(wanted, rule.ceiling - position)
    packs, rest = divmod(max(wanted, rule.minimum_order, lacking), rule.pack)
    quantity = (packs + 1 if rest else packs) * rule.pack
    if quantity <= lacking:
        quantity += rule.pack
    reason = (
        f"{holding}: at or below the minimum of {quantity_text(rule.minimum)}; {_how(rule)} in packs of "
        f"{quantity_text(rule.pack)}"
    )
    return Proposal(rule.sku, plain(quantity), plain(position), reason)


def _wanted(rule: Rule, position: Decimal) -> Decimal:
    if rule.lot is None:
        return rule.maximum - position
    return rule.lot * (1 + (rule.minimum - position) // rule.lot) if rule.multiples else rule.lot


def _how(rule: Rule) -> str:
    if rule.lot is None:
        return f"up to {quantity_text(rule.maximum)}"
    return f"{'whole lots' if rule.multiples else 'a lot'} of {quantity_text(rule.lot)}"
