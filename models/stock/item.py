"""Quantities of an item in its units: exact, or refused. Nothing is ever rounded here.

A factor is a fraction of whole numbers, so that a third of a pack is a third; the book counts in the item's own unit,
in decimals, and what has no such decimal is refused with both figures.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from models.errors import Refused
from models.units import BadQuantity, checked, quantity_text


class Units(Struct, frozen=True):
    """The units of an item: its own, the others in terms of it, and whether it has only whole numbers of its own."""

    base: str
    factors: Mapping[str, Fraction]
    whole: bool = False

    @classmethod
    def of(cls, base: str, others: Sequence[tuple[str, int, int]], *, whole: bool = False) -> "Units":
        """From (unit, numerator, denominator): one of the unit is so many of `base`."""
        return cls(base, {unit: Fraction(numerator, denominator) for unit, numerator, denominator in others}, whole)

    def factor(self, unit: str) -> Fraction:
        """How many of `base` are in one. Raises Refused naming the units that there are."""
        found = Fraction(1) if unit == self.base else self.factors.get(unit)
        if found is None:
            msg = f"unit: one of {', '.join([self.base, *sorted(self.factors)])} expected, got {unit!r}"
            raise Refused(msg)
        return found


def convert(units: Units, quantity: Decimal, from_unit: str, to_unit: str) -> Decimal:
    """A quantity in another unit of its item, exactly.

    Raises Refused for a unit that the item does not have, for a result that is not whole where the item is counted in
    whole numbers, and BadQuantity for one with more digits than a quantity has.

    >>> bolts = Units.of("each", [("box", 100, 1), ("third", 100, 3)], whole=True)
    >>> convert(bolts, Decimal("2.5"), "box", "each"), convert(bolts, Decimal(3), "third", "box")
    (Decimal('250'), Decimal('1'))
    """
    exact = Fraction(quantity) * units.factor(from_unit) / units.factor(to_unit)
    said = f"{quantity_text(quantity)} {from_unit}"
    if units.whole and to_unit == units.base and exact.denominator != 1:
        msg = f"quantity: a whole number of {units.base} expected, {said} is {exact}"
        raise Refused(msg)
    found = _decimal(exact)
    if found is None:
        msg = f"quantity: {said} is {exact} {to_unit}, which no decimal is exactly"
        raise BadQuantity(msg)
    return checked(found)


def in_base(units: Units, quantity: Decimal, unit: str | None = None) -> Decimal:
    """A quantity as the book counts it; without a unit it is in the item's own. Raises as `convert`."""
    return convert(units, quantity, units.base if unit is None else unit, units.base)


def is_whole(quantity: Decimal) -> bool:
    """Whether there is nothing after the point."""
    return quantity == quantity.to_integral_value()


def _decimal(exact: Fraction) -> Decimal | None:
    """The decimal that a fraction is, or None: only twos and fives divide it."""
    rest, places = exact.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1:
        return None
    return Decimal(f"{exact.numerator * 10**places // exact.denominator}E-{places}")
