"""FEFO and FIFO on worked examples, and what holds of every allocation."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock.allocation import RANKS, Offer, allocate, usable
from models.stock.lot import Known, Status

D = Decimal
ON = date(2026, 4, 1)


def offer(lot: str, expires: str | None, quantity: int, received: str, status: Status = "available") -> Offer:
    known = Known(None if expires is None else date.fromisoformat(expires), date.fromisoformat(received), status)
    return Offer("store", lot, D(quantity), known)


LOTS = [
    offer("L1", "2026-12-31", 40, "2026-01-05"),
    offer("L2", "2026-09-30", 25, "2026-02-01"),
    offer("L3", "2026-09-30", 10, "2026-01-15"),
    offer("L4", "2026-03-01", 15, "2026-01-02"),
]
"""One has expired; two expire on one day, and the one that came first is taken first."""


def picks(
    offers: list[Offer], need: int, days: int = 0, rule: str = "fefo"
) -> tuple[list[tuple[str | None, int]], int]:
    found = allocate(offers, D(need), ON, days, RANKS[rule])
    return [(each.lot, int(each.quantity)) for each in found.picks], int(found.short)


@pytest.mark.parametrize(
    ("need", "expected", "short"),
    [
        (30, [("L3", 10), ("L2", 20)], 0),
        (45, [("L3", 10), ("L2", 25), ("L1", 10)], 0),
        (80, [("L3", 10), ("L2", 25), ("L1", 40)], 5),
    ],
)
def test_worked_examples(need: int, expected: list[tuple[str, int]], short: int) -> None:
    """The rule of first expired, first out, as OpenBoxes has it, with a tie broken by receipt."""
    assert picks(LOTS, need) == (expected, short)


def test_first_in_first_out_goes_by_receipt_and_still_leaves_what_expired() -> None:
    assert picks(LOTS, 45, rule="fifo") == ([("L1", 40), ("L3", 5)], 0)


@pytest.mark.parametrize(
    ("lot", "days", "expected"),
    [
        (offer("A", "2026-04-01", 5, "2026-01-01"), 0, 5),
        (offer("A", "2026-03-31", 5, "2026-01-01"), 0, 0),
        (offer("A", "2026-05-01", 5, "2026-01-01"), 30, 5),
        (offer("A", "2026-04-30", 5, "2026-01-01"), 30, 0),
        (offer("A", None, 5, "2026-01-01"), 3650, 5),
        (offer("A", "2027-01-01", 5, "2026-01-01", "quarantined"), 0, 0),
        (offer("A", None, 5, "2026-01-01", "recalled"), 0, 0),
        (offer("A", None, 0, "2026-01-01"), 0, 0),
        (offer("A", None, -3, "2026-01-01"), 0, 0),
    ],
)
def test_what_may_be_used(lot: Offer, days: int, expected: int) -> None:
    found, short = picks([lot], 5, days)
    assert sum(quantity for _, quantity in found) == expected
    assert short == 5 - expected


known = st.builds(
    Known,
    st.none() | st.integers(-40, 400).map(lambda days: ON + timedelta(days)),
    st.none() | st.integers(-40, 0).map(lambda days: ON + timedelta(days)),
    st.sampled_from(["available", "available", "quarantined", "recalled"]),
)
offers = st.builds(
    Offer, st.sampled_from("abc"), st.sampled_from(["1", "2", "3", None]), st.integers(-3, 30).map(D), known
)
many = st.lists(offers, max_size=8, unique_by=lambda each: (each.location, each.lot))


@given(many, st.integers(1, 100).map(D), st.integers(0, 60), st.sampled_from([*RANKS]), st.randoms())
def test_covers_what_it_can_from_what_may_be_used_in_any_order(
    there: list[Offer], need: Decimal, days: int, rule: str, chance: object
) -> None:
    found = allocate(there, need, ON, days, RANKS[rule])
    may = {(each.location, each.lot): each.available for each in there if usable(each, ON, days)}
    assert all(0 < each.quantity <= may[each.location, each.lot] for each in found.picks)
    assert len({(each.location, each.lot) for each in found.picks}) == len(found.picks)
    taken = sum((each.quantity for each in found.picks), D(0))
    assert taken == min(need, sum(may.values(), D(0)))
    assert taken + found.short == need
    shuffled = [*there]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allocate(shuffled, need, ON, days, RANKS[rule]) == found
