"""Depreciation: what an asset loses in the books, by time or by measured use, exactly, in cents where it is posted.

A plan runs from when the asset is in service, and anew from every change of estimate and addition, which spread what is
left over what is left of the life. Each year is rounded half up for itself; the last one takes the rest, so that a life
ends at the salvage. IAS 16.50-62 has the methods, IAS 8.36 that estimates change nothing of before.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from models.assets.charge import CHARGES, Life, Year, cents
from models.assets.years import Convention, add_months, effective, life_begins, portion, share, years
from models.declared_assets import DepreciationPolicy

Used = Callable[[str, date, date], Fraction]
"""How much of a meter's hours, km or cycles was surely counted from the begin of one day to that of another."""
ZERO = Decimal(0)
YEAR_MONTHS = 12


class Change(Struct, frozen=True):
    """From the begin of a day on: another policy, or so much more that was spent on the asset."""

    at: date
    policy: DepreciationPolicy | None = None
    addition: Decimal = ZERO


class Part(Struct, frozen=True):
    """So much is lost from one day to another, evenly."""

    begin: date
    end: date
    amount: Decimal
    convention: Convention

    def lost(self, until: date, _used: Used) -> Decimal:
        """What of it is lost at the begin of a day."""
        if until >= self.end or until <= self.begin:
            return self.amount if until >= self.end else ZERO
        return cents(Fraction(self.amount) * portion(self.begin, self.end, until, self.convention))


class UsePart(Struct, frozen=True):
    """So much is lost by each unit of use, at most `most`."""

    begin: date
    end: date
    meter: str
    per_unit: Fraction
    most: Decimal

    def lost(self, until: date, used: Used) -> Decimal:
        """What of it is lost at the begin of a day."""
        if until <= self.begin:
            return ZERO
        return min(self.most, cents(used(self.meter, self.begin, min(until, self.end)) * self.per_unit))


class _Plan(Struct, frozen=True):
    """How value is lost from `at` on: `value` is left then, and `passed` of the life is over."""

    life: Life
    at: date
    ends: date
    passed: Fraction
    value: Decimal
    first: date | None = None
    """When the asset's life began, if this is its first plan."""
    per_unit: Fraction = Fraction(0)
    """What a unit of use takes."""


class _Gone(Struct, frozen=True):
    """What of an asset's life is behind it: years, and units of use."""

    years: Fraction
    units: Fraction


def parts(
    cost: Decimal, begun: date, policy: DepreciationPolicy, changes: Iterable[Change], used: Used
) -> Sequence[Part | UsePart]:
    """What an asset loses from when it is in service to the end of its life, as is known with these changes."""
    done: list[Part | UsePart] = []
    plan = _first(cost, begun, policy)
    gone = _Gone(plan.passed, _units_before(plan))
    for change in sorted(changes, key=lambda each: each.at):
        at = max(plan.at, effective(change.at, plan.life.policy.convention))
        cut = [*_cut(_run(plan), at, used)]
        done += cut
        gone = _Gone(gone.years + _elapsed(plan, at), gone.units + _units(cut, used))
        value = plan.value - lost(cut, at, used) + change.addition
        plan = _again(change.policy or plan.life.policy, at, life_begins(begun, policy.convention), gone, value)
    return [*done, *_run(plan)]


def lost(of: Iterable[Part | UsePart], until: date, used: Used) -> Decimal:
    """What was lost in all at the begin of a day, without what other books had lost before."""
    return sum((part.lost(until, used) for part in of), ZERO)


def _first(cost: Decimal, begun: date, policy: DepreciationPolicy) -> _Plan:
    """The plan from the begin; of what was taken over from other books: rates as they were, from the day after."""
    ends = date.max
    if policy.life_months is not None:
        ends = add_months(life_begins(begun, policy.convention), policy.life_months)
    life = Life(policy, max(cost - policy.salvage, ZERO), Fraction(policy.life_months or 0, YEAR_MONTHS))
    per_unit = Fraction(life.base) / Fraction(policy.total_units or 1)
    plan = _Plan(life, effective(begun, policy.convention), ends, Fraction(0), cost, begun, per_unit)
    if policy.opening is None:
        return plan
    at = policy.opening.date + timedelta(days=1)
    passed, value = _elapsed(plan, at), cost - policy.opening.accumulated
    return replace(plan, at=at, passed=passed, value=value, first=begun if at.year == begun.year else None)


def _again(policy: DepreciationPolicy, at: date, origin: date, gone: _Gone, value: Decimal) -> _Plan:
    """What is left, over what is left of the life; without any left, within the month."""
    base = max(value - policy.salvage, ZERO)
    if policy.method == "units":
        units = max(Fraction(policy.total_units or 0) - gone.units, Fraction(1))
        return _Plan(Life(policy, base, Fraction(0)), at, date.max, Fraction(0), value, None, Fraction(base) / units)
    ends = max(add_months(origin, policy.life_months or 0), add_months(at.replace(day=1), 1))
    left = max(Fraction(policy.life_months or 0, YEAR_MONTHS) - gone.years, share(at, ends, "month"))
    return _Plan(Life(policy, base, left), at, ends, Fraction(0), value)


def _run(plan: _Plan) -> Iterator[Part | UsePart]:
    """The plan's years, or its use."""
    policy, left = plan.life.policy, max(plan.value - plan.life.policy.salvage, ZERO)
    if policy.method == "units":
        yield UsePart(plan.at, plan.ends, policy.meter or "", plan.per_unit, left)
        return
    exact, passed = Fraction(left), plan.passed
    for begin, end, part in years(plan.at, plan.ends, policy.convention, plan.first):
        year = Year(exact + Fraction(policy.salvage), passed, part)
        exact -= min(exact, CHARGES[policy.method](plan.life, year))
        passed += part
        amount = (
            left if end == plan.ends or not exact else min(left, cents(year.value - Fraction(policy.salvage) - exact))
        )
        left -= amount
        yield Part(begin, end, amount, policy.convention)


def _elapsed(plan: _Plan, until: date) -> Fraction:
    """How many years of a life pass from a plan's begin to a day."""
    end = min(plan.ends, date(until.year + 1, 1, 1))
    convention = plan.life.policy.convention
    return sum(
        (
            part * portion(begin, end, min(until, end), convention)
            for begin, end, part in years(plan.at, end, convention, plan.first)
            if begin < until
        ),
        Fraction(0),
    )


def _units_before(plan: _Plan) -> Fraction:
    """What an asset that was taken over had been used, as its value says."""
    policy = plan.life.policy
    if policy.method != "units" or policy.opening is None or not plan.life.base:
        return Fraction(0)
    return Fraction(policy.opening.accumulated) * Fraction(policy.total_units or 0) / Fraction(plan.life.base)


def _units(of: Iterable[Part | UsePart], used: Used) -> Fraction:
    return sum((used(part.meter, part.begin, part.end) for part in of if isinstance(part, UsePart)), Fraction(0))


def _cut(of: Iterable[Part | UsePart], at: date, used: Used) -> Iterator[Part | UsePart]:
    """What of some parts lies before a day."""
    for part in of:
        if part.end <= at:
            yield part
        elif part.begin < at and isinstance(part, Part):
            yield replace(part, end=at, amount=part.lost(at, used))
        elif part.begin < at and isinstance(part, UsePart):
            yield replace(part, end=at)
