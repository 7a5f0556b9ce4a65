"""What is read from a telemetry store, on each kind there is: the span, the devices and the names asked for."""

import random
from collections.abc import Callable, Sized

import pytest

from backend.telemetry import fleet_sums, influx_read, sql_read
from backend.telemetry.fleet_scope import Mounting
from backend.telemetry.rows import HOUR, TEN_MINUTES, Span
from models.reading import Fix, Meter, Signal, from_micros
from tests.backend.telemetry.followed_site import T0, S, Site

Make = Callable[[], Site]
A = "A" * 12
EVER = 2**62
CRANE, TRACKER = "dock-a/crane-2", "imei:356307042441013"


def test_the_last_value_is_the_newest_by_event_time(make: Make) -> None:
    site = make()
    speeds = [(40, 4.0), (10, 1.0), (30, None), (20, 2.0)]
    for k, (s, speed) in enumerate(speeds):
        fix = Fix(TRACKER, from_micros(T0 + s * S), 50.0 + s / 100, 4.0, speed_mps=speed)
        site.journal(f"{'B' * 11}{k}", [fix, Meter("crane-2", from_micros(T0 + s * S), "engine_hours", s, "h")])
        site.projector.step()
    whole, early = Span(TRACKER, 0, EVER), Span(TRACKER, T0, T0 + 40 * S)
    crane, nothing = Span(CRANE, 0, T0 + 30 * S), Span(CRANE, 0, T0)
    names = ["lat", "speed_mps", "engine_hours"]
    found = {
        (each.span, each.name): (each.at, each.value) for each in site.store.last([whole, early, crane, nothing], names)
    }
    assert found == {
        (whole, "lat"): (T0 + 40 * S, 50.4),
        (whole, "speed_mps"): (T0 + 40 * S, 4.0),
        (early, "lat"): (T0 + 30 * S, 50.3),
        (early, "speed_mps"): (T0 + 20 * S, 2.0),
        (crane, "engine_hours"): (T0 + 20 * S, 20.0),
    }
    assert site.store.last([], names) == []


def test_reads_take_the_span_the_devices_and_the_names_they_are_asked_for(make: Make) -> None:
    site = make()
    site.journal(
        A,
        [
            *(
                Signal(f"crane-{n}", from_micros(T0 + k * 300 * S), "engine_load", 10.0 * k, "%")
                for n in (1, 2)
                for k in range(8)
            ),
            *(Fix(TRACKER, from_micros(T0 + k * S), 50.0, 4.0 + k, speed_mps=float(k)) for k in range(5)),
            Fix(TRACKER, from_micros(T0 + 2 * S), speed_mps=9.0),
        ],
    )
    site.digest()
    store, one = site.store, "dock-a/crane-1"
    points = store.points(["engine_load", "lon"], [one, TRACKER], T0 + 300 * S, T0 + 900 * S)
    assert [(each.device, each.name, each.unit, each.at - T0, each.value) for each in points] == [
        (one, "engine_load", "%", 300 * S, 10.0),
        (one, "engine_load", "%", 600 * S, 20.0),
    ]
    assert len(store.points(["engine_load", "lon"], None, 0, EVER)) == 16 + 5
    assert [each.value for each in store.points(["speed_mps"], None, T0 + 2 * S, T0 + 3 * S)] in (
        [2.0, 9.0],
        [9.0, 2.0],
    )
    assert store.firsts(Span(one, T0 + 1, EVER), ["engine_load", "speed_mps"], 2 * TEN_MINUTES) == {
        ("engine_load", "%"): [(T0 + k * 300 * S, 10.0 * k) for k in _firsts_of_bins(2 * TEN_MINUTES)]
    }
    assert store.firsts(Span(TRACKER, 0, EVER), ["speed_mps"], HOUR) == {("speed_mps", "m/s"): [(T0, 0.0)]}
    assert [(s.at - T0, s.lat, s.lon, s.speed_mps) for s in store.track(Span(TRACKER, T0, T0 + 4 * S), 2)] == [
        (2 * S, 50.0, 6.0, 2.0),
        (3 * S, 50.0, 7.0, 3.0),
    ]
    tens = store.rollups(["engine_load"], [one], (T0, T0 + 2 * TEN_MINUTES, TEN_MINUTES))
    assert [(each.begin, each.count, each.total) for each in tens] == [(T0, 2, 10.0), (T0 + TEN_MINUTES, 2, 50.0)]
    assert {each.device for each in store.rollups(None, None, (0, EVER, HOUR))} == {one, CRANE, TRACKER}
    assert store.points(["engine_load"], [], 0, EVER) == store.rollups(None, [], (0, EVER, HOUR)) == []


