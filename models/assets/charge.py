"""Depreciation by time: what a year, or a share of one, takes of an asset's value by each method, as fractions."""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from math import floor

from msgspec import Struct

from models.declared_assets import DepreciationPolicy

CENT = Decimal("0.01")
_ROOTS, _EXACT = Context(prec=60), Decimal(1).scaleb(-40)
"""A root is taken to 40 decimals, so that one that comes out even is even."""


class Life(Struct, frozen=True):
    """What is to be lost, `base` of a value, in so many `years`."""

    policy: DepreciationPolicy
    base: Decimal
    years: Fraction


class Year(Struct, frozen=True):
    """A year, or a share of one: the value at its begin, and how much of the life has passed then."""

    value: Fraction
    passed: Fraction
    share: Fraction


def cents(amount: Fraction) -> Decimal:
    """To the cent, half up.

    >>> cents(Fraction(2, 3)), cents(Fraction(5, 1000))
    (Decimal('0.67'), Decimal('0.01'))
    """
    return Decimal(floor(amount * 100 + Fraction(1, 2))) * CENT


def straight_line(life: Life, year: Year) -> Fraction:
    """Each year alike."""
    return Fraction(life.base) * year.share / life.years


def sum_of_digits(life: Life, year: Year) -> Fraction:
    """Of 5 years 5, 4, 3, 2, 1 parts of 15."""
    before, after = (_digits(life.years, passed) for passed in (year.passed, year.passed + year.share))
    return Fraction(life.base) * (after - before) / _digits(life.years, life.years)


def declining(life: Life, year: Year) -> Fraction:
    """A share of the value: as declared, else 1 - (salvage / cost) ^ (1 / years)."""
    return year.value * declining_rate(life) * year.share


def double_declining(life: Life, year: Year) -> Fraction:
    """Twice the share of a straight line, of the value; with a switch a straight line over the rest once it is more."""
    fast = year.value * 2 / life.years * year.share
    if not life.policy.switch:
        return fast
    left = max(life.years - year.passed, year.share)
    return max(fast, (year.value - Fraction(life.policy.salvage)) * year.share / left)


CHARGES: Mapping[str, Callable[[Life, Year], Fraction]] = {
    "straight_line": straight_line,
    "sum_of_digits": sum_of_digits,
    "declining": declining,
    "double_declining": double_declining,
}


def declining_rate(life: Life) -> Fraction:
    """The share of the value that a year takes."""
    policy = life.policy
    if policy.rate is not None:
        return Fraction(policy.rate)
    kept = _ROOTS.divide(policy.salvage, policy.salvage + life.base)
    root = _ROOTS.power(kept, _ROOTS.divide(Decimal(life.years.denominator), Decimal(life.years.numerator)))
    return 1 - Fraction(root.quantize(_EXACT, context=_ROOTS))


def _digits(years: Fraction, passed: Fraction) -> Fraction:
    """The sum of the years' digits up to a moment: of 3 years 3, 5, 6; of 2.5 years 2.5, 4, 4.25."""
    passed = min(passed, years)
    whole = floor(passed)
    return sum((years - k for k in range(whole)), Fraction(0)) + (passed - whole) * (years - whole)
