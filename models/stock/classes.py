"""Which items matter, how evenly they are asked for, how fast they turn, and where cash lies still."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import fmean, pstdev
from typing import Literal

from msgspec import Struct

Abc = Literal["A", "B", "C"]
Xyz = Literal["X", "Y", "Z"]
ABC_CUTS = (Decimal("0.8"), Decimal("0.95"))
XYZ_CUTS = (0.5, 1.0)
YEAR_DAYS = Decimal(365)


def abc(values: Mapping[str, Decimal], cuts: tuple[Decimal, Decimal] = ABC_CUTS) -> dict[str, Abc]:
    """By annual value, the greatest first: the cumulative share before an item says its class; ties by name.

    What has no value is C.
    """
    total, before = sum(values.values(), Decimal(0)), Decimal(0)
    found: dict[str, Abc] = {}
    for name in sorted(values, key=lambda each: (-values[each], each)):
        share = before / total if total and values[name] else Decimal(1)
        found[name] = "A" if share < cuts[0] else "B" if share < cuts[1] else "C"
        before += values[name]
    return found


def variation(amounts: Sequence[float]) -> float | None:
    """The coefficient of variation of equal periods' demand (population); None of no demand."""
    mean = fmean(amounts) if amounts else 0.0
    return pstdev(amounts) / mean if mean > 0 else None


def xyz(cv: float | None, cuts: tuple[float, float] = XYZ_CUTS) -> Xyz:
    """X: even, Y: varies, Z: now and then, or never."""
    if cv is None:
        return "Z"
    return "X" if cv < cuts[0] else "Y" if cv < cuts[1] else "Z"


def turnover(used: Decimal, average: Decimal) -> Decimal | None:
    """How often the stock turns: cost of what was used over the average stock; None without any stock."""
    return used / average if average else None


def days_on_hand(turns: Decimal) -> Decimal:
    """365 / turns."""
    return YEAR_DAYS / turns


class Standing(Struct, frozen=True, kw_only=True):
    """An item's stock beside what is asked for of it."""

    on_hand: Decimal
    days: Decimal | None
    """How long it lasts at the measured demand; None if nothing is asked for."""
    over: Decimal
    """More than its ceiling: the highest that the policy would order up to."""
    is_slow: bool
    """There is stock, and no piece of it was asked for within the limit."""
    cash: Decimal | None
    """What is tied up in it; None without a unit cost."""
    cash_over: Decimal | None


def standing(
    on_hand: Decimal, mean_a_day: float, ceiling: Decimal | None, idle_days: float | None, unit_cost: Decimal | None
) -> Standing:
    """How an item stands; `idle_days` since it was last asked for (None: never), slow from SLOW_DAYS on."""
    there = max(on_hand, Decimal(0))
    over = Decimal(0) if ceiling is None else max(there - ceiling, Decimal(0))
    return Standing(
        on_hand=on_hand,
        days=Decimal(round(float(there) / mean_a_day, 1)).quantize(Decimal("0.1")) if mean_a_day > 0 else None,
        over=over,
        is_slow=there > 0 and (idle_days is None or idle_days >= SLOW_DAYS),
        cash=None if unit_cost is None else there * unit_cost,
        cash_over=None if unit_cost is None else over * unit_cost,
    )


SLOW_DAYS = 90.0
