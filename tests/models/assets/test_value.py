"""What is posted agrees with what an asset is worth, in any order of what becomes known, and closed months stand."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.assets.accounts import ACCUMULATED, COST, DISPOSAL, balance, journal
from models.assets.depreciation import Change
from models.assets.posting import PostedLine, Posting, by_month, differences, first_broken, posting_hash
from models.assets.value import Cost, Facts, Left, flows, leaving, standing
from models.declared_assets import DepreciationPolicy, Opening

D = Decimal
FIRST, LAST = date(2030, 1, 1), date(2034, 12, 31)
DAYS, AMOUNTS = st.dates(FIRST, LAST), st.decimals(1, 5000, places=2)
POLICIES = st.builds(
    DepreciationPolicy,
    st.sampled_from(["straight_line", "double_declining", "sum_of_digits", "units"]),
    st.integers(12, 60),
    st.decimals(0, 900, places=2),
    st.sampled_from(["month", "daily", "half_year"]),
    meter=st.just("hours"),
    total_units=st.just(D(9000)),
)
FACTS = st.builds(
    Facts,
    cost=st.decimals(1000, 90_000, places=2),
    bought=st.just(FIRST),
    begun=st.dates(FIRST, date(2031, 6, 30)),
    policy=POLICIES,
    estimates=st.lists(st.builds(Change, DAYS, POLICIES), max_size=1).map(tuple),
    costs=st.lists(st.builds(Cost, DAYS, AMOUNTS, st.booleans()), max_size=3).map(tuple),
    left=st.one_of(st.none(), st.builds(Left, DAYS, AMOUNTS)),
)


def used(_meter: str, begin: date, end: date) -> Fraction:
    """Some hours a day, on no two days alike."""
    return Fraction(end.toordinal() ** 2 // 9 - begin.toordinal() ** 2 // 9, 20_000)


def known(facts: Facts) -> Facts:
    """As the book makes them: nothing joins the cost of what has gone, and what goes was begun before."""
    if facts.left is None:
        return facts
    gone = facts.left.at
    return replace(
        facts, costs=tuple(replace(each, is_capital=each.is_capital and each.at <= gone) for each in facts.costs)
    )


def accounts(facts: Facts, until: date) -> dict[str, Decimal]:
    posted = flows(facts, until, used).values()
    return balance(line for of in posted for flow, amount in of.items() for line in journal(flow, amount))


@given(FACTS.map(known), st.dates(FIRST, date(2036, 1, 1)))
@settings(max_examples=40)
def test_the_ledger_is_what_the_asset_is_worth(facts: Facts, at: date) -> None:
    month = at.replace(day=1)
    found, stand = accounts(facts, month), standing(facts, month - timedelta(days=1), used)
    assert sum(found.values()) == 0
    assert found.get(COST, 0) == stand.gross + stand.additions
    assert found.get(ACCUMULATED, 0) == -stand.accumulated
    if facts.left is not None and facts.left.at < month:
        gain = facts.left.proceeds - leaving(facts, facts.left, used).book_value
        assert -found.get(DISPOSAL, D(0)) == gain


def test_a_loss_to_the_cent() -> None:
    """Sold for 40,000 after 57,616.44 of 100,000."""
    how = DepreciationPolicy("straight_line", 36, D(10_000), "daily")
    facts = Facts(cost=D(100_000), bought=date(2030, 1, 30), begun=date(2030, 1, 30), policy=how)
    gone = replace(facts, left=Left(date(2032, 1, 1), D(40_000)))
    assert leaving(gone, Left(date(2032, 1, 1)), used).book_value == D("42383.56")
    assert accounts(gone, date(2032, 2, 1))[DISPOSAL] == D("2383.56")


@pytest.mark.parametrize("method", ["straight_line", "declining", "double_declining", "sum_of_digits", "units"])
@pytest.mark.parametrize("back", [-600, -1000])
def test_what_costs_less_than_its_salvage_in_the_end_loses_nothing(method: Any, back: int) -> None:
    """As after a credit note of before it was in service."""
    how = DepreciationPolicy(method, 36, D(500), meter="hours", total_units=D(1000))
    costs = (Cost(date(2029, 12, 1), D(back), is_capital=True),)
    facts = Facts(cost=D(1000), bought=FIRST, begun=FIRST, policy=how, costs=costs)
    assert standing(facts, date(2031, 12, 31), used).book_value == 1000 + back


def test_what_was_taken_over_is_not_bought_again() -> None:
    how = DepreciationPolicy(
        "straight_line", 36, D(10_000), "daily", opening=Opening(date(2031, 12, 31), D("47095.89"))
    )
    facts = Facts(cost=D(100_000), bought=date(2030, 6, 6), begun=date(2030, 6, 6), policy=how)
    assert standing(facts, date(2031, 12, 30), used).gross == 0
    assert standing(facts, date(2031, 12, 31), used).book_value == D("52904.11")
    found = accounts(facts, date(2033, 12, 1))
    assert found == {
        COST: D(100_000),
        ACCUMULATED: D(-90_000),
        "assets.opening": D("-52904.11"),
        "assets.depreciation": D("42904.11"),
    }


STEPS = st.lists(st.one_of(FACTS.map(known), st.integers(0, 80)), min_size=2, max_size=6)


@given(STEPS)
@settings(max_examples=25)
def test_posted_in_steps_it_is_what_is_known_and_closed_months_stand(steps: list[Facts | int]) -> None:
    """Facts become others and months are closed, in any order: what is posted of closed months stays."""
    posted: list[tuple[Posting, bytes]] = []
    closed_to: int | None = None
    sealed = 0
    last = bytes(32)
    for step in steps:
        if isinstance(step, int):
            closed_to = max(closed_to or 0, FIRST.year * 12 + step)
            sealed = len(posted)
            continue
        due = flows(step, date(2037, 1, 1), used)
        for each in differences("A", due, by_month(posting for posting, _ in posted), closed_to):
            lines = [PostedLine(flow, amount) for flow, amount in each.flows.items()]
            stamp = {"n": len(posted) + 1, "recorded_at": 0, "actor": "t", "what": each.what, "asset": "A"}
            posting = Posting(period=each.period, origin=each.origin, lines=lines, **stamp)  # type: ignore[arg-type]
            last = posting_hash(last, posting)
            posted.append((posting, last))
        assert all(posting.period > (closed_to or 0) for posting, _ in posted[sealed:])
        now = by_month(posting for posting, _ in posted)
        assert {k: {flow: a for flow, a in of.items() if a} for k, of in now.items() if any(of.values())} == due
        assert not differences("A", due, now, closed_to), "and nothing twice"
    assert first_broken(posted) == (None, len(posted), last)
