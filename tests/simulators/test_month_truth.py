"""Truth of motion on days that are made by hand: pauses, reaches, stays and their depths, being carried; reporting."""

import pytest

from simulators.fences import Fence
from simulators.kinematics import ENGINES, drive
from simulators.machines import Machine
from simulators.month import BOOM_M, Month, Stretch
from simulators.month_truth import Rule, carried, doubtful, driven_m, ran_ms, stays, stops, trace, trips
from simulators.reporting import Habit, Noise, Report, live_first, lost, newest_first, reports
from simulators.yard import Point, route

TRUCK = Machine("T", "truck", "356307042441013", 0, 0)
RULE = Rule(180.0, 200.0)


def day(*parts: tuple[str, float]) -> Month:
    """Parts by what and how much: stand and rest for seconds, drive and carry for metres east (negative: west)."""
    made: list[Stretch] = []
    now_ms, x = 0, 0.0
    for what, amount in parts:
        point: Point = (x, 0.0)
        if what in ("stand", "rest"):
            end_ms = now_ms + round(amount * 1000)
            made.append(Stretch(now_ms, end_ms, point, engine=what == "stand"))
        else:
            x += amount
            way = drive(route((point, (x, 0.0))), 10.0, ENGINES["truck"])
            end_ms = now_ms + way.length_ms
            made.append(Stretch(now_ms, end_ms, point, what == "drive", way, carried=what == "carry"))
        now_ms = end_ms
    return Month(TRUCK, 1, made)


TRIPS = [
    ([("stand", 60), ("drive", 500), ("stand", 60)], [500], []),
    ([("drive", 500), ("stand", 100), ("drive", 400), ("rest", 600)], [900], []),
    ([("drive", 500), ("stand", 300), ("drive", 400)], [500, 400], []),
    ([("drive", 500), ("stand", 185), ("drive", 400)], [500, 400], [500, 400]),
    ([("drive", 150), ("stand", 60), ("drive", -150)], [], []),
    ([("drive", 210), ("rest", 600)], [210], [210]),
    ([("drive", 190), ("rest", 600)], [], [190]),
    ([("drive", 500), ("rest", 10), ("drive", 15)], [515], [515]),
    ([("rest", 600), ("carry", 2000), ("rest", 600)], [], []),
]
"""A day, the metres of its trips, and those of what could be told either way."""


@pytest.mark.parametrize(("parts", "metres", "unsure"), TRIPS)
def test_trips(parts: list[tuple[str, float]], metres: list[int], unsure: list[int]) -> None:
    month = day(*parts)
    assert [round(trip.driven_m) for trip in trips(month, RULE)] == metres
    assert len(doubtful(month, RULE)) == len(unsure)


def test_stops_are_what_is_between_trips_and_trailers() -> None:
    month = day(("rest", 600), ("drive", 500), ("stand", 300), ("rest", 900), ("carry", 3000), ("rest", 60))
    found = stops(month, trips(month, RULE))
    assert [round((each.end_ms - each.begin_ms) / 1000) for each in found] == [600, 1200, 60]
    assert [each.point[0] for each in found] == [0, 500, 3500]
    assert [round((end - begin) / 1000) for begin, end in carried(month)] == [310]
    assert ran_ms(month) == pytest.approx(300_000 + 60_500, abs=1500)
    assert driven_m(month) == pytest.approx(500)


FENCES = [
    Fence("box", ((400, -30), (600, -30), (600, 30), (400, 30))),
    Fence("round", ((500, 0),), radius_m=100.0),
    Fence("road", ((400, 0), (600, 0)), width_m=40.0),
    Fence("away", ((400, 20), (600, 20), (600, 60), (400, 60))),
]


def test_stays_and_how_deep_they_are() -> None:
    month = day(("rest", 600), ("drive", 500), ("rest", 900), ("drive", 500))
    found = {stay.zone: stay for stay in stays(month, trace(month), FENCES)}
    assert found.keys() == {"box", "round", "road"}
    assert {zone: round(stay.most_m) for zone, stay in found.items()} == {"box": 30, "round": 100, "road": 20}
    for stay in found.values():
        assert stay.deep is not None
        assert 900_000 < stay.deep[1] - stay.deep[0] < stay.end_ms - stay.begin_ms < 950_000


def test_a_boom_swings_out_and_back() -> None:
    stretch = Stretch(0, 90_000, (0.0, 0.0), engine=True, swing_deg=90.0)
    assert stretch.boom(0)[0] == stretch.boom(90_000)[0] == (0.0, 0.0)
    assert stretch.boom(45_000) == ((pytest.approx(-BOOM_M), pytest.approx(BOOM_M)), 0.0)
    assert stretch.boom(10_000)[1] == pytest.approx(0.157, abs=0.001)
    assert stretch.at(45_000) == ((0.0, 0.0), None, 0.0)


def told(habit: Habit, *parts: tuple[str, float]) -> list[Report]:
    return [*reports(day(*parts), Noise(no_fix_share=0.0, jump_share=0.0), habit)]


def test_records_come_by_time_by_turn_and_hourly_in_sleep() -> None:
    on = told(Habit(), ("stand", 60))
    assert [report.record.at_us // 1_000_000 for report in on] == [*range(0, 60, 5)]
    off = told(Habit(sleeps_after_s=1200), ("stand", 60), ("rest", 3 * 3600))
    assert [report.record.at_us // 60_000_000 for report in off if not report.on] == [1, 10, 20, 60, 120, 180]
    back = told(Habit(on_s=600), ("drive", 100), ("drive", -100))
    assert [report.record.course_deg for report in back] == [90, 270]


def test_what_was_kept_arrives_in_some_order_or_not_at_all() -> None:
    sent = [*reports(day(("stand", 100)), Noise(), Habit(), [(20_000, 60_000)])]
    assert [report.sent_ms // 1000 for report in sent][3:13] == [18, *[63] * 8, 63]
    for order in (live_first, newest_first):
        arrived = order(sent)
        assert arrived != sent
        assert sorted(arrived, key=lambda each: each.record.at_us) == sent
    assert live_first(sent)[4] is newest_first(sent)[4]
    assert len(lost(sent)) == len(sent) - 8
