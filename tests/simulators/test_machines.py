"""Machines do what machines can do, and their trackers say it to the millisecond, except where they had no power."""

from itertools import pairwise
from math import cos, dist, hypot, radians

import pytest

from simulators.machines import Days, Segment
from simulators.record import ENGINE_S, HOIST, IGNITION, MOVING, ODOMETER_M, Record
from simulators.shifts import MINUTE_MS
from simulators.trackers import SIGNALS_EVERY_MS, blind_spans
from simulators.weather import DAY_MS, HOUR_MS, Weather
from simulators.yard import PLACES, SITE_2, lat_lon, route, way, zone
from tests.simulators.machine_lines import pasts, told

SIGNALS = {6, 9, 72, 114}


def blind(segment_ms: int, spans: list[tuple[int, int]]) -> bool:
    return any(begin <= segment_ms < end for begin, end in spans)


def test_a_route_is_as_long_as_its_legs() -> None:
    around = route(((0, 0), (3, 4), (3, 10)))
    assert around.length_m == 11
    assert around.at(5) == ((3, 4), 0)
    assert around.at(8) == ((3, 7), 0)
    assert around.until(8).points == ((0, 0), (3, 4), (3, 7))
    assert way(PLACES["dock"], "dock").length_m == 0
    assert 11_000 < way(PLACES["gate"], SITE_2).length_m < 14_000
    assert [zone(point) for point in PLACES.values()] == ["yard", *list(PLACES)[1:]]


def test_degrees_are_what_the_site_declares() -> None:
    lat, lon = lat_lon((9000, 7000))
    assert lat == pytest.approx(51.06 + 7000 / 111_320)
    assert lon == pytest.approx(3.73 + 9000 / (111_320 * cos(radians(51.06))))
    assert (lat * 1e7, lon * 1e7) == pytest.approx((round(lat * 1e7), round(lon * 1e7)))


@pytest.mark.parametrize("number", [0, 1])
def test_segments_follow_each_other(number: int) -> None:
    past = pasts()[number]
    assert past.segments[0].begin_ms == past.begin_ms
    assert past.segments[-1].end_ms == past.end_ms
    for one, next_one in pairwise(past.segments):
        assert one.begin_ms < one.end_ms == next_one.begin_ms
        assert dist(one.place(one.end_ms)[0], next_one.point) < 0.01
        assert one.engine or (not one.hoist and one.route is None)
    fastest = max(each.driven_mm(each.end_ms) / (each.end_ms - each.begin_ms) for each in past.segments)
    assert 1 < fastest < (14.1 if number == 0 else 2)
    assert all(6 <= begin % DAY_MS / HOUR_MS < 22 for begin, _ in past.runs)


def test_a_truck_delivers_and_a_crane_hoists_on_its_pad() -> None:
    truck, crane = pasts()
    assert 20 < sum(zone(each.point) == SITE_2 and not each.engine for each in truck.segments) < 90
    assert not any(each.hoist for each in truck.segments)
    hoists = [each for each in crane.segments if each.hoist]
    assert len(hoists) > 500
    assert {zone(each.point) for each in hoists} == {"crane-pad"}
    nights = [each for each in crane.segments if not each.engine and each.end_ms - each.begin_ms > 5 * HOUR_MS]
    assert [zone(each.point) for each in nights].count("park") > 0.9 * len(nights)


def test_a_week_is_a_week() -> None:
    for past in pasts():
        days = Days()
        for segment in past.segments:
            days.add(segment)
        hours: dict[bool, list[float]] = {False: [], True: []}
        for number, day in list(days.days.items())[1:-1]:
            hours[(number + 3) % 7 in (5, 6)].append(day.run_ms / HOUR_MS)
        assert 4.5 < sum(hours[False]) / len(hours[False]) < 8 > 2 * sum(hours[True]) / len(hours[True])


def test_a_day_is_cut_at_midnight() -> None:
    days = Days()
    days.add(Segment(DAY_MS - 1000, DAY_MS + 3000, (0, 0), engine=True, route=route(((0, 0), (40, 0)))))
    assert [(day.run_ms, day.driven_mm) for day in days.days.values()] == [(1000, 10_000), (3000, 30_000)]


