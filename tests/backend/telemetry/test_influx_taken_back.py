"""What is taken back, forgotten or replaced on InfluxDB is overwritten, never deleted: nothing else is lost by it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from backend.telemetry import influx_http, influx_notes, rollup
from backend.telemetry import influx_lines as lp
from backend.telemetry.influx import InfluxStore
from backend.telemetry.rows import (
    FIX,
    HOUR,
    TEN_MINUTES,
    Bucket,
    Followed,
    LedgerPosition,
    Rolled,
    Sample,
    Span,
    Step,
    StockRow,
)
from models.reading import Signal, from_micros, micros
from simulators.torture.parts import wait_for
from tests.backend.telemetry.followed_site import T0, S, Site, readings
from tests.backend.telemetry.influx_stores import store_on
from tests.backend.telemetry.samples import sample
from tests.servers import influx
from tests.servers.influx import InfluxServer

EVER = 2**62
DAY = 86_400 * S
EPOCH = "0" * 12
STEPS = 110


@pytest.fixture(scope="module")
def busy_server() -> Iterator[InfluxServer]:
    """One that writes its cache to disk each second, as a large one does under load."""
    with influx.on_loopback(snapshot_at="20k") as own:
        yield own


def _step(k: int, base: int) -> list[Sample]:
    """Many values of the same series, and some of series that are heard of once only."""
    at = base + k * S
    often = [sample(f"d{n % 10}", at, k, (f"a{n}", "1", k + 0.5)) for n in range(400)]
    return often + [sample(f"rare-{n}", at, k, (f"n{k}", "1", float(n))) for n in range(20)]


def test_heavy_writes_with_removals_and_retention_lose_nothing(busy_server: InfluxServer) -> None:
    base = time.time_ns() // 1000 // TEN_MINUTES * TEN_MINUTES - DAY
    database = f"t{uuid4().hex}"
    store, calm = store_on(busy_server, database, days=20), store_on(busy_server)
    for each in (store, calm):
        each.prepare()
    old = [Bucket(f"rare-{n}", base - (k + 1) * HOUR) for k in range(3) for n in range(20)]
    gone = [sample(*of, 7, ("gone", "1", 1.0)) for of in old]
    store.write(Step(samples=[*gone, *[each._replace(at=each.at - 12 * DAY) for each in gone]]))
    assert len(_kept(busy_server, database)) == 2 * len(gone)
    for k in range(STEPS):
        samples = _step(k, base)
        store.write(Step(samples=samples, followed=[Followed(("g", EPOCH), k + 1, {})]))
        taken = old[k % len(old)]
        store.replace([Rolled(*taken, TEN_MINUTES, {}, [], [], anew=True)])
        if k % 30 == 20:
            store.forget(base - 6 * DAY)
        if k == 60:  # the server drops whole shards while all goes on
            store_on(busy_server, database, days=3).prepare()
    calm.write(Step(samples=[each for k in range(STEPS) for each in _step(k, base)]))
    assert len(store.points([f"n{k}" for k in range(STEPS)], None, 0, EVER)) == 20 * STEPS
    wait_for("the server to drop what is old", lambda: len(_kept(busy_server, database)) == len(gone), 10)
    assert store.points(["gone"], None, 0, EVER) == []
    assert store.digest() == calm.digest()


def _kept(server: InfluxServer, database: str) -> list[float]:
    asked = """SELECT "value" FROM telemetry."value" WHERE "name" = 'gone'"""
    return [row[1] for each in server.ask(asked, database) for row in each["values"]]


def test_the_projector_deletes_nothing(
    busy_server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    query = influx_http.Connection.query

    def told(connection: influx_http.Connection, statements: list[str], patience: tuple[int, int]) -> bytes:
        asked.extend(statements)
        return query(connection, statements, patience)

    site = Site(tmp_path / "book.db", store_on(busy_server))
    site.store.prepare()
    monkeypatch.setattr(influx_http.Connection, "query", told)
    everything = readings(90)
    site.journal(EPOCH, everything[:50])
    site.move("x")
    backup = site.backup()
    site.journal(EPOCH, everything[50:])
    repeated = next(each for each in everything if isinstance(each, Signal))
    site.journal("1" * 12, [Signal("crane-2", repeated.at - timedelta(minutes=30), *_said(repeated))])
    site.move("y")
    site.digest()
    site.restore(backup)
    site.move("z")
    site.now += 800 * DAY
    site.projector.step()
    site.digest()
    assert not [each for each in asked if each.split()[0] not in {"SELECT", "SHOW", "CREATE", "ALTER"}]
    site.close()


def _said(of: Signal) -> tuple[str, float, str]:
    return of.name, of.value, of.unit


def _fix(at: int, content: int, **figures: float) -> Sample:
    return sample("t", at, content, *[(name, FIX[name], value) for name, value in figures.items()])


def test_what_ten_minutes_have_no_more_is_not_read(influx_server: InfluxServer) -> None:
    store = store_on(influx_server)
    store.prepare()
    said = [
        _fix(T0, 1, lat=50.0, lon=4.0, altitude_m=9.0, speed_mps=2.0),
        _fix(T0 + S, 2, lat=51.0, lon=5.0, speed_mps=3.0),
        sample("t", T0 + S, 3, ("load", "%", 5.0)),
    ]
    store.write(Step(samples=said))
    figures = rollup.rolled("t", T0, said)
    store.replace([Rolled("t", T0, TEN_MINUTES, {"fix": 2, "signal": 1}, figures)])
    left = [_fix(T0, 1, lat=50.0, lon=4.0, speed_mps=2.0)]
    wanted = rollup.rolled("t", T0, left)
    for _ in range(2):
        store.replace([Rolled("t", T0, TEN_MINUTES, {"fix": 1}, wanted, left, anew=True)])
    whole, names = Span("t", 0, EVER), ["lat", "lon", "altitude_m", "speed_mps", "load"]
    assert [(each.name, each.value) for each in store.points(names, ["t"], 0, EVER)] == [
        ("lat", 50.0),
        ("lon", 4.0),
        ("speed_mps", 2.0),
    ]
    assert sorted((each.name, each.value) for each in store.last([whole], names)) == [
        ("lat", 50.0),
        ("lon", 4.0),
        ("speed_mps", 2.0),
    ]
    assert [(each.at, each.speed_mps) for each in store.track(whole, 9)] == [(T0, 2.0)]
    assert sorted(name for name, _ in store.firsts(whole, names, HOUR)) == ["lat", "lon", "speed_mps"]
    assert store.rollups(None, ["t"], (0, EVER, TEN_MINUTES)) == wanted
    assert [(each.kind, each.readings) for each in store.readings(["t"], (0, EVER, TEN_MINUTES))] == [("fix", 1)]
    anew = store_on(influx_server)
    anew.prepare()
    anew.write(Step(samples=left))
    anew.replace([Rolled("t", T0, TEN_MINUTES, {"fix": 1}, wanted)])
    assert store.digest() == anew.digest()


def test_a_number_that_says_nothing_here_is_kept_as_the_one_beside_it(influx_server: InfluxServer) -> None:
    store = store_on(influx_server)
    store.prepare()
    store.write(Step(samples=[sample("d", T0, 1, ("x", "1", lp.VOID))]))
    assert [each.value for each in store.points(["x"], None, 0, EVER)] == [-1.7976931348623155e308]


def test_a_ledger_of_many_rows_is_taken_back_whole(
    influx_server: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.telemetry.influx_void.PAGE", 100)
    store, other = store_on(influx_server), store_on(influx_server)
    for each in (store, other):
        each.prepare()
    rows = [StockRow(n, place, T0 + n // 7 * S, f"sku {n % 3}", 5) for n in range(1, 400) for place in ("a", "b c")]
    store.write_stock(rows, LedgerPosition(399, b"h"), anew=False)
    for each, is_anew in ((store, True), (other, False)):
        each.write_stock(rows[:9], LedgerPosition(5, b"i"), anew=is_anew)
    assert store.digest() == other.digest()


def test_a_clock_that_is_decades_ahead_forgets_nothing(influx_server: InfluxServer, tmp_path: Path) -> None:
    site = Site(tmp_path / "book.db", store_on(influx_server))
    site.journal(EPOCH, readings(30))
    wanted = site.digest()
    right = site.now
    site.now += 365 * 40 * DAY
    ahead = Signal("crane-2", from_micros(right + 365 * 30 * DAY), "oil_pressure", 1.0, "bar")
    site.journal(EPOCH, [ahead])
    site.projector.step()
    kept = site.store.points(["oil_pressure", "gearbox_temperature"], None, 0, EVER)
    assert micros(ahead.at) in {each.at for each in kept}
    assert len(kept) > 5
    site.store.forget(right - 30 * DAY)
    assert site.digest() != wanted, "it has one more"
    store: InfluxStore = store_on(influx_server)
    store.prepare()
    store.forget(EVER)
    store.write(Step(samples=[sample("d", T0, 1, ("x", "1", 1.0))]))
    assert len(store.points(["x"], None, 0, EVER)) == 1
    site.close()


def test_what_grew_too_old_to_be_rolled_up_is_not_waited_for(
    influx_server: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on(influx_server, days=20)
    store.prepare()
    begin = (time.time_ns() // 1000 - 19 * DAY) // TEN_MINUTES * TEN_MINUTES
    old, young = Bucket("d", begin), Bucket("d", begin + DAY)
    store.write(Step(followed=[Followed(("dock-a", EPOCH), 2, {old: 1, young: 2})]))
    assert [each.bucket for each in store.stale(9, EVER)] == [old, young]
    monkeypatch.setattr(influx_http.Connection, "now", lambda _: begin + 20 * DAY + HOUR)
    store.replace([Rolled("d", begin, TEN_MINUTES, anew=False, rollups=(), readings={})])
    assert [each.bucket for each in store.stale(9, EVER)] == [young], "who rolls up all that is stale comes to an end"


def test_what_another_process_notes_meanwhile_still_waits(
    influx_server: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"t{uuid4().hex}"
    store, other = store_on(influx_server, database), store_on(influx_server, database)
    store.prepare()
    old, new = Bucket("d", T0 // HOUR * HOUR), Bucket("d", T0 // HOUR * HOUR + TEN_MINUTES)
    store.write(Step(followed=[Followed(("dock-a", EPOCH), 1, {old: 1})]))
    without_stale = influx_notes.without_stale

    def overtaken(connection: influx_http.Connection, hours: list[int]) -> list[int]:
        monkeypatch.undo()
        found = without_stale(connection, hours)
        other.positions()
        other.write(Step(followed=[Followed(("dock-a", EPOCH), 2, {new: 2})]))
        return found

    monkeypatch.setattr(influx_notes, "without_stale", overtaken)
    store.replace([Rolled("d", old.begin, TEN_MINUTES, rollups=(), readings={})])
    assert [each.bucket for each in store.stale(9, EVER)] == [new]
