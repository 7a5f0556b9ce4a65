"""The trace of a lot: all of it is somewhere, or named as unaccounted for, whatever moved."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock.ledger import Movement, reversal
from models.stock.trace import trace

D = Decimal
KINDS = {
    "supplier": "supplier",
    "maker": "production",
    "shop": "customer",
    "project-7": "project",
    "scrap": "scrap",
    "count": "adjustment",
    "truck": "in_transit",
}


def moved(*steps: str) -> list[Movement]:
    """`40 supplier>hall` and so on, in order of time."""
    found: list[Movement] = []
    for n, step in enumerate(steps):
        quantity, _, way = step.partition(" ")
        source, _, target = way.partition(">")
        found.append(
            Movement(
                id=f"m{n}",
                at=n,
                sku="X",
                lot="L",
                quantity=D(quantity),
                source=source,
                target=target,
                reason="test",
                evidence=[f"scan:{n}"],
            )
        )
    return found


@pytest.mark.parametrize(
    ("steps", "received", "present", "gone", "unaccounted", "why"),
    [
        (["40 supplier>hall"], 40, {"hall": 40}, {}, 0, []),
        (["40 supplier>hall", "10 hall>shop", "3 shop>hall"], 40, {"hall": 33}, {"shop": 7}, 0, []),
        (["40 supplier>hall", "40 hall>yard", "5 yard>scrap"], 40, {"yard": 35}, {"scrap": 5}, 0, []),
        (["40 supplier>hall", "4 hall>supplier"], 36, {"hall": 36}, {}, 0, []),
        (["9 maker>hall", "4 hall>project-7"], 9, {"hall": 5}, {"project-7": 4}, 0, []),
        (["9 supplier>hall", "4 hall>maker", "1 maker>hall"], 9, {"hall": 6}, {"maker": 3}, 0, []),
        (["9 supplier>hall", "2 hall>count"], 9, {"hall": 7}, {}, 2, ["2 missing, by count (count)"]),
        (["9 supplier>hall", "2 count>hall"], 9, {"hall": 11}, {}, -2, ["2 more than the book had, by count (count)"]),
        (["5 hall>shop"], 0, {}, {"shop": 5}, -5, ["5 more left hall than came there"]),
        (["9 supplier>truck", "4 truck>hall"], 9, {"hall": 4}, {"truck": 5}, 0, []),
    ],
)
def test_where_it_is(  # noqa: PLR0913, PLR0917 - a row of the table
    steps: list[str], received: int, present: dict[str, int], gone: dict[str, int], unaccounted: int, why: list[str]
) -> None:
    found = trace(moved(*steps), KINDS)
    assert (found.received, found.unaccounted, found.why) == (received, unaccounted, why)
    assert {at.location: at.quantity for at in found.present} == present
    assert {at.location: at.quantity for at in found.gone} == gone


def test_each_movement_is_in_one_list_and_what_was_reversed_in_none() -> None:
    steps = moved("9 supplier>hall", "2 hall>yard", "1 yard>shop", "5 hall>scrap", "1 shop>yard")
    found = trace([*steps, reversal(steps[3])], KINDS)
    assert [[each.id for each in part] for part in (found.receipts, found.moves, found.issues)] == [
        ["m0"],
        ["m1"],
        ["m2", "m4"],
    ]
    assert found.issues[0].evidence == ["scan:2"]


places = st.sampled_from(["hall", "yard", "dock", *KINDS])
step = st.tuples(st.integers(1, 50), places, places).filter(lambda each: each[1] != each[2])


@given(st.lists(step, max_size=30))
def test_what_came_is_all_there_gone_or_unaccounted_for(steps: list[tuple[int, str, str]]) -> None:
    movements = moved(*(f"{quantity} {source}>{target}" for quantity, source, target in steps))
    found = trace(movements, KINDS)
    assert found.received == sum(at.quantity for at in (*found.present, *found.gone)) + found.unaccounted
    assert all(at.quantity > 0 for at in found.present)
    assert {each.id for each in (*found.receipts, *found.moves, *found.issues)} == {each.id for each in movements}
    assert not {each.id for each in found.moves} & {each.id for each in (*found.receipts, *found.issues)}
    assert bool(found.why) >= bool(found.unaccounted)
