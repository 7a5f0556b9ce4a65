"""Which fixes are told: one in so many seconds, and every change of validity."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.drivers.fix_pace import Pace
from models.reading import Fix

START = datetime(2026, 11, 26, 8, tzinfo=UTC)


def told(every_s: float, fixes: list[tuple[float, bool]]) -> list[float]:
    pace = Pace(every_s)
    return [s for s, valid in fixes if pace.tells(Fix("gps", START + timedelta(seconds=s), valid=valid))]


@pytest.mark.parametrize(
    ("every_s", "fixes", "expected"),
    [
        (1, [(n / 10, True) for n in range(30)], [0, 0.9, 1.8, 2.7]),
        (1, [(0, True), (0.998, True), (2.001, True), (2.95, True)], [0, 0.998, 2.001, 2.95]),
        (0, [(n / 10, n % 2 == 0) for n in range(9)], [n / 10 for n in range(9)]),
        (0, [(0, False), (0, False)], [0, 0]),
        (1, [(0, True), (0.2, False), (0.4, True), (0.6, False), (1.6, False)], [0, 0.2, 0.4, 0.6]),
        (1, [(float(n), False) for n in range(120)], [0, 54, 108]),
        (600, [(float(n), False) for n in range(0, 1200, 60)], [0, 540, 1080]),
        (1, [(100, True), (50, True), (50.5, True)], [100, 50]),
    ],
)
def test_what_is_told(every_s: float, fixes: list[tuple[float, bool]], expected: list[float]) -> None:
    assert told(every_s, fixes) == expected
