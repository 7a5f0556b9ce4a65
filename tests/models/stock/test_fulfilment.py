"""Receipts fill order lines: tables, and that only the set of both counts."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stock.fulfilment import Filled, Line, Move, Part, came_for, fill, standings

D = Decimal
ONE = Line("1", "BOLT-M8", D(40), 10, party="acme")
TWO = Line("2", "BOLT-M8", D(60), 20, party="acme")


def standing(line: Line, parts: list[Part]) -> Filled:
    return standings([line], parts)[line.id]


def got(lines: list[Line], *moves: tuple[int, int]) -> list[str]:
    """Received of each line, and what fills none."""
    parts = fill(lines, [Move(f"m{n}", at, "BOLT-M8", D(q)) for n, (at, q) in enumerate(moves)])
    rest = sum((part.quantity for part in parts if part.line is None), D(0))
    return [*(str(standing(line, parts).received) for line in lines), str(rest)]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], ["0", "0", "0"]),
        ([(30, 40)], ["40", "0", "0"]),
        ([(30, 70)], ["40", "30", "0"]),
        ([(30, 30), (40, 30)], ["40", "20", "0"]),
        ([(15, 50)], ["40", "0", "10"]),
        ([(9, 40)], ["0", "0", "40"]),
        ([(30, 120)], ["40", "60", "20"]),
        ([(30, 70), (40, -40)], ["30", "0", "0"]),
        ([(30, 120), (40, -30)], ["40", "50", "0"]),
        ([(40, -30), (50, 40)], ["40", "0", "0"]),
    ],
)
def test_the_oldest_line_is_filled_first(moves: list[tuple[int, int]], expected: list[str]) -> None:
    assert got([ONE, TWO], *moves) == expected


def test_what_is_cancelled_takes_nothing_more() -> None:
    cancelled = ONE._replace(until=25)
    assert got([cancelled, TWO], (22, 10), (30, 50)) == ["10", "50", "0"]
    parts = fill([cancelled], [Move("m", 22, "BOLT-M8", D(10))])
    assert standing(cancelled, parts).outstanding == 0


def test_a_party_and_a_lot_fill_their_own() -> None:
    other = TWO._replace(party="bolts-r-us", lot="L7")
    moves = [
        Move("a", 30, "BOLT-M8", D(10), "bolts-r-us", "L7"),
        Move("b", 31, "BOLT-M8", D(5), None, "L7"),
        Move("c", 32, "BOLT-M8", D(7), "bolts-r-us", "L8"),
        Move("d", 33, "NUT-M8", D(9)),
    ]
    parts = fill([ONE, other], moves)
    assert [(part.line, part.move, part.quantity) for part in parts] == [
        ("2", "a", 10),
        ("1", "b", 5),
        (None, "c", 7),
        (None, "d", 9),
    ]


def test_first_and_last_receipt() -> None:
    parts = fill([ONE], [Move("a", 30, "BOLT-M8", D(10)), Move("b", 90, "BOLT-M8", D(30))])
    found = standing(ONE, parts)
    assert (found.first_at, found.last_at, found.outstanding) == (30, 90, 0)


amounts = st.integers(-30, 60).filter(bool)
moved = st.lists(st.tuples(st.integers(0, 60), amounts, st.sampled_from([None, "acme", "zeta"])), max_size=12)
ordered = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 40), st.sampled_from([None, "acme", "zeta"])), max_size=6
)


@given(ordered, moved, st.integers())
def test_any_order_of_arrival_gives_the_same(
    orders: list[tuple[int, int, str | None]], receipts: list[tuple[int, int, str | None]], seed: int
) -> None:
    lines = [Line(str(n), "X", D(q), since, party=party) for n, (q, since, party) in enumerate(orders)]
    moves = [Move(str(n), at, "X", D(q), party) for n, (at, q, party) in enumerate(receipts)]
    parts = fill(lines, moves)
    for line in lines:
        found = standing(line, parts)
        assert 0 <= found.received <= line.quantity
        assert found.received + found.outstanding == line.quantity
    assert sum(part.quantity for part in parts) <= sum(q for _, q, _ in receipts if q > 0)
    shuffled = Random(seed)
    shuffled.shuffle(lines)
    shuffled.shuffle(moves)
    assert fill(lines, moves) == parts


def test_what_a_movement_filled_when_it_came_stays_so() -> None:
    moves = [Move("m1", 20, "BOLT-M8", D(50)), Move("m2", 30, "BOLT-M8", D(-50)), Move("m3", 40, "BOLT-M8", D(30))]
    said = [(part.line, part.move, part.quantity) for part in came_for([ONE, TWO], moves)]
    assert said == [("1", "m1", 40), ("2", "m1", 10), ("1", "m3", 30)]
    assert [(part.line, part.quantity) for part in fill([ONE, TWO], moves)] == [("1", 30)]