def test_devices_are_asked_for_some_at_a_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make()
    names = [f"crane-{n}" for n in range(7)]
    told = [Signal(name, from_micros(T0 + k * S), "engine_load", 1.0 * k, "%") for name in names for k in range(3)]
    site.journal(A, [*told, *(Fix(f"id:{name}", from_micros(T0), 50.0, 4.0) for name in names)])
    site.digest()
    devices = [*(f"dock-a/{name}" for name in names), *(f"id:{name}" for name in names)]

    def said() -> list[Sized]:
        return [
            site.store.points(["engine_load", "lat"], devices, 0, EVER),
            site.store.rollups(None, devices, (0, EVER, HOUR)),
            site.store.readings(devices, (0, EVER, TEN_MINUTES)),
            sorted(site.store.last([Span(each, 0, EVER) for each in devices], ["engine_load", "lat"])),
        ]

    together = said()
    assert [*map(len, together)] == [28, 7, 14, 14]
    for module in (influx_read, sql_read):
        monkeypatch.setattr(module, "AT_ONCE", 3)
    assert said() == together


def test_sums_are_cut_exactly_where_a_window_is(make: Make) -> None:
    site = make()
    chance = random.Random(5)
    speeds = [(s, chance.choice([0.0, 0.5, 7.25])) for s in sorted(chance.sample(range(7200), 150))]
    for name in ("one", "two"):
        at = (from_micros(T0 + s * S) for s, _ in speeds)
        told = [Fix(f"id:{name}", when, speed_mps=speed) for when, (_, speed) in zip(at, speeds, strict=True)]
        signals = [Signal(f"id:{name}", each.at, "load", 2.0 * (each.speed_mps or 0.0), "kg") for each in told]
        site.journal(A, [*told, *signals])
    site.digest()
    for since, until in [(0, 600), (601, 1199), (590, 610), (300, 2000), (100, 7000), (0, 7200), (1200, 4800)]:
        window = (T0 + since * S, T0 + until * S)
        expected: dict[int, list[float]] = {}
        for s, speed in speeds:
            if since <= s < until:
                expected.setdefault((T0 + s * S) // TEN_MINUTES * TEN_MINUTES, []).append(speed)
        mounted = [Mounting("id:one", *window, "A"), Mounting("id:two", *window, "B"), Mounting("id:no", *window, "C")]
        for signal, times in ((fleet_sums.SPEED, 1), (fleet_sums.Signal("load", "kg"), 2)):
            for rolled_to in (T0, T0 + 3600 * S, EVER):
                found = fleet_sums.bucketed(site.store, signal, mounted, rolled_to)
                wanted = {at: (len(v), sum(v) * times, v.count(0.0)) for at, v in expected.items()}
                assert found == (dict.fromkeys("AB", wanted) if wanted else {}), (since, until, rolled_to)


def test_what_is_too_large_to_be_added_up_breaks_nothing(make: Make) -> None:
    site = make()
    most = 1.7976931348623157e308
    site.journal(A, [Signal("d", from_micros(T0 + k * S), "x", most, "1") for k in range(3)])
    site.digest()
    for rolled_to in (T0, T0 + HOUR):
        for since in (T0, T0 + S // 2):
            mounted = [Mounting("dock-a/d", since, T0 + 2 * TEN_MINUTES, "A")]
            found = fleet_sums.summed(site.store, fleet_sums.Signal("x", "1"), mounted, rolled_to)
            assert found["A"].total == most


def _firsts_of_bins(width: int) -> list[int]:
    bins: dict[int, int] = {}
    for k in range(1, 8):
        bins.setdefault((T0 + k * 300 * S) // width, k)
    return list(bins.values())
