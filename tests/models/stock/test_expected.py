"""What was announced against what came: every verdict, and the same one in every order."""

import tracemalloc
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stock.expected import DAY_US, Expected, Line, Passed, Standing, judge
from models.stock.fulfilment import Move

D = Decimal
LATER = 1000


def asn(ident: str = "A", begin: int = 10, end: int = 20, **how: Any) -> Expected:
    lines = how.pop("lines", (Line(1, "BOLT", D(40)), Line(2, "NUT", D(5))))
    return Expected(id=ident, kind="receipt", begin=begin, end=end, lines=lines, **how)


def came(ident: str, at: int, sku: str, quantity: int, **how: Any) -> Move:
    places = frozenset(how.pop("places", ("hall", "dock-a/door-1")))
    return Move(ident, at, sku, D(quantity), how.get("party", "acme"), how.get("lot"), places)


def said(stands: Standing) -> str:
    """2 of 4: matched, short, ... by line; then what was not announced."""
    lines = [f"{each.came} {each.verdict}" for each in stands.lines]
    return ", ".join([*lines, *(f"{each.quantity} {each.sku} wrong" for each in stands.wrong)])


@pytest.mark.parametrize(
    ("how", "moves", "expected"),
    [
        ({}, [came("a", 12, "BOLT", 40), came("b", 13, "NUT", 5)], "40 matched, 5 matched"),
        ({}, [came("a", 12, "BOLT", 30), came("b", 13, "BOLT", 10)], "40 matched, 0 short"),
        ({}, [came("a", 12, "BOLT", 41), came("b", 13, "NUT", 4)], "41 over, 4 short"),
        ({}, [came("a", 9, "BOLT", 40), came("b", 20, "NUT", 5)], "0 short, 0 short"),
        ({"closed_at": 13}, [came("a", 12, "BOLT", 40), came("b", 13, "NUT", 5)], "40 matched, 0 short"),
        ({"party": "acme"}, [came("a", 12, "BOLT", 40), came("b", 13, "PUMP", 2)], "40 matched, 0 short, 2 PUMP wrong"),
        ({"party": "zeta"}, [came("a", 12, "BOLT", 40), came("b", 13, "PUMP", 2)], "0 short, 0 short"),
        ({"place": "hall"}, [came("b", 13, "PUMP", 2, party=None)], "0 short, 0 short, 2 PUMP wrong"),
        ({"place": "dock-a/door-1"}, [came("a", 12, "BOLT", 40)], "40 matched, 0 short"),
        ({"place": "dock-a/door-2"}, [came("a", 12, "BOLT", 40)], "0 short, 0 short"),
        ({}, [came("b", 13, "PUMP", 2)], "0 short, 0 short"),
        (
            {"party": "acme", "lines": (Line(1, "BOLT", D(40), lot="L1"),)},
            [came("a", 12, "BOLT", 30, lot="L1"), came("b", 12, "BOLT", 10, lot="L2")],
            "30 short, 10 BOLT wrong",
        ),
        ({}, [came("a", 12, "BOLT", 40), came("b", 14, "BOLT", -10)], "30 short, 0 short"),
        ({}, [came("a", 12, "BOLT", 40), came("b", 25, "BOLT", -10)], "40 matched, 0 short"),
        ({"party": "acme"}, [came("a", 12, "PUMP", 4), came("b", 14, "PUMP", -3)], "0 short, 0 short, 1 PUMP wrong"),
    ],
)
def test_verdicts(how: dict[str, Any], moves: list[Move], expected: str) -> None:
    assert said(judge([asn(**how)], moves, [], LATER)["A"]) == expected


def test_while_it_is_waited_for_nothing_is_short() -> None:
    found = judge([asn()], [came("a", 12, "BOLT", 30)], [], 19)["A"]
    assert (said(found), found.is_over) == ("30 waiting, 0 waiting", False)
    assert judge([asn()], [], [], 20)["A"].is_over
    assert judge([asn(closed_at=11)], [], [], 11)["A"].is_over


def test_two_announcements_share_what_comes_the_older_first() -> None:
    both = [asn("B", 12, 30), asn("A", 10, 20)]
    found = judge(both, [came("a", 13, "BOLT", 50), came("b", 21, "BOLT", 45)], [], LATER)
    assert {ident: said(each) for ident, each in found.items()} == {"A": "40 matched, 0 short", "B": "55 over, 0 short"}


def test_tags_that_did_not_pass_are_named() -> None:
    lines = (Line(1, "BOLT", D(40), tags=("(00)1", "(00)2", "(00)3")),)
    there = frozenset({"hall"})
    passed = [Passed("(00)1", 12, there), Passed("(00)2", 20, there), Passed("(00)3", 12, frozenset({"yard"}))]
    (stands,) = judge([asn(lines=lines, place="hall")], [came("a", 12, "BOLT", 40)], passed, LATER)["A"].lines
    assert (stands.verdict, stands.missing, stands.moves) == ("matched", ("(00)2", "(00)3"), ("a",))
    assert not judge([asn(lines=lines)], [came("a", 12, "BOLT", 40)], passed, LATER)["A"].is_matched


moved = st.builds(
    came,
    ident=st.just("x"),
    at=st.integers(5, 35),
    sku=st.sampled_from(["BOLT", "NUT", "PUMP"]),
    quantity=st.integers(-9, 30).filter(bool),
    party=st.sampled_from(["acme", "zeta", None]),
    lot=st.sampled_from([None, "L1"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(moved, max_size=9), st.integers(0, 99))
def test_the_order_of_arrival_changes_nothing_and_nothing_is_counted_twice(moves: list[Move], seed: int) -> None:
    named = [move._replace(id=f"m{n}") for n, move in enumerate(moves)]
    announced = [asn("A", 10, 20, party="acme"), asn("B", 12, 30, place="hall"), asn("C", 25, 34, closed_at=28)]
    found = judge(announced, named, [], LATER)
    shuffled = Random(seed).sample(named, len(named))
    assert judge(announced[::-1], shuffled, [], LATER) == found
    for sku in ("BOLT", "NUT", "PUMP"):
        told = [line.came for each in found.values() for line in each.lines if line.line.sku == sku]
        told += [wrong.quantity for each in found.values() for wrong in each.wrong if wrong.sku == sku]
        assert sum(told, D(0)) <= sum((move.quantity for move in named if move.sku == sku and move.quantity > 0), D(0))


def test_a_window_of_centuries_costs_no_more_than_what_moved_in_it() -> None:
    for_ever = [
        Expected(id=f"e{n}", kind="receipt", begin=0, end=80_000 * DAY_US, party="acme", lines=(Line(1, "X", D(1)),))
        for n in range(20)
    ]
    tracemalloc.start()
    judge(for_ever, [], [], 0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000
