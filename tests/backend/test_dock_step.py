"""What the dock step makes of a Tag reading."""

import pytest

from backend.dock_step import _sighting
from backend.step import Fact
from models.reading import Tag, from_micros

AT = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("doppler_hz", "shift_chz"), [(None, None), (-4.5625, -456), (0.0, 0), (1e308, 100_000), (-1e308, -100_000)]
)
def test_the_doppler_shift_is_whole_and_bounded(doppler_hz: float | None, shift_chz: int | None) -> None:
    tag = Tag("gw/door", from_micros(AT), "aa", 3, from_micros(AT - 9), rssi_dbm=-51.25, count=4, doppler_hz=doppler_hz)
    found = _sighting(Fact(AT, b"\x01", tag))
    assert (found.at, found.first_at, found.antenna, found.rssi_cdbm, found.count) == (AT, AT - 9, 3, -5125, 4)
    assert found.shift_chz == shift_chz
