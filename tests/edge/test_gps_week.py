"""Week rollover: repaired against the time of receipt, whatever the clock says now."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.gps_week import ROLLOVER, SLACK, best_known, unrolled

HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "weeks"),
    [
        (HEARD, 0),
        (HEARD - timedelta(days=365 * 15), 0),
        (HEARD - ROLLOVER + SLACK, 1),
        (HEARD - ROLLOVER + SLACK + SECOND, 0),
        (datetime(2007, 7, 11, 7, tzinfo=UTC), 1),
        (datetime(2007, 7, 11, 9, tzinfo=UTC), 0),
        (HEARD - ROLLOVER, 1),
        (HEARD - 2 * ROLLOVER, 2),
        (HEARD - 2 * ROLLOVER + SLACK + SECOND, 1),
        (datetime(1980, 1, 6, tzinfo=UTC), 2),
        (HEARD + timedelta(days=1), 0),
        (HEARD + 2 * ROLLOVER, 0),
        (datetime.max.replace(tzinfo=UTC), 0),
        (datetime.min.replace(tzinfo=UTC), 103),
    ],
)
def test_rollovers(at: datetime, weeks: int) -> None:
    assert unrolled(at, HEARD) == at + weeks * ROLLOVER


def test_an_archive_gives_the_same_times_when_it_is_read_again() -> None:
    at, heard = datetime(1999, 8, 22, 0, 0, 5, tzinfo=UTC), datetime(1999, 8, 22, 0, 0, 6, tzinfo=UTC)
    assert unrolled(at, heard) == at
    assert unrolled(at, HEARD) != at


ROLLED, TODAY, UNSET = HEARD - ROLLOVER, HEARD - SECOND, datetime(1980, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "has_fix", "best", "own"),
    [
        (None, True, HEARD, None),
        (None, False, HEARD, None),
        (TODAY, True, TODAY, None),
        (TODAY, False, TODAY, None),
        (ROLLED, True, HEARD, ROLLED),
        (ROLLED, False, HEARD, ROLLED),
        (UNSET, False, HEARD, UNSET),
        (UNSET, True, UNSET + 2 * ROLLOVER, UNSET),
        (HEARD + timedelta(days=2), True, HEARD + timedelta(days=2), None),
        (HEARD + timedelta(days=2), False, HEARD, HEARD + timedelta(days=2)),
    ],
)
def test_the_best_known_time(at: datetime | None, has_fix: bool, best: datetime, own: datetime | None) -> None:  # noqa: FBT001 - a row
    assert best_known(at, HEARD, has_fix=has_fix) == (best, own)
