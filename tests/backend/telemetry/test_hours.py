"""Hours of ten minutes that lie years apart, as a tracker whose clock is wrong sends them: little is read for them."""

from collections.abc import Callable

import pytest

from backend.telemetry.hours import hours_of
from backend.telemetry.rows import HOUR, TEN_MINUTES, Rolled
from models.reading import Signal, from_micros
from tests.backend.telemetry.followed_site import T0, S, Site

DAY = 24 * HOUR


@pytest.mark.parametrize("apart", [HOUR, 500 * DAY])
def test_only_the_hours_themselves_are_read(make: Callable[[], Site], apart: int) -> None:
    site = make()
    begins = [T0 // HOUR * HOUR - k * apart for k in range(3)]
    times = [*range(begins[0] - 600 * DAY, begins[0], 20 * DAY), *begins]
    site.journal("A" * 12, [Signal("d", from_micros(at + S), "x", 1.0, "1") for at in times])
    site.digest()
    read: list[int] = []

    class Counting:
        """The store, and how many rows were read of it."""

        def rollups(self, names: None, devices: list[str], span: tuple[int, int, int]) -> list[object]:
            found = site.store.rollups(names, devices, span)
            read.append(len(found))
            return [*found]

        def readings(self, devices: list[str], span: tuple[int, int, int]) -> list[object]:
            return [*site.store.readings(devices, span)]

    tens = [Rolled("dock-a/d", begin + 2 * TEN_MINUTES, TEN_MINUTES, {"signal": 1}, []) for begin in begins]
    found = hours_of(Counting(), tens)  # type: ignore[arg-type]
    assert [each.begin for each in found] == sorted(begins)
    assert all(each.readings == {"signal": 2} for each in found)
    assert sum(read) == len(begins)


def test_what_is_made_for_all_is_not_read() -> None:
    hour, asked = T0 // HOUR * HOUR, list[tuple[list[str], tuple[int, int, int]]]()

    class Nothing:
        """A store without rows that notes what it is asked for."""

        def rollups(self, _names: None, devices: list[str], span: tuple[int, int, int]) -> list[object]:
            asked.append((devices, span))
            return []

        def readings(self, _devices: list[str], _span: tuple[int, int, int]) -> list[object]:
            return []

    def tens(device: str, *numbers: int) -> list[Rolled]:
        return [Rolled(device, hour + k * TEN_MINUTES, TEN_MINUTES, {}, []) for k in numbers]

    hours_of(Nothing(), [*tens("d", 0, 2, 3, 5), *tens("e", 0, 1, 2, 5)])  # type: ignore[arg-type]
    assert asked == [(["d", "e"], (hour + TEN_MINUTES, hour + 5 * TEN_MINUTES, TEN_MINUTES))]
    asked.clear()
    hours_of(Nothing(), tens("d", 0, 1, 2, 3, 4, 5))  # type: ignore[arg-type]
    assert not asked
