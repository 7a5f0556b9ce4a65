"""Costing: the worked examples to the last digit, what goes back, negative stock, and a plain reference, unit by unit.

A and B are calculated by hand; C and D are the queues of ERPNext's erpnext/stock/tests/test_valuation.py.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock.costing import LANDED, TRUE_UP, Event, State, fold, freeze, rebook, thaw
from models.stock.layers import METHODS

D = Decimal
INTO = {"receipt", LANDED, "customer return", "adjustment in"}


def came(at: int, quantity: int | str, price: int | str | None = None, **other: Any) -> Event:
    return Event(
        at, f"m{at}", D(quantity), "receipt", None, "supplier", price=None if price is None else D(price)
    )._replace(**other)


def went(at: int, quantity: int | str, flow: str = "sale", **other: Any) -> Event:
    place = {"sale": "customer", "supplier return": "supplier"}.get(flow, flow)
    return Event(at, f"m{at}", D(quantity), None, flow, place)._replace(**other)


def back(at: int, quantity: int | str, **other: Any) -> Event:
    return Event(at, f"m{at}", D(quantity), "customer return", None, "customer")._replace(**other)


def sums(events: Iterable[Event], method: str = "fifo") -> tuple[State, dict[str, Decimal]]:
    state, found = State(method), Counter[str]()
    for _, valued in fold(state, events):
        for each in valued:
            found[each.flow] += each.value  # type: ignore[assignment]
    return state, {flow: D(value) for flow, value in found.items()}


def cogs(found: dict[str, Decimal]) -> Decimal:
    return found.get("sale", D(0)) + found.get("sale" + TRUE_UP, D(0)) - found.get("customer return", D(0))


def layers(state: State) -> list[tuple[Decimal, Decimal]]:
    held = [layer for pool in state.pools.values() for layer in pool.layers.values()]
    return [(each.quantity, each.value / each.quantity) for each in sorted(held, key=lambda each: each.number)]


A = [came(1, 100, 10), came(2, 100, 12), went(3, 120), came(4, 50, 15), went(5, 80)]
B = [*A[:3], back(4, 30), *(each._replace(at=each.at + 1, id=f"m{each.at + 1}") for each in A[3:])]
C = [came(1, 10, 10), came(2, 10, 20), went(3, 15)]
EXAMPLES = [
    ("A", A, "fifo", "2200", "750", [(50, 15)]),
    ("A", A, "lifo", "2450", "500", [(50, 10)]),
    ("A", A, "average", Fraction(30200, 13), Fraction(8150, 13), None),
    ("B", B, "fifo", "1840", "1110", [(30, 12), (50, 15)]),
    ("B", B, "lifo", "2150", "800", [(80, 10)]),
    ("B", B, "average", "1970", "980", None),
    ("C", C, "fifo", "200", "100", [(5, 20)]),
    ("C", C, "lifo", "250", "50", [(5, 10)]),
    ("C", C, "average", "225", "75", None),
]


@pytest.mark.parametrize(("name", "events", "method", "sold", "closing", "stays"), EXAMPLES)
def test_worked_examples(  # noqa: PLR0913, PLR0917 - one row of the table
    name: str, events: list[Event], method: str, sold: Fraction, closing: Fraction, stays: object
) -> None:
    state, found = sums(events, method)
    near = Fraction(1, 10**9)
    assert abs(Fraction(cogs(found)) - Fraction(sold)) < near, name
    assert abs(Fraction(state.value) - Fraction(closing)) < near
    assert cogs(found) + state.value == found["receipt"], "to the last digit"
    assert stays is None or layers(state) == stays


def test_each_lot_has_its_own_cost() -> None:
    """Two batches that an average would price alike."""
    events = [came(1, 10, 40, lot="A"), came(2, 10, 60, lot="B"), went(3, 4, lot="B"), went(4, 5, lot="A")]
    state, found = sums(events, "specific")
    assert (found["sale"], state.value) == (D(440), D(560))
    assert {lot: [layer.value for layer in pool.layers.values()] for lot, pool in state.pools.items()} == {
        "A": [D(200)],
        "B": [D(360)],
    }


@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_there_goes_at_the_last_cost_and_is_trued_up(method: str) -> None:
    """D: five units at 100 are missing; one at 10 comes, then six."""
    missing = [came(1, 1, 100), went(2, 6)]
    state, found = sums(missing, method)
    assert (found["sale"], state.quantity, state.value) == (D(600), D(-5), D(-500))
    state, found = sums([*missing, came(3, 1, 10)], method)
    assert (found["sale" + TRUE_UP], state.quantity, state.value) == (D(-90), D(-4), D(-400))
    state, found = sums([*missing, came(3, 6, 10)], method)
    assert (found["sale" + TRUE_UP], state.quantity, state.value) == (D(-450), D(1), D(10))
    assert layers(state) == [(D(1), D(10))]
    assert cogs(found) + state.value == found["receipt"]


def test_a_return_of_what_was_short() -> None:
    open_short = [came(1, 1, 10), went(2, 5), back(3, 3)]
    state, found = sums(open_short)
    assert (state.quantity, state.value, found["customer return"]) == (D(-1), D(-10), D(30))
    covered = [came(1, 1, 10), went(2, 5), came(3, 10, 7), back(4, 4)]
    state, found = sums(covered)
    assert found["customer return"] == D(28), "at what the covering receipt cost, as is known now"
    assert (state.quantity, state.value) == (D(10), D(70))


@pytest.mark.parametrize(
    ("method", "which", "left", "stays"),
    [
        ("fifo", {"named": ("m2",)}, "60", "50"),
        ("fifo", {}, "50", "60"),
        ("average", {"named": ("m2",)}, "60", "50"),
        ("average", {}, "55", "55"),
        ("fifo", {"undoes": True}, "60", "50"),
    ],
)
def test_what_goes_back_to_the_supplier(method: str, which: dict[str, object], left: str, stays: str) -> None:
    state, found = sums([came(1, 10, 5), came(2, 10, 6), went(3, 10, "supplier return", **which)], method)
    assert (found["supplier return"], state.value) == (D(left), D(stays))


def test_a_blended_layer_cannot_be_worth_less_than_nothing() -> None:
    events = [came(1, 10, 1), came(2, 10, 9), went(3, 10), went(4, 10, "supplier return", named=("m2",))]
    state, found = sums(events, "average")
    assert (found["sale"], found["supplier return"], found["revaluation"]) == (D(50), D(90), D(-40))
    assert state.quantity == state.value == 0


def test_landed_costs_go_with_the_goods() -> None:
    state, found = sums([came(1, 10, 5, landed=D("2.50")), went(2, 4)])
    assert (found[LANDED], found["sale"], state.value) == (D("2.5"), D("21"), D("31.5"))
    through = came(1, 3, 5, landed=D(1), went="sale")
    state, found = sums([through])
    assert [*found.values(), state.quantity, state.value] == [D(each) for each in (15, 1, 16, 0, 0)]


def test_nobody_knows_what_it_cost() -> None:
    state, found = State("fifo"), fold(State("fifo"), [came(1, 10), came(2, 10, 4), came(3, 1)])
    assert [(each.value, each.uncosted) for _, valued in found for each in valued] == [
        (D(0), True),
        (D(40), False),
        (D(4), False),
    ]
    assert fold(state, [went(1, 1)])[0][1][0].uncosted


def test_another_method_from_here_on() -> None:
    state, _ = sums([came(1, 10, 4, lot="A"), came(2, 10, 6, lot="B")])
    rebook(state, "average")
    assert layers(state) == [(D(20), D(5))]
    assert fold(state, [went(3, 10)])[0][1][0].value == D(50)
    split, _ = sums([came(1, 10, 4, lot="A"), came(2, 10, 6, lot="B")])
    rebook(split, "specific")
    assert fold(split, [went(3, 10, lot="B")])[0][1][0].value == D(60)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["receipt", "receipt", "sale", "sale", "back", "scrap", "return"]),
        st.integers(1, 12),
        st.integers(1, 30),
    ),
    max_size=40,
)


def events_of(moves: Sequence[tuple[str, int, int]]) -> list[Event]:
    make: dict[str, Callable[[int, int, int], Event]] = {
        "receipt": came,
        "sale": lambda at, q, _: went(at, q),
        "scrap": lambda at, q, _: went(at, q, "scrap"),
        "return": lambda at, q, _: went(at, q, "supplier return"),
        "back": lambda at, q, _: back(at, q),
    }
    return [make[what](at, quantity, price) for at, (what, quantity, price) in enumerate(moves, 1)]


def plainly(events: Sequence[Event], *, newest_first: bool) -> tuple[int, int, int]:
    """Received, value and units of a plain queue: what is short at what last cost, until a receipt covers it."""
    shelf, owed, received, last = list[tuple[int, int]](), list[int](), 0, 0
    for event in events:
        units = int(event.quantity)
        if event.came == "receipt":
            last = int(event.price or 0)
            received += units * last
            shelf += [(event.at, last)] * units
        elif event.came is None:
            for _ in range(units):
                if shelf:
                    shelf.remove((max if newest_first else min)(shelf))
                else:
                    owed.append(last)
        while shelf and owed:
            shelf.remove((max if newest_first else min)(shelf))
            owed.pop(0)
    return received, sum(cost for _, cost in shelf) - sum(owed), len(shelf) - len(owed)


@given(MOVES.map(lambda moves: [each for each in moves if each[0] != "back"]), st.sampled_from(["fifo", "lifo"]))
def test_layers_are_a_queue_of_single_units(moves: list[tuple[str, int, int]], method: str) -> None:
    events = events_of(moves)
    state, found = sums(events, method)
    plain = plainly(events, newest_first=method == "lifo")
    assert (found.get("receipt", D(0)), state.value, state.quantity) == tuple(map(D, plain))


@given(MOVES, st.sampled_from([*METHODS]))
def test_what_came_is_what_left_and_what_is_there(moves: list[tuple[str, int, int]], method: str) -> None:
    state, found = sums(events_of(moves), method)
    assert sum(value if flow in INTO else -value for flow, value in found.items()) == state.value
    held = [layer for pool in state.pools.values() for layer in pool.layers.values()]
    short = [each for pool in state.pools.values() for each in pool.shorts]
    assert sum(each.value for each in held) - sum(each.value for each in short) == state.value
    assert sum(each.quantity for each in held) - sum(each.quantity for each in short) == state.quantity
    assert all(not (pool.layers and pool.shorts) for pool in state.pools.values())
    assert all(each.quantity > 0 and each.value >= 0 for each in held)


@given(MOVES, st.integers(0, 40), st.sampled_from([*METHODS]))
def test_a_state_goes_on_from_its_bytes(moves: list[tuple[str, int, int]], cut: int, method: str) -> None:
    events = events_of(moves)
    whole = State(method)
    straight = fold(whole, events)
    first = State(method)
    found = fold(first, events[:cut])
    again = thaw(freeze(first))
    found += fold(again, events[cut:])
    assert found == straight
    assert freeze(again) == freeze(whole)


@given(MOVES)
def test_sold_and_all_of_it_back_is_as_before(moves: list[tuple[str, int, int]]) -> None:
    before, _ = sums(events_of(moves))
    after, _ = sums([*events_of(moves), went(100, 7), back(101, 7, named=("m100",))])
    assert (after.quantity, after.value) == (before.quantity, before.value)
    assert layers(after) == layers(before)


@pytest.mark.parametrize("gone", [1, 2, 4])
def test_what_was_short_and_went_on_from_the_customer_is_still_covered(gone: int) -> None:
    moves = [came(1, 3, 2), went(2, 5), back(3, gone, went="scrap"), came(4, 10, 3), back(5, 5 - gone)]
    state, found = sums(moves)
    assert found["sale"] + found["sale true-up"] == D(12), "three at 2 and two at 3"
    assert state.quantity == 13 - gone
    held = sum(layer.value for pool in state.pools.values() for layer in pool.layers.values())
    assert held == state.value == sum(value if flow in INTO else -value for flow, value in found.items())


def test_a_movement_that_is_named_twice_comes_back_once() -> None:
    state, found = sums([came(1, 3, 2), went(2, 2), back(3, 3, named=("m2", "m2"))])
    assert [state.quantity, found["customer return"]] == [D(4), D(6)]
