"""The oracle does what Traccar's handlers do, step by step; and what that means for history that arrives late."""

import pytest

from simulators.reporting import Habit, Noise
from tests.motion.months import told
from tests.motion.side_by_side import Case, lines, table
from tests.motion.traccar_rule import FenceEvent, Position, Traccar, distance_m


def at(minute: int, lat: float = 51.0, *, ignition: bool = True) -> Position:
    return Position(minute * 60_000, lat, 3.0, ignition)


def north_of(lat: float, _lon: float) -> tuple[str, ...]:
    return ("north",) if lat > 51.5 else ()


def arrived(*positions: Position) -> Traccar:
    rule = Traccar(north_of)
    for position in positions:
        rule.arrives(position)
    return rule


HOURS = [
    ((at(0), at(10), at(20)), 20),
    ((at(0), at(10, ignition=False), at(20)), 0),
    ((at(0), at(600)), 600),
    ((at(0), at(30), at(10), at(20)), 30),
    ((at(0, ignition=False), at(30), at(10), at(20)), 0),
]
"""Positions as they arrive, and minutes: a silence counts if both ends are on, what arrives late counts for nothing."""


@pytest.mark.parametrize(("positions", "minutes"), HOURS)
def test_hours(positions: tuple[Position, ...], minutes: int) -> None:
    last = arrived(*positions).last
    assert last is not None
    assert last.hours_ms == minutes * 60_000


def test_distance_is_the_sum_of_legs_between_what_is_not_late() -> None:
    last = arrived(at(0), at(1, 51.01), at(3, 51.0), at(2, 60.0)).last
    assert last is not None
    assert last.total_m == pytest.approx(2 * 1113.19, abs=0.1)
    assert distance_m(at(0, 0.0), at(0, 1.0)) == pytest.approx(111_319.49, abs=0.01)


def test_fence_events_are_differences_of_sets_and_late_positions_raise_none() -> None:
    events = arrived(at(0), at(1, 52.0), at(3, 52.0), at(2, 51.0), at(4, 51.0)).events
    assert events == [FenceEvent(60_000, "north", enters=True), FenceEvent(240_000, "north", enters=False)]


def test_history_after_a_live_record_is_lost_to_it_and_not_to_us() -> None:
    cases = [Case(told("truck", 4, 2, Noise(jump_share=0.0, stray_share=0.0), Habit(on_s=30, turn_deg=30)))]
    by_name = {(it.arrival, it.rule): it for it in lines(cases)}
    late = "live record first, then what was kept"
    for arrival in ("in order", late, "what was kept newest first"):
        own = by_name[arrival, "Stockyard"]
        assert own.hours == pytest.approx((0.0, 0.0), abs=1e-4)
        assert own.missed == 0
    assert by_name["in order", "Traccar"].hours[0] == pytest.approx(0.0, abs=0.02)
    assert by_name[late, "Traccar"].hours[0] < -0.05
    lost = by_name["what was kept is lost", "Stockyard"]
    assert lost.hours[0] < 0 < lost.hours[1]
    assert table([*by_name.values()]).count("\n") == 11
