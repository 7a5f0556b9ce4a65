"""Where assets went, over HTTP: trips, stops, transports, visits, days and odometers, each with what it rests on."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from backend.api.services import Services
from backend.book.schema import event
from models.reading import Meter, Reading, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.journeys import DOCK, GATE, TRUCK, drive, switch
from tests.backend.stories import MIDNIGHT
from tests.shared_app import shared_app

START = from_micros(MIDNIGHT)
NOW = MIDNIGHT + 6 * 3600 * SECOND
ROAD = [(200.0 * k, -300.0) for k in range(1, 20)]
Get = Callable[..., list[dict[str, Any]]]


def moved(begin: float, *places: tuple[float, float]) -> list[Reading]:
    return drive(begin, *places, every=20.0)


def counter(at: float, name: str, km: float) -> Meter:
    return Meter(TRUCK, from_micros(MIDNIGHT + round(at * SECOND)), name, km, "km")


TOLD: list[Reading] = [
    *(switch(at, on=True) for at in range(-60, 4200, 120)),
    *moved(0, *[DOCK] * 30),
    *moved(600, *ROAD),
    *moved(980, *[ROAD[-1]] * 30),
    *moved(1580, *ROAD[::-1]),
    *moved(1960, *[GATE] * 40),
    switch(4300, on=False),
    *drive(4360, *[GATE] * 12, every=120),
    *drive(5800, *[(300.0 * k, 0.0) for k in range(1, 12)], every=60),
    switch(6500, on=True),
    *drive(6530, *[(3300.0, 0.0)] * 6, every=60),
    *(switch(at, name="pto", on=True) for at in (6520, 6800)),
    switch(6900, on=True),
    *(counter(at, "odometer", 100 + at / 1000) for at in (0, 4000)),
    *(counter(at, "tracker_odometer", 7 + at / 1000) for at in (0, 4000)),
]


@pytest.fixture
def client(template: Path, tmp_path: Path) -> Iterator[TestClient]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yard.send(sorted(TOLD, key=lambda each: each.at))
    yard.settle(0)
    with TestClient(shared_app(Services(yard.book, lambda: NOW, lambda *_given: True)), "http://127.0.0.1") as client:
        yield client
    yard.book.dispose()


@pytest.fixture
def get(client: TestClient) -> Get:
    def fetch(path: str, **params: object) -> list[dict[str, Any]]:
        found = client.get(f"/api/v1/assets/TRUCK-1/{path}", params=params)
        assert found.status_code == 200, found.text
        body = found.json()
        assert body["complete_to"] == "2024-10-04T06:00:00Z"
        rows: list[dict[str, Any]] = body["items"]
        return rows

    return fetch


def seconds(text: str | None) -> int | None:
    return None if text is None else round((datetime.fromisoformat(text) - START).total_seconds())


def test_trips_and_stops_follow_each_other(get: Get) -> None:
    trips, stops = get("trips"), get("stops")
    assert len(trips) == 2
    assert [round(float(each["distance_km"]), 0) for each in trips] == [4, 4]
    chain = sorted([*trips, *stops, *get("transported")], key=lambda each: each["begin"])
    assert [each["end"] for each in chain[:-1]] == [each["begin"] for each in chain[1:]]
    assert chain[-1]["end"] is None, "what it is in goes on"
    for each in chain:
        assert each["asset"] == "TRUCK-1"
        assert 1 <= len(each["evidence"]) <= 2
        assert each["fixes"] >= 2
        assert each["version"] == "2020-01-01T00:00:00Z"
        assert each["lat"] is not None


def test_what_was_carried_is_kept_apart(get: Get) -> None:
    (carried,) = get("transported")
    assert float(carried["distance_km"]) == pytest.approx(3.3, abs=0.4)
    assert seconds(carried["begin"]) == pytest.approx(5800, abs=130)
    (distance,) = (each for each in get("meters") if each["meter"] == "distance")
    assert float(distance["least"]) == pytest.approx(8, abs=1), "it is no distance"


def test_a_span_takes_what_reaches_into_it(get: Get) -> None:
    begin = (START + timedelta(seconds=700)).isoformat()
    end = (START + timedelta(seconds=800)).isoformat()
    assert len(get("trips", since=begin, until=end)) == 1
    assert get("stops", since=begin, until=end) == []


def test_a_visit_says_how_it_is_known_and_since_when_its_zone_is_so(get: Get) -> None:
    visits = get("visits")
    assert {each["method"] for each in visits} <= {"fix", "segment"}
    dock = next(each for each in visits if each["zone"] == "dock")
    assert (dock["method"], dock["version"]) == ("fix", "2020-01-01T00:00:00Z")
    assert dock["fixes"] >= 30


def test_a_day_is_filled_by_its_cells(get: Get) -> None:
    (day,) = get("days", since=START.isoformat())
    cells = day["cells"]
    assert (day["date"], day["tz"], seconds(day["begin"]), seconds(day["end"])) == ("2024-10-04", "UTC", 0, 21_600)
    assert [each["end"] for each in cells[:-1]] == [each["begin"] for each in cells[1:]]
    assert cells[-1]["end"] is None
    kinds = {each["what"] for each in cells}
    assert kinds >= {"moving", "idle", "off", "transported", "working"}
    assert sum(float(hours) for hours in day["hours"].values()) == pytest.approx(6)
    moving = next(each for each in cells if each["what"] == "moving")
    assert moving["versions"] == ["2020-01-01T00:00:00Z"]
    assert len(moving["evidence"]) == 2
    assert get("trips")[0]["id"] in moving["rows"]
    k, off = next((k, each) for k, each in enumerate(cells) if each["what"] == "off" and 0 < k < len(cells) - 1)
    assert off["rows"] == []
    assert off["evidence"] == [cells[k - 1]["evidence"][-1], cells[k + 1]["evidence"][0]]


def test_days_are_those_of_a_time_zone(client: TestClient, get: Get) -> None:
    days = get("days", since=(START - timedelta(days=1)).isoformat(), tz="Europe/Brussels")
    assert [(each["date"], each["begin"]) for each in days] == [
        ("2024-10-03", "2024-10-02T22:00:00Z"),
        ("2024-10-04", "2024-10-03T22:00:00Z"),
    ]
    assert [each["what"] for each in days[0]["cells"]] == ["unobserved"], "nothing was heard of it before"
    for params, said in (({"tz": "Mars/Base"}, "time zone"), ({"since": "2024-01-01T00:00:00Z"}, "62 days")):
        refused = client.get("/api/v1/assets/TRUCK-1/days", params=params)
        assert refused.status_code == 400
        assert said in refused.text
    assert client.get("/api/v1/assets/NOTHING/days").status_code == 404


def test_odometers_are_kept_apart(client: TestClient) -> None:
    now = client.get("/api/v1/assets/TRUCK-1/now").json()
    assert (now["odometer_km"], now["odometer_from"]) == ("104", "odometer")
    assert [(each["meter"], each["km"]) for each in now["odometers"]] == [
        ("odometer", "104"),
        ("tracker_odometer", "11"),
    ]
    crane = client.get("/api/v1/assets/CRANE-1/now").json()
    assert (crane["odometer_km"], crane["odometer_from"], crane["odometers"]) == (None, None, [])


def test_the_routes_are_documented(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {f"/api/v1/assets/{{ident}}/{each}" for each in ("trips", "stops", "transported", "days")} <= set(paths)


def test_others_are_told_of_visits_with_whether_they_are_late_and_of_nothing_else(
    template: Path, tmp_path: Path
) -> None:
    yard = Yard.copy(template, tmp_path / "events.db", MIDNIGHT + 2000 * SECOND)
    readings = sorted(TOLD, key=lambda each: each.at)
    yard.send([each for each in readings if each.at < from_micros(yard.clock.now)])
    yard.clock.now += DAY
    yard.send([each for each in readings if each.at >= from_micros(MIDNIGHT + 2000 * SECOND)])
    told = [msgspec.json.decode(row["body"]) for row in yard.rows(event) if row["kind"] == "visit"]
    assert {each["what"] for each in told} == {"visit"}
    assert {each["late"] for each in told if each["zone"] == "dock"} == {True}
    assert {each["method"] for each in told} <= {"fix", "segment"}
    yard.book.dispose()
