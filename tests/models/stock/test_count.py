"""Counts: the figures of the worked examples, when to count again, and what a count adjusts, whatever came when."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Refused
from models.stock.count import (
    Count,
    Counted,
    Key,
    Line,
    accuracy,
    adjustment,
    adjustments,
    needs_recount,
    parse_counted,
    within_tolerance,
)
from models.units import BadQuantity

D = Decimal
BIN = Key("BOLT", "bin-1")


def counted(ident: str, at: int, quantity: int) -> Counted:
    return Counted(ident, BIN, at, D(quantity), [f"count:{ident}"])


def lines(book: list[int], found: list[int]) -> list[Line]:
    return [Line(f"S{n}", D(one), D(other)) for n, (one, other) in enumerate(zip(book, found, strict=True))]


@pytest.mark.parametrize(
    ("book", "found", "ira"),
    [
        ([480], [430], 1 - D(50) / D(480)),
        ([100, 100], [95, 105], D("0.95")),
        ([10], [10], D(1)),
        ([10, 0], [10, 5], D("0.5")),
        ([], [], None),
        ([0], [3], None),
    ],
)
def test_record_accuracy(book: list[int], found: list[int], ira: Decimal | None) -> None:
    """The first two are worked examples of supplychainmetric.com: 89.58 % and 95 %; a net of 0 is a trap."""
    assert accuracy(lines(book, found)) == ira
    if book == [480]:
        assert f"{ira:.7f}" == "0.8958333"


@pytest.mark.parametrize(
    ("classes", "within"),
    [
        ({"S0": "A", "S1": "A"}, {"A": (0, 2)}),
        ({"S0": "B", "S1": "B"}, {"B": (0, 2)}),
        ({}, {"C": (2, 2)}),
        ({"S0": "A"}, {"A": (0, 1), "C": (1, 1)}),
    ],
)
def test_share_of_items_within_tolerance(classes: dict[str, str], within: dict[str, tuple[int, int]]) -> None:
    assert within_tolerance(lines([100, 100], [95, 105]), classes) == within


@pytest.mark.parametrize(
    ("variances", "book", "again"),
    [
        ([], 100, True),
        ([0], 100, False),
        ([5], 100, False),
        ([-6], 100, True),
        ([-6, -6], 100, False),
        ([-6, -7], 100, True),
        ([-6, -7, -6], 100, False),
        ([-6, -7, -8], 100, False),
        ([1], 0, True),
    ],
)
def test_when_to_count_again(variances: list[int], book: int, *, again: bool) -> None:
    assert needs_recount([D(each) for each in variances], D(book), D("0.05")) is again


def test_a_count_sets_the_quantity_as_of_its_time_whatever_order_it_is_known_in() -> None:
    moves = [(1, D(10)), (3, D(-2)), (5, D(4)), (7, D(-1))]
    counts = [counted("a", 3, 7), counted("b", 6, 12)]
    for some in permutations(moves):
        for two in permutations(counts):
            assert adjustments(two, some) == {"a": D(-1), "b": D(1)}
    assert adjustments(counts[::-1], [*moves, (2, D(-1))]) == {"a": D(0), "b": D(1)}, "a late one before both"
    assert adjustments(counts, [*moves, (4, D(1))]) == {"a": D(-1), "b": D(0)}, "a late one between them"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-9, 9)), max_size=12),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=4),
    st.integers(0, 21),
)
def test_after_a_count_the_book_is_what_was_there_and_what_moved_since(
    moves: list[tuple[int, int]], found: list[tuple[int, int]], at: int
) -> None:
    counts = [counted(f"{n}", when, many) for n, (when, many) in enumerate(found)]
    adds = adjustments(counts, [(when, D(many)) for when, many in moves])
    book = sum(many for when, many in moves if when <= at) + sum(adds[c.id] for c in counts if c.at <= at)
    last = max((c for c in counts if c.at <= at), key=lambda c: (c.at, c.id), default=None)
    start, there = (-1, D(0)) if last is None else (last.at, last.quantity)
    assert book == there + sum(many for when, many in moves if start < when <= at)


def test_the_movement_of_an_adjustment() -> None:
    count = counted("c1/1", 9, 12)
    lost, gained = adjustment(count, D(-2)), adjustment(count, D(2))
    assert lost is not None
    assert gained is not None
    assert (lost.source, lost.target, lost.quantity, lost.at) == ("bin-1", "adjustment", D(2), 9)
    assert (gained.source, gained.target, gained.evidence) == ("adjustment", "bin-1", ["count:c1/1"])
    assert lost.id != gained.id
    assert adjustment(count, D(0)) is None


def test_what_is_counted_may_be_nothing() -> None:
    assert [parse_counted(text) for text in ("0", "0.00", "3.50")] == [D(0), D(0), D("3.5")]
    for text in ("", "-1", "1e3", "."):
        with pytest.raises(BadQuantity):
            parse_counted(text)


def test_a_count_names_what_it_is_of() -> None:
    with pytest.raises(Refused, match="at least one"):
        Count(id="c", at=1)
    with pytest.raises(Refused, match="one of A, B, C"):
        Count(id="c", skus=["X"], classes={"X": "D"}, at=1)
    one = Count(id="a", skus=["X", "Y"], locations=["p"], at=1)
    assert one.overlaps(Count(id="b", locations=["p"], at=1))
    assert not one.overlaps(Count(id="b", skus=["Z"], locations=["p"], at=1))
    assert not one.overlaps(Count(id="b", skus=["X"], locations=["q"], at=1))
