"""Min/max replenishment: at or below the minimum, one proposal up to the maximum, and none while one is open."""

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
    """Buy `quantity` of a SKU; `position` is what was on hand and on order when it was made."""

    sku: str
    quantity: Decimal
    position: Decimal
    reason: str


def proposal(rule: Rule, on_hand: Decimal, on_order: Decimal, *, is_open: bool) -> Proposal | None:
    """What to order now, or None: above the minimum, or a proposal for this SKU `is_open`.

    Position = on hand + on order; a negative one, more issued than received, counts as it is. The quantity fills up to
    the maximum, is at least the minimum order, and is rounded up to whole packs; never more than that.
    """
    position = on_hand + on_order
    if is_open or position > rule.minimum:
        return None
    wanted = max(rule.maximum - position, rule.minimum_order)
    packs, rest = divmod(wanted, rule.pack)
    quantity = plain((packs + 1 if rest else packs) * rule.pack)
    reason = (
        f"{quantity_text(on_hand)} on hand and {quantity_text(on_order)} on order: at or below the minimum of "
        f"{quantity_text(rule.minimum)}; up to {quantity_text(rule.maximum)} in packs of {quantity_text(rule.pack)}"
    )
    return Proposal(rule.sku, quantity, plain(position), reason)
