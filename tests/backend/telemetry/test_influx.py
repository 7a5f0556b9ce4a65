"""The telemetry store on a real InfluxDB: names, floats, tokens, refusals, and a server that goes away."""

import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest

from backend import projector
from backend.telemetry import influx_http, influx_place
from backend.telemetry import influx_lines as lp
from backend.telemetry.influx import InfluxStore
from backend.telemetry.rows import (
    FIX,
    HOUR,
    TEN_MINUTES,
    Bucket,
    Followed,
    LedgerPosition,
    Point,
    Span,
    Step,
    StockRow,
)
from backend.telemetry.store import StoreAway
from models.reading import Signal, from_micros
from simulators.torture.parts import wait_for
from tests.backend.telemetry.followed_site import T0, S, Site, readings
from tests.backend.telemetry.influx_stores import QUICK, store_on
from tests.backend.telemetry.samples import sample
from tests.servers import influx
from tests.servers.influx import InfluxServer

EVER = 2**62
EPOCH = "0" * 12
HOSTILE = [
    "a b",
    "a,b=c",
    "a\\",
    "\\",
    "x\\,y",
    "new\nline",
    "\0",
    "\r",
    "ä€𝄞",
    '"quoted"',
    "it's",
    "%",
    "~41",
    " ",
    "a' OR 1=1",
]
FLOATS = [0.1, 5e-324, 1.7976931348623157e308, -1e-7, 1e16, 123456789012345680.0, 2.5e20, 1e23, math.pi, -0.0, 3.0]


@pytest.fixture
def server() -> Iterator[InfluxServer]:
    """One that a test may end, kill and pause."""
    with influx.on_loopback() as own:
        yield own


