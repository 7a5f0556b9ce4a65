"""Depreciation to the cent: worked examples as rows; then that a life loses what it should, however it is cut."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.assets.depreciation import Change, Part, UsePart, lost, parts
from models.assets.years import add_months, month_ends
from models.declared_assets import DepreciationPolicy, Opening

YEAR = 12
NEW_YEAR = date(2030, 1, 1)


def policy(method: str, life: int | None = None, salvage: float = 0, **more: Any) -> DepreciationPolicy:
    return DepreciationPolicy(method, life, Decimal(str(salvage)), **more)  # type: ignore[arg-type]  # rows of tables


def line(life: int, salvage: float = 0, **more: Any) -> DepreciationPolicy:
    return policy("straight_line", life, salvage, **more)


def unused(_meter: str, _begin: date, _end: date) -> Fraction:
    raise AssertionError


def by_year(of: Sequence[Part | UsePart]) -> list[str]:
    years: dict[int, Decimal] = {}
    for part in of:
        assert isinstance(part, Part)
        years[part.begin.year] = years.get(part.begin.year, Decimal(0)) + part.amount
    return [f"{amount:f}" for amount in years.values()]


def day(text: str) -> date:
    return date.fromisoformat(text)


LIVES: dict[str, tuple[int, date, DepreciationPolicy, str]] = {
    "straight line": (100_000, NEW_YEAR, line(36, 10_000), "30000 30000 30000"),
    "straight line, by days": (
        100_000,
        day("2030-01-30"),
        line(36, 10_000, convention="daily"),
        "27616.44 30000 30000 2383.56",
    ),
    "straight line, half year": (
        100_000,
        day("2030-09-17"),
        line(60, 10_000, convention="half_year"),
        "9000 18000 18000 18000 18000 9000",
    ),
    "straight line, taken over": (
        100_000,
        day("2030-06-06"),
        line(36, 10_000, convention="daily", opening=Opening(day("2031-12-31"), Decimal("47095.89"))),
        "30000 12904.11",
    ),
    "straight line, by months": (12_000, day("2030-10-31"), line(24), "1500 6000 4500"),
    "double declining, 5 years": (
        100_000,
        NEW_YEAR,
        policy("double_declining", 60, 10_000),
        "40000 24000 14400 8640 2960",
    ),
    "double declining, 3 years": (
        100_000,
        NEW_YEAR,
        policy("double_declining", 36, 10_000),
        "66666.67 22222.22 1111.11",
    ),
    "double declining, half year, switch": (
        100,
        day("2030-03-03"),
        policy("double_declining", 60, convention="half_year", switch=True),
        "20 32 19.2 11.52 11.52 5.76",
    ),
    "written down value": (100_000, NEW_YEAR, policy("declining", 36, 12_500), "50000 25000 12500"),
    "written down value, its rate given": (
        100_000,
        NEW_YEAR,
        policy("declining", 36, 12_500, rate=Decimal("0.5")),
        "50000 25000 12500",
    ),
    "written down value, by days": (
        100_000,
        day("2030-06-06"),
        policy("declining", 36, 12_500, convention="daily"),
        "28630.14 35684.93 17842.47 5342.46",
    ),
    "fixed declining, 7 months first, its rate rounded; then the rest": (
        1_000_000,
        day("2030-06-01"),
        policy("declining", 72, 100_000, rate=Decimal("0.319")),
        "186083.33 259639.42 176814.44 120410.64 81999.64 55841.76 19210.77",
    ),
    "sum of digits, 5 years": (100_000, NEW_YEAR, policy("sum_of_digits", 60, 10_000), "30000 24000 18000 12000 6000"),
    "sum of digits, half of the first year": (9_000, day("2030-07-01"), policy("sum_of_digits", 24), "3000 4500 1500"),
    "less than a cent a year": (100, NEW_YEAR, line(60, 99.97), "0.01 0.01 0.01 0 0"),
    "nothing to lose": (500, NEW_YEAR, line(24, 500), "0 0"),
}


@pytest.mark.parametrize(("cost", "begun", "how", "expected"), LIVES.values(), ids=LIVES)
def test_a_life_to_the_cent(cost: int, begun: date, how: DepreciationPolicy, expected: str) -> None:
    found = by_year(parts(Decimal(cost), begun, how, (), unused))
    assert [Decimal(each) for each in found] == [Decimal(each) for each in expected.split()]


def test_ten_years_of_digits() -> None:
    found = by_year(parts(Decimal(30_000), NEW_YEAR, policy("sum_of_digits", 120, 7_500), (), unused))
    assert (found[0], found[-1]) == ("4090.91", "409.09")


def test_seven_years_in_per_cent() -> None:
    """The form of IRS Publication 946, table A-1, whose printed figures are rounded otherwise in three years."""
    how = policy("double_declining", 84, convention="half_year", switch=True)
    found = by_year(parts(Decimal(1_000_000), NEW_YEAR, how, (), unused))
    shares = [round(Decimal(each) / 10_000, 2) for each in found]
    assert " ".join(map(str, shares)) == "14.29 24.49 17.49 12.49 8.92 8.92 8.92 4.46"


USES: dict[str, tuple[int, int, int, list[int], str]] = {
    "as measured": (250_000, 25_000, 15_000, [1820, 2140, 960], "27300 32100 14400"),
    "no more than its life": (50_000, 5_000, 9_000, [4000, 6000], "20000 25000"),
}


@pytest.mark.parametrize(("cost", "salvage", "total", "units", "expected"), USES.values(), ids=USES)
def test_units_of_production(cost: int, salvage: int, total: int, units: list[int], expected: str) -> None:
    def used(meter: str, begin: date, end: date) -> Fraction:
        assert meter == "hours"
        return Fraction(sum(units[begin.year - 2030 : end.year - 2030]))

    of = parts(
        Decimal(cost), NEW_YEAR, policy("units", None, salvage, meter="hours", total_units=Decimal(total)), (), used
    )
    ends = [date(2031 + k, 1, 1) for k in range(len(units))]
    stand = [lost(of, end, used) for end in ends]
    assert [later - before for before, later in zip([Decimal(0), *stand], stand, strict=False)] == [
        Decimal(each) for each in expected.split()
    ]
    assert Decimal(cost) - stand[-1] == {250_000: Decimal(176_200), 50_000: Decimal(5_000)}[cost]


def test_month_ends() -> None:
    expected = "2024-02-29 2024-03-31 2024-04-30 2024-05-31"
    assert [str(each) for each in month_ends(day("2024-02-29"), 4)] == expected.split()
    assert add_months(day("2024-02-29"), 12) == day("2025-02-28")


DAILY = line(36, 10_000, convention="daily")
SL = line(60, 10_000)
CHANGES: dict[str, tuple[DepreciationPolicy, list[Change], str]] = {
    "a longer life": (SL, [Change(day("2032-01-01"), line(96, 10_000))], "18000 18000 9000 9000 9000 9000 9000 9000"),
    "another salvage": (SL, [Change(day("2034-01-01"), line(60, 4_000))], "18000 18000 18000 18000 24000"),
    "a life that is over already": (SL, [Change(day("2033-05-17"), line(36, 0))], "18000 18000 18000 46000"),
    "an addition": (SL, [Change(day("2033-01-20"), addition=Decimal(12_000))], "18000 18000 18000 24000 24000"),
    "an addition within a year": (SL, [Change(day("2034-07-01"), None, Decimal(6))], "18000 18000 18000 18000 18006"),
    "added after its life": (SL, [Change(day("2036-02-11"), None, Decimal(7))], "18000 18000 18000 18000 18000 7"),
    "an addition to the day": (DAILY, [Change(day("2032-12-31"), addition=Decimal(10))], "30000 30000 30010"),
    "two changes at one time": (
        SL,
        [Change(day("2034-01-01"), addition=Decimal(600)), Change(day("2034-01-01"), line(72, 10_000))],
        "18000 18000 18000 18000 9300 9300",
    ),
    "another method": (
        SL,
        [Change(day("2032-01-01"), policy("sum_of_digits", 60, 10_000))],
        "18000 18000 27000 18000 9000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("how", "changes", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_is_left_is_spread_over_what_is_left(
    how: DepreciationPolicy, changes: list[Change], expected: str
) -> None:
    found = by_year(parts(Decimal(100_000), NEW_YEAR, how, changes, unused))
    assert [Decimal(each) for each in found] == [Decimal(each) for each in expected.split()]


def test_an_estimate_of_use_changes() -> None:
    """Of 1,000 h 400 are gone when it is said to make 1,600: 540 are spread over 1,200."""

    def used(_meter: str, begin: date, end: date) -> Fraction:
        return Fraction((end - begin).days)

    how = policy("units", None, 100, meter="hours", total_units=Decimal(1_000))
    later = policy("units", None, 100, meter="hours", total_units=Decimal(1_600))
    at = NEW_YEAR + timedelta(days=400)
    daily = [
        policy(each.method, None, 100, meter="hours", total_units=each.total_units, convention="daily")
        for each in (how, later)
    ]
    of = parts(Decimal(1_000), NEW_YEAR, daily[0], [Change(at, daily[1])], used)
    assert lost(of, at, used) == 360
    assert lost(of, at + timedelta(days=100), used) == 360 + 45
    assert lost(of, at + timedelta(days=5_000), used) == 900


def test_to_the_day() -> None:
    of = parts(Decimal(100_000), day("2030-01-30"), DAILY, (), unused)
    assert lost(of, day("2032-01-01"), unused) == Decimal("57616.44")
    assert lost(of, day("2032-01-11"), unused) == Decimal("57616.44") + Decimal("819.67"), "10 days of 366"
    assert lost(of, day("2030-01-30"), unused) == 0
    assert lost(of, day("2030-01-31"), unused) == Decimal("82.19")


DAYS = st.dates(date(2030, 1, 1), date(2036, 12, 31))
POLICIES = st.builds(
    policy,
    st.sampled_from(["straight_line", "declining", "double_declining", "sum_of_digits"]),
    st.integers(12, 90),
    st.integers(1, 5_000),
    convention=st.sampled_from(["month", "daily", "half_year"]),
)


@settings(max_examples=50)
@given(st.integers(5_001, 100_000), DAYS, POLICIES, st.lists(st.tuples(DAYS, st.integers(0, 900)), max_size=3))
def test_a_life_loses_all_but_its_salvage(
    cost: int, begun: date, how: DepreciationPolicy, spent: list[tuple[date, int]]
) -> None:
    """Whatever was added and whenever it is asked: never less than before, and at the end all of it, to the cent."""
    changes = [Change(max(at, begun), addition=Decimal(amount)) for at, amount in spent]
    of = parts(Decimal(cost), begun, how, changes, unused)
    asked = [add_months(begun.replace(day=1), k) for k in range(0, 260, 7)]
    stand = [lost(of, at, unused) for at in asked]
    assert stand == sorted(stand)
    assert stand[-1] == cost + sum(amount for _, amount in spent) - how.salvage
    assert all(each == round(each, 2) for each in stand)
    assert all(one.end <= other.begin for one, other in pairwise(of))
