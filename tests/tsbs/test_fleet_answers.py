"""What planners ask of many trucks, answered from the store that the product filled: equal to plain Python, each of it.

The shape of the trucks and of the questions is that of TSBS "iot", with losses and disorder (tests/bench/tsbs).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.api import create_app
from backend.api.services import Services
from backend.telemetry import fleet_sums, sql
from backend.telemetry.fleet_answers import driving
from backend.telemetry.fleet_scope import mountings
from backend.telemetry.store import Store
from models.reading import from_micros
from tests.bench.tsbs import product, trucks
from tests.bench.tsbs.ours import Ours
from tests.bench.tsbs.product import Filled
from tests.bench.tsbs.questions import questions, same
from tests.bench.tsbs.reference import Reference
from tests.bench.tsbs.use import PlainUse, ProductUse, same_visits

HOUR_US = 3_600_000_000
DAY = trucks.make(7, 5, 2)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Filled, Store]]:
    folder = tmp_path_factory.mktemp("trucks")
    book = product.open_book(folder, DAY)
    product.take_in(book, DAY)
    store = sql.on_file(folder / "telemetry.db")
    yield product.project(book, store, DAY), store
    store.close()
    book.dispose()


def test_all_thirteen(kept: tuple[Filled, Store]) -> None:
    filled, store = kept
    plain = Reference(DAY)
    for rolled_to in (filled.now, DAY.begin + HOUR_US, DAY.begin):
        ours = Ours(store, filled.register, DAY, rolled_to)
        for each in questions(DAY, 3, 2):
            for arguments in each.arguments:
                expected = getattr(plain, each.method)(*arguments)
                found = getattr(ours, each.method)(*arguments)
                assert same(expected, found), (each.title, arguments, expected, found)


class Counting:
    """A store that adds up, and how much it was asked for at once."""

    def __init__(self, store: sql.SqlStore) -> None:
        self._store = store
        self.most = 0

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._store, name)

        def counted(*arguments: Any) -> Any:
            found = asked(*arguments)
            self.most = max(self.most, len(found))
            return found

        return counted


def test_however_much_is_asked_for_little_is_in_memory_at_once(
    kept: tuple[Filled, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled, store = kept
    assert isinstance(store, sql.SqlStore)
    counting: Any = Counting(store)
    window = (DAY.begin, DAY.begin + 2 * HOUR_US)
    mounted = mountings(filled.register, [truck.name for truck in DAY.trucks], window)
    whole = driving(counting, mounted, filled.now)
    assert (len(whole), counting.most > 30) == (len(DAY.trucks), True)
    for bound, value in (("BUCKETS_AT_ONCE", 30), ("SECONDS_AT_ONCE", 1)):
        monkeypatch.setattr(fleet_sums, bound, value)
    counting.most = 0
    assert driving(counting, mounted, filled.now) == whole
    assert 0 < counting.most <= 30


def test_windows_are_cut_exactly(kept: tuple[Filled, Store]) -> None:
    filled, store = kept
    for since, until in ((437, 3133), (600, 1999), (1201, 1777), (1201, 1202 + 3600)):
        window = (DAY.begin + since * trucks.S, DAY.begin + until * trucks.S)
        expected: dict[str, list[float]] = {truck.name: [] for truck in DAY.trucks}
        for row in DAY.drives():
            if row.speed is not None and window[0] <= row.at < window[1]:
                expected[DAY.trucks[row.truck].name].append(row.speed)
        mounted = mountings(filled.register, [*expected], window)
        found = {name: each.mean_mps for name, each in driving(store, mounted, filled.now).items()}
        assert same({name: sum(each) / len(each) for name, each in expected.items() if each}, found)


def test_hours_use_due_and_visits(kept: tuple[Filled, Store]) -> None:
    plain, ours = PlainUse(DAY), ProductUse(kept[0], DAY)
    window = (DAY.begin + HOUR_US // 3, DAY.end - HOUR_US // 8)
    for truck in DAY.trucks:
        assert plain.hours(truck.name, window) == ours.hours(truck.name, window)
        assert same(plain.use_of_day(truck.name), ours.use_of_day(truck.name))
        assert plain.due(truck.name) == ours.due(truck.name)
        assert same_visits(plain.visits(truck.name), ours.visits(truck.name))
    assert any(due for truck in DAY.trucks for _, due in plain.due(truck.name).values())


def test_the_api_says_the_same(kept: tuple[Filled, Store]) -> None:
    filled, store = kept
    services = Services(filled.book, lambda: filled.now, lambda *_: True, telemetry=store)
    app = create_app(services)
    plain, whole = Reference(DAY), (DAY.begin, DAY.end)
    span = {"since": from_micros(DAY.begin).isoformat(), "until": from_micros(DAY.end).isoformat()}
    with TestClient(app, "http://127.0.0.1:8000") as client:

        def ask(path: str, **more: Any) -> list[dict[str, Any]]:
            answer = client.get(f"/api/v1/fleet/{path}", params=span | more)
            assert answer.status_code == 200, answer.text
            items: list[dict[str, Any]] = answer.json()["items"]
            return items

        for fleet in trucks.FLEETS:
            seen = {each["asset"]: (each["lat"], each["lon"]) for each in ask("positions", fleet=fleet)}
            assert seen == {name: place[1:] for name, place in plain.last_loc(fleet).items()}
            low = ask("latest", fleet=fleet, signal="fuel_level", unit="%", below=10)
            assert {each["asset"]: each["value"] for each in low} == plain.low_fuel(fleet)
            full = ask("latest", fleet=fleet, signal="load", unit="kg", at_least=0.9, rated="load_kg")
            assert {each["asset"]: each["value"] for each in full} == plain.high_load(fleet)
            still = {each["asset"]: each["mean_mps"] for each in ask("driving", fleet=fleet, mean_below=1)}
            assert same(plain.stationary(fleet, whole), still)
            long = {each["asset"]: round(each["hours"] * 6) for each in ask("driving", fleet=fleet, hours_above=1)}
            assert long == plain.long_driving(fleet, whole, 6)
        _check_groups(ask, plain, whole)


def test_the_api_says_from_when_on_it_has_everything(
    kept: tuple[Filled, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled, store = kept
    services = Services(filled.book, lambda: filled.now, lambda *_: True, telemetry=store)
    with TestClient(create_app(services), "http://127.0.0.1:8000") as client:
        for path in ("fleet/positions", "fleet/driving", "assets/truck_0/track"):
            assert "complete_from" not in client.get(f"/api/v1/{path}").json()
        monkeypatch.setattr(store, "complete_from", lambda: DAY.begin)
        for path in ("fleet/positions", "fleet/driving", "assets/truck_0/track"):
            answer = client.get(f"/api/v1/{path}").json()
            assert answer["complete_from"] == from_micros(DAY.begin).isoformat().replace("+00:00", "Z"), path


def _check_groups(ask: Any, plain: Reference, whole: tuple[int, int]) -> None:
    fuel = ask("means", signal="fuel_rate", unit="L/h", driving=True, rated="fuel_lph", by="fleet")
    found = {each["of"]["fleet"]: (each["mean"], each["rated"]) for each in fuel}
    assert same(plain.fuel_while_driving(), found)
    loads = ask("means", signal="load", unit="kg", rated="load_kg", by=["fleet", "model"])
    assert same(plain.average_load(), {(e["of"]["fleet"], e["of"]["model"]): e["share"] for e in loads})
    days = ask("driving/days")
    assert same({key[2]: hours for key, hours in plain.daily_driving(whole).items()}, _by_asset(days, "hours"))
    sessions = {key[0]: hours for key, hours in plain.daily_sessions(whole).items()}
    assert same(sessions, _by_asset(days, "session_hours"))
    active = ask("activity", signal="status", unit="1", below=1, by=["fleet", "model"])
    expected = {key[1:]: part * 24 for key, part in plain.daily_activity(whole).items()}
    assert same(expected, {(e["of"]["fleet"], e["of"]["model"]): e["hours"] for e in active})
    down = {
        each["of"]["model"]: each["breakdowns"] for each in ask("breakdowns", signal="status", unit="1", by="model")
    }
    assert {model: n for model, n in down.items() if n} == plain.breakdowns(whole)


def _by_asset(items: list[dict[str, Any]], figure: str) -> dict[str, float]:
    return {each["asset"]: each[figure] for each in items}