@pytest.mark.parametrize("number", [0, 1])
def test_every_change_is_a_record_of_its_millisecond_unless_blind(number: int) -> None:
    past, records, spans = pasts()[number], told()[number], blind_spans(pasts()[number])
    changes: set[tuple[int, int, int]] = set()
    for before, segment in pairwise(past.segments):
        if segment.engine != before.engine:
            changes.add((segment.begin_ms, IGNITION, int(segment.engine)))
        elif segment.hoist != before.hoist:
            changes.add((segment.begin_ms, HOIST, int(segment.hoist)))
    events = {(one.at_us // 1000, one.event_id, dict(one.io)[one.event_id]) for one in records if one.event_id}
    assert events == {change for change in changes if not blind(change[0], spans)}
    assert len(changes) - len(events) > 0, "nothing happened in any blind span"


@pytest.mark.parametrize("number", [0, 1])
def test_records_are_due_when_they_are_due(number: int) -> None:
    past, records, spans = pasts()[number], told()[number], blind_spans(pasts()[number])
    times = [record.at_us // 1000 for record in records]
    assert times == sorted(set(times))
    assert all(not blind(at_ms, spans) for at_ms in times)
    assert {end for _, end in spans} < set(times)
    assert 2 <= len(spans) <= 6
    assert all(end - begin >= 20 * MINUTE_MS for begin, end in spans)
    gaps = [
        (later - one, dict(record.io)[IGNITION])
        for (one, later), record in zip(pairwise(times), records, strict=False)
        if not any(one < end and later >= end for _, end in spans)
    ]
    assert max(gap for gap, on in gaps if on) <= 2 * MINUTE_MS
    assert max(gap for gap, on in gaps if not on) <= HOUR_MS
    assert times[0] == past.begin_ms


@pytest.mark.parametrize("number", [0, 1])
def test_signals_come_every_twenty_minutes_while_it_runs(number: int) -> None:
    for record in told()[number]:
        elements = dict(record.io)
        wanted = bool(elements[IGNITION]) and record.at_us // 1000 % SIGNALS_EVERY_MS == 0
        assert (elements.keys() >= SIGNALS) == wanted
        assert {16, 182, 239, 240, 449} <= elements.keys()
        assert (HOIST in elements) == (number == 1)
        assert all(0 <= raw < 2**31 for raw in elements.values())
        assert record.io == tuple(sorted(record.io))


@pytest.mark.parametrize("number", [0, 1])
def test_counters_say_what_really_was(number: int) -> None:
    past, records = pasts()[number], told()[number]
    new_ms, new_mm = past.machine.engine_ms, past.machine.driven_mm
    assert new_ms == (4810, 2950)[number] * HOUR_MS
    last = dict(records[-1].io)
    ran = sum(end - begin for begin, end in past.runs)
    driven = sum(each.driven_mm(each.end_ms) for each in past.segments)
    assert last[ENGINE_S] == (new_ms + ran) // 1000
    assert last[ODOMETER_M] == (new_mm + driven) // 1000
    for one, later in pairwise(dict(record.io) for record in records):
        assert one[ENGINE_S] <= later[ENGINE_S]
        assert one[ODOMETER_M] <= later[ODOMETER_M]
    ignition = [(record.at_us // 1000, dict(record.io)) for record in records if record.event_id == IGNITION]
    for at_ms, elements in ignition:
        before = sum(min(end, at_ms) - begin for begin, end in past.runs if begin < at_ms)
        assert elements[ENGINE_S] == (new_ms + before) // 1000


def error_m(record: Record, segment: Segment) -> float:
    lat, lon = lat_lon(segment.place(record.at_us // 1000)[0])
    return hypot((record.lat - lat) * 111_320, (record.lon - lon) * 111_320 * cos(radians(lat)))


@pytest.mark.parametrize("number", [0, 1])
def test_positions_are_a_few_metres_off_and_rarely_kilometres(number: int) -> None:
    past, records = pasts()[number], told()[number]
    near: list[float] = []
    far = lost = 0
    coming = iter(past.segments)
    segment = next(coming)
    for before, record in pairwise(records):
        while segment.end_ms <= record.at_us // 1000:
            segment = next(coming)
        if not record.satellites:
            lost += 1
            assert (record.lat, record.lon, record.speed_kmh) == (before.lat, before.lon, 0)
            continue
        away = error_m(record, segment)
        far += away > 20_000
        if away < 100:
            near.append(away)
        assert dict(record.io)[MOVING] == (record.speed_kmh > 0)
    assert 3 < sum(near) / len(near) < 4.5, "two axes of 3 m"
    assert max(near) < 20
    assert len(near) + far + lost == len(records) - 1
    assert 0 <= far < 12
    assert 5 < lost < 200
    last = records[-1]
    assert last.satellites


def test_both_machines_jump_or_lose_their_fix_in_some_month() -> None:
    jumps = sum(record.satellites == 4 for seed in (7, 2) for records in told(30, seed) for record in records)
    assert jumps > 2


def test_hot_days_are_hot() -> None:
    weather, calm = Weather(7), Weather(7)
    calm._spell_c = lambda _day: 0.0
    year = range(0, 365 * DAY_MS, HOUR_MS)
    hot = [at_ms for at_ms in year if weather.air_c(at_ms) - calm.air_c(at_ms) > 9]
    assert 10 < len(hot) / 24 < 60
    assert -15 < min(map(weather.air_c, year)) < 3
    assert 20 < max(map(weather.air_c, year)) < 42