def test_hostile_names_and_all_floats_come_back(influx_server: InfluxServer) -> None:
    store = store_on(influx_server)
    store.prepare()
    chance = random.Random(5)
    floats = FLOATS + [struct.unpack("d", chance.randbytes(8))[0] for _ in range(300)]
    values = [each for each in floats if math.isfinite(each)]
    told = {(device, name) for device in HOSTILE for name in HOSTILE[:4]}
    samples = [
        sample(device, T0 + k, chance.randrange(-(2**63), 2**63), (name, HOSTILE[k % len(HOSTILE)], value))
        for device, name in sorted(told)
        for k, value in enumerate(values[:: len(told) // 4])
    ]
    samples += [sample("all", T0 + k, k, ("x", "1", value)) for k, value in enumerate(values)]
    touched = {Bucket(device, T0): 1 for device in HOSTILE}
    store.write(Step(samples=samples, followed=[Followed(("dock-a", EPOCH), 7, touched)]))
    wanted = sorted(Point(each.device, *each.columns.series[0], each.at, each.values[0]) for each in samples)
    assert [*map(repr, store.points([*HOSTILE, "x"], None, 0, EVER))] == [*map(repr, wanted)]
    for device in HOSTILE:
        assert {each.device for each in store.points(HOSTILE, [device], 0, EVER)} == {device}
        assert {each.span.device for each in store.last([Span(device, 0, EVER)], HOSTILE)} == {device}
    assert {each.bucket for each in store.stale(999, EVER)} == set(touched)
    store.write(Step(back={("dock-a", EPOCH): 0}))
    assert {each.bucket.device for each in store.stale(999, EVER) if each.anew} == set(HOSTILE)


def test_what_one_gateway_or_epoch_had_is_set_back_alone(influx_server: InfluxServer) -> None:
    store = store_on(influx_server)
    store.prepare()
    streams = [("g", EPOCH), ("g", "1" * 12), ("g-1", EPOCH)]
    for k, stream in enumerate(streams):
        touched = {Bucket(f"d{k}", T0): 5, Bucket("shared", T0 + 20 * k * TEN_MINUTES): 9}
        store.write(Step(followed=[Followed(stream, 9, touched)]))
    store.write(Step(back={streams[1]: 6}))
    around = {T0 + (20 + shift) * TEN_MINUTES for shift in (-1, 0, 1)}
    assert {each.bucket for each in store.stale(99, EVER) if each.anew} == {Bucket("shared", at) for at in around}
    assert store.positions().streams == {streams[0]: 9, streams[1]: 6, streams[2]: 9}


def test_what_the_server_never_takes_is_counted_and_does_not_stop_the_rest(
    influx_server: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = store_on(influx_server, database := f"t{uuid4().hex}")
    store.prepare()
    connection = influx_http.Connection(
        influx_place.Place(f"http://127.0.0.1:{influx_server.port}", database, "", "v1", "")
    )
    connection.write([f"fix lat=1i {(T0 + week * 7 * 86_400 * S) * 1000}" for week in (0, 1)], "telemetry")
    fixes = [sample(f"t{k % 7}", T0 + k * 3600 * S, k, ("lat", "deg", 50.0 + k)) for k in range(600)]
    signals = [sample(f"t{k % 7}", T0 + k * 3600 * S, k, ("x", "1", 1.0 * k)) for k in range(600)]
    mixed = [each for pair in zip(fixes, signals, strict=True) for each in pair]
    for _ in range(2):
        store.write(Step(samples=mixed, followed=[Followed(("dock-a", EPOCH), 1200, {})]))
    assert store.positions().streams == {("dock-a", EPOCH): 1200}
    kept = store.points(["x", "lat"], [f"t{k}" for k in range(7)], 0, EVER)
    assert [each.value for each in sorted(kept, key=lambda each: each.at) if each.name == "x"] == [
        1.0 * k for k in range(600)
    ]
    missing = 600 - sum(each.name == "lat" for each in kept)
    assert missing > 100
    refused = store.refused()
    assert refused.lines == 2 * missing
    assert "field type conflict" in refused.reason
    assert store.trouble() == f"InfluxDB has refused {refused.lines} points for ever: {refused.reason}"
    assert [each.levelname for each in caplog.records if "refuses points" in each.message] == ["ERROR"]
    store.clear()
    assert store.refused() == (0, "")


def test_too_many_devices_stop_nobody() -> None:
    with influx.on_loopback(values_per_tag=50, index="inmem") as server:
        store = store_on(server)
        store.prepare()
        samples = [sample(f"d{k}", T0 + k, k, ("x", "1", 1.0)) for k in range(80)]
        for upto in (50, 80):
            store.write(Step(samples=samples[:upto], followed=[Followed(("g", EPOCH), upto, {})]))
        assert len(store.points(["x"], None, 0, EVER)) == 50
        assert store.refused().lines == 30
        assert "max-values-per-tag" in store.refused().reason


@pytest.mark.parametrize(
    "lost", ["DROP RETENTION POLICY telemetry ON {}", "DROP MEASUREMENT witness", "DROP MEASUREMENT about"]
)
def test_a_store_that_lost_a_part_is_filled_anew(influx_server: InfluxServer, tmp_path: Path, lost: str) -> None:
    database = f"t{uuid4().hex}"
    site = Site(tmp_path / "book.db", store_on(influx_server, database))
    site.journal("A" * 12, readings(40))
    site.move("x")
    wanted = site.digest()
    other = store_on(influx_server, database)
    assert other.positions() == site.store.positions()
    influx_server.ask(lost.format(database), database)
    assert (site.store.positions().streams, other.positions().streams) == ({}, {})
    assert site.digest() == wanted
    assert other.positions() == site.store.positions()
    site.close()


def test_nothing_is_lost_while_the_server_is_paused_killed_and_empty(
    server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "ROWS_A_STEP", 20)
    monkeypatch.setattr(projector, "EVERY_S", 0.01)
    monkeypatch.setattr(projector, "LONGEST_S", 0.5)
    monkeypatch.setattr(influx_http, "PAUSE_S", 0.3)
    site = Site(tmp_path / "book.db", store_on(server, "s", limits=QUICK))
    stop = Event()
    thread = Thread(target=site.projector.run, args=(stop,))
    told = [Signal("crane-2", from_micros(T0 + k * S), "oil_pressure", 1.0 + k, "bar") for k in range(400)]
    thread.start()
    try:
        for k, fault in enumerate(
            [None, server.pause, server.resume, server.kill, server.wipe, server.start, server.kill, server.start]
        ):
            if fault is not None:
                fault()
            site.journal(f"{'B' * 11}{k % 3}", told[k * 50 : k * 50 + 50])
            stop.wait(1.2 if fault == server.pause else 0.15)
        wait_for("the store to catch up", lambda: _lag(site) == 0, 20)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    followed = site.digest()
    assert [each.value for each in site.store.points(["oil_pressure"], None, 0, EVER)] == [1.0 + k for k in range(400)]
    site.projector.rebuild()
    assert site.store.digest() == followed
    site.close()


def _has_followed(store: InfluxStore, streams: int) -> bool:
    try:
        return len(store.positions().streams) == streams
    except StoreAway:
        return False


def _lag(site: Site) -> int:
    try:
        return site.projector.lag()
    except StoreAway:
        return -1


def test_a_paused_server_is_waited_for_no_longer_than_the_time_out(
    server: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx_http, "PAUSE_S", 0.3)
    store = store_on(server, limits=QUICK)
    store.prepare()
    server.pause()
    with pytest.raises(influx_http.Unsure, match="no answer"):
        store.positions()
    with pytest.raises(StoreAway):
        store.write(Step(samples=[sample("d", T0, 1, ("x", "1", 1.0))]))
    server.resume()
    wait_for("it to answer", lambda: _has_followed(store, 0), 5)
    server.kill()
    with pytest.raises(StoreAway, match="refused"):
        store.positions()


def test_many_entries_of_one_second_are_kept_apart(influx_server: InfluxServer) -> None:
    store = store_on(influx_server, database := f"t{uuid4().hex}")
    store.prepare()
    rows = [StockRow(n, "x", T0 + n % 3, "A", n) for n in range(1, 3001)]
    for part in (rows[:2000], rows[1000:]):
        store.write_stock(part, LedgerPosition(part[-1].n, b"h"), anew=False)
    found = influx_server.ask("SELECT count(delta), sum(delta) FROM forever.stock", database)[0]["values"][0]
    assert found[1:] == [3000, 3000 * 3001 // 2]


def test_only_hours_with_something_to_roll_up_are_looked_through(influx_server: InfluxServer) -> None:
    store = store_on(influx_server, database := f"t{uuid4().hex}")
    store.prepare()
    buckets = [Bucket("d", T0 + k * TEN_MINUTES) for k in range(30)]
    store.write(Step(followed=[Followed(("g", EPOCH), 30, dict.fromkeys(buckets, 3))]))
    for bucket in [*buckets[:10], *buckets[20:]]:
        store.replace([projector.Rolled(*bucket, TEN_MINUTES, {}, [])])
    assert [each.bucket for each in store.stale(99, EVER)] == buckets[10:20]
    assert [each.bucket for each in store.stale(3, EVER)] == buckets[10:13]
    assert [each.bucket for each in store.stale(99, buckets[12].begin)] == buckets[10:12]
    asked = "SELECT open FROM telemetry.stale_hour WHERE open = true"
    hours = {of.begin // HOUR * HOUR * 1000 for of in buckets[10:20]}
    assert {row[0] for row in influx_server.ask(asked, database)[0]["values"]} == hours
    for bucket in buckets[10:20]:
        store.replace([projector.Rolled(*bucket, TEN_MINUTES, {}, [])])
    assert store.stale(99, EVER) == []
    assert influx_server.ask(asked, database) == []
    store.write(Step(followed=[Followed(("g", EPOCH), 31, {buckets[4]: 31})]))
    assert [each.bucket for each in store.stale(99, EVER)] == [buckets[4]]


def test_a_fix_is_one_row(influx_server: InfluxServer) -> None:
    store = store_on(influx_server, database := f"t{uuid4().hex}")
    store.prepare()
    values = [(name, unit, float(k)) for k, (name, unit) in enumerate(FIX.items())]
    store.write(Step(samples=[sample("imei:1", T0, 2**62, *values)]))
    found = influx_server.ask(lp.select(", ".join(FIX), "telemetry.fix"), database)[0]["values"]
    assert found == [[T0 * 1000 + 750, *range(len(FIX))]]


def test_a_ledger_that_went_on_otherwise_is_followed_whole_after_an_interruption(
    influx_server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, other = (Site(tmp_path / name / "book.db", store_on(influx_server)) for name in ("one", "other"))
    site.move("x")
    for each in (site, other):
        each.journal(EPOCH, readings(5))
    backup = site.backup()
    site.move("y")
    site.digest()
    site.restore(backup)
    for each in (site, other):
        each.move("z", *(["x"] if each is other else []))
    asked = influx_http.Connection.ask

    def ask(connection: influx_http.Connection, *statements: str) -> list[list[influx_http.Series]]:
        if "delta != 0" in statements[0]:
            raise StoreAway("ended just now")
        return asked(connection, *statements)

    with monkeypatch.context() as patched:
        patched.setattr(influx_http.Connection, "ask", ask)
        with pytest.raises(StoreAway):
            site.projector.catch_up()
    assert site.store.positions().streams, "and not all of it from the beginning"
    other.projector.catch_up()
    assert site.digest() == other.store.digest()
    for each in (site, other):
        each.close()
