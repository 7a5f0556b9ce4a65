"""Two odometers side by side: only where both saw the whole way, and over the newest of it."""

import pytest

from models.motion.drift import Compared, Piece, Window, compared, observed, without

H = 3_600_000_000
KM = 1_000_000
NAMES = ("odometer", "distance")
TRIPS: list[tuple[str, list[tuple[str, int, int, int]], list[tuple[int, int]]]] = [
    ("one after the other", [("stop", 0, 2, 9), ("trip", 2, 3, 400), ("stop", 3, 5, 9)], [(0, 5)]),
    ("a way that nobody saw", [("stop", 0, 2, 9), ("stop", 3, 5, 9)], [(3, 5), (0, 2)]),
    ("fixes far apart", [("stop", 0, 2, 9), ("trip", 2, 3, 100), ("stop", 3, 5, 9)], [(3, 5), (0, 2)]),
    ("fixes just close enough", [("trip", 2, 3, 121)], [(2, 3)]),
    ("fixes just too far apart", [("trip", 2, 3, 120)], []),
    ("carried between", [("trip", 0, 1, 500), ("transported", 1, 2, 500), ("stop", 2, 3, 9)], [(2, 3), (0, 1)]),
    ("nothing", [], []),
]


@pytest.mark.parametrize(("name", "stretches", "expected"), TRIPS)
def test_where_gps_saw_the_whole_way(
    name: str, stretches: list[tuple[str, int, int, int]], expected: list[tuple[int, int]]
) -> None:
    found = observed((what, begin * H, end * H, fixes) for what, begin, end, fixes in stretches[::-1])
    assert found == [Window(begin * H, end * H) for begin, end in expected], name


GAPS: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]]]] = [
    ("none", [], [(6, 9), (0, 5)]),
    ("in the middle", [(2, 3)], [(6, 9), (3, 5), (0, 2)]),
    ("over an end", [(4, 7)], [(7, 9), (0, 4)]),
    ("a whole one", [(0, 5)], [(6, 9)]),
    ("beside", [(5, 6), (9, 12)], [(6, 9), (0, 5)]),
    ("two", [(7, 8), (1, 2)], [(8, 9), (6, 7), (2, 5), (0, 1)]),
    ("over all", [(-1, 10)], []),
]


@pytest.mark.parametrize(("name", "gaps", "expected"), GAPS)
def test_times_that_nobody_observed_are_left_out(
    name: str, gaps: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert without([Window(6, 9), Window(0, 5)], [Window(*gap) for gap in gaps]) == expected, name


def hourly(*km: float, first: int = 0, unsure: tuple[int, ...] = ()) -> list[Piece]:
    """A piece for each hour in which something was counted."""
    return [
        Piece((first + k) * H, (first + k + 1) * H, round(each * KM), sure=k not in unsure)
        for k, each in enumerate(km)
        if each
    ]


SIDES: list[tuple[str, list[Piece], list[Piece], list[tuple[int, int]], tuple[int, int]]] = [
    ("alike", hourly(60, 60, 60), hourly(60, 60, 60), [(0, 3)], (180, 180)),
    ("the newest that are enough", hourly(*[90] * 9), hourly(*[60] * 9), [(0, 9)], (540, 360)),
    ("over two windows", hourly(60, 60, 60), hourly(50, 60, 50), [(2, 3), (0, 1)], (120, 100)),
    ("a window that cuts hours", hourly(60, 60, 60, 60), hourly(50, 50, 50, 50), [(0.5, 3.5)], (120, 100)),
    ("a reset between", hourly(60, 60, 60, unsure=(1,)), hourly(50, 50, 50), [(0, 3)], (120, 100)),
    ("one that is heard later", hourly(60, 60, 60), hourly(50, first=2), [(0, 3)], (60, 50)),
    ("one that is heard no more", hourly(60, 60, 60), hourly(50), [(0, 3)], (60, 50)),
    ("one that stands still", hourly(60, 60, 60), [*hourly(0.5), Piece(H, 3 * H, 0, sure=True)], [(0, 3)], (180, 0)),
    ("one that was never heard", hourly(60), [], [(0, 3)], (0, 0)),
    ("nowhere", hourly(60), hourly(60), [], (0, 0)),
    ("never at once", hourly(60), hourly(60, first=4), [(0, 9)], (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "one", "other", "windows", "km"), SIDES)
def test_what_both_counted(
    name: str, one: list[Piece], other: list[Piece], windows: list[tuple[float, float]], km: tuple[int, int]
) -> None:
    spans = [Window(round(begin * H), round(end * H)) for begin, end in windows]
    found = compared(NAMES, (one, other), spans, 500 * KM)
    assert tuple(mm // KM for mm in found.mm) == km, name


def test_the_share_is_of_the_greater() -> None:
    assert Compared(NAMES, (100, 90)).share == Compared(NAMES, (90, 100)).share == 0.1
    assert Compared(NAMES, (0, 0)).share == 0
    assert Compared(NAMES, (0, 5)).share == 1
