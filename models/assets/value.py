"""What an asset is worth in the books, and what its ledger should say: a function of the dated facts and the use.

Both the standing at a date and the flows of a month follow from the same parts, so that they agree. What is posted is
the difference between these flows and those that are posted already: nothing twice, and late facts as deltas.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from models.assets.accounts import Flow
from models.assets.depreciation import Change, Part, Used, UsePart, lost, parts
from models.declared_assets import DepreciationPolicy

ZERO = Decimal(0)
Flows = Mapping[Flow, Decimal]


class Cost(Struct, frozen=True):
    """What was spent on an asset on a day, as it is classed now."""

    at: date
    amount: Decimal
    is_capital: bool


class Left(Struct, frozen=True):
    """On this day it went: sold for so much, or for nothing."""

    at: date
    proceeds: Decimal = ZERO


class Facts(Struct, frozen=True, kw_only=True):
    """All that an asset's value rests on, but its use."""

    cost: Decimal
    bought: date
    begun: date
    """In service, and depreciated, from this day on."""
    policy: DepreciationPolicy | None = None
    estimates: tuple[Change, ...] = ()
    """Policies that held from a later day on."""
    costs: tuple[Cost, ...] = ()
    left: Left | None = None


Parts = tuple[Part | UsePart, ...]


class Standing(Struct, frozen=True):
    """An asset in the books at the end of a day: book value = gross + additions - accumulated."""

    gross: Decimal
    additions: Decimal
    accumulated: Decimal

    @property
    def book_value(self) -> Decimal:
        """What is left."""
        return self.gross + self.additions - self.accumulated


def parts_of(facts: Facts, used: Used) -> Parts:
    """What it loses over its life; what was spent before that began is part of what it cost."""
    if facts.policy is None:
        return ()
    begun = _taken_over(facts) or facts.begun
    capital = [each for each in facts.costs if each.is_capital]
    cost = facts.cost + sum((each.amount for each in capital if each.at <= begun), ZERO)
    later = [Change(each.at, addition=each.amount) for each in capital if each.at > begun]
    return tuple(parts(cost, facts.begun, facts.policy, [*facts.estimates, *later], used))


def standing(facts: Facts, at: date, used: Used) -> Standing:
    """What it is worth at the end of a day; nothing from the day on which it went."""
    if facts.left is not None and at >= facts.left.at:
        return Standing(ZERO, ZERO, ZERO)
    return _standing(facts, at, lost(parts_of(facts, used), at + timedelta(days=1), used))


def leaving(facts: Facts, left: Left, used: Used) -> Standing:
    """What it was worth when it went, depreciated to the day; what was spent on that day is part of it."""
    return _standing(facts, left.at, lost(parts_of(facts, used), left.at, used))


def _standing(facts: Facts, at: date, gone: Decimal) -> Standing:
    """With what was lost since these books have it."""
    additions = sum((each.amount for each in facts.costs if each.is_capital and each.at <= at), ZERO)
    is_here = at >= (_taken_over(facts) or facts.bought)
    return Standing(facts.cost if is_here else ZERO, additions, gone + (_opening(facts) if is_here else ZERO))


def flows(facts: Facts, until: date, used: Used) -> dict[int, dict[Flow, Decimal]]:
    """By month (`models.months`) what is to be posted up to the begin of a day; depreciation of whole months only."""
    found: dict[int, dict[Flow, Decimal]] = {}
    for at, flow, amount in [*_dated(facts, used), *_monthly(facts, until, used)]:
        if at < until and amount:
            of = found.setdefault(at.year * 12 + at.month - 1, {})
            of[flow] = of.get(flow, ZERO) + amount
    return found


def _dated(facts: Facts, used: Used) -> Iterator[tuple[date, Flow, Decimal]]:
    taken_over = _taken_over(facts)
    yield (facts.bought, "acquisition", facts.cost) if taken_over is None else (taken_over, "take over", facts.cost)
    if taken_over is not None:
        yield taken_over, "taken over depreciation", _opening(facts)
    for each in facts.costs:
        yield each.at, "addition" if each.is_capital else "upkeep", each.amount
    if facts.left is not None:
        last = leaving(facts, facts.left, used)
        yield facts.left.at, "disposal of depreciation", last.accumulated
        yield facts.left.at, "disposal of book value", last.book_value
        yield facts.left.at, "proceeds", facts.left.proceeds


def _monthly(facts: Facts, until: date, used: Used) -> Iterator[tuple[date, Flow, Decimal]]:
    """What each month took; the month in which it went, up to that day."""
    has_gone = facts.left is not None and facts.left.at < until
    end = facts.left.at if facts.left is not None and has_gone else until.replace(day=1)
    of, before = parts_of(facts, used), ZERO
    if not of:
        return
    begin = of[0].begin.replace(day=1)
    while begin < end:
        following = (begin + timedelta(days=31)).replace(day=1)
        stand = lost(of, min(following, end), used)
        yield begin, "depreciation", stand - before
        begin, before = following, stand


def _taken_over(facts: Facts) -> date | None:
    opening = None if facts.policy is None else facts.policy.opening
    return None if opening is None else opening.date


def _opening(facts: Facts) -> Decimal:
    opening = None if facts.policy is None else facts.policy.opening
    return ZERO if opening is None else opening.accumulated
