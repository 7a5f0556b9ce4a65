"""Where assets are by all that the book has: any order of arrival, what others are told, what should not be there."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import select

from backend import planner as planning
from backend.book import alerts, custody, relocations, schema
from backend.book.db import read
from backend.plan.exits import EXIT
from backend.planner import Planner
from models.assets.custody import Entry
from models.assets.place import Relocation
from models.declared import Circle, Device, Point, Points, TagBinding, Tracker, Zone
from models.declared_assets import Acquired
from models.reading import Fix, Reading, Scan, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.conftest import NOW
from tests.backend.owned import Owned, going, heard, tag
from tests.backend.stories import Change, declare

TRUCK = "imei:356307042441047"
LIVE = "A" * 12


@pytest.fixture
def owned(template: Path, tmp_path: Path) -> Iterator[Owned]:
    yard = Yard.copy(template, tmp_path / "yard.db", NOW)
    yield Owned(yard)
    yard.book.dispose()


def places(owned: Owned, asset: str) -> list[tuple[str | None, str]]:
    with read(owned.yard.book) as tx:
        moved: list[Relocation] = relocations.history(tx, owned.register, asset, (NOW - DAY, owned.now))
    return [(each.place, each.source) for each in moved]


def told(owned: Owned) -> list[tuple[str, str | None]]:
    """(asset, place) of every event `relocation`."""
    with read(owned.yard.book) as tx:
        rows = tx.scalars(select(schema.event.c.body).where(schema.event.c.kind == "relocation"))
        return [(body["asset"], body["place"]) for body in map(json.loads, rows)]


def a_day() -> list[Reading]:
    """Heard in the crib, out of the door and in again, and its label scanned at the desk."""
    drill = tag("DRILL-1")
    readings = heard(drill, NOW + 60 * SECOND)
    readings += going(drill, NOW + 900 * SECOND) + going(drill, NOW + 1800 * SECOND, out=False)
    scans = ["SY:RECEIVE", "SY:LOC:desk", "SY:ASSET:drill-1"]
    return readings + [Scan("scanner-1", from_micros(NOW + (2400 + k) * SECOND), text) for k, text in enumerate(scans)]


def test_places_from_every_source_in_any_order(owned: Owned, template: Path, tmp_path: Path) -> None:
    readings = a_day()
    for low in (0, 3, 11, 19):
        owned.live(readings[low : low + 8] if low else readings[:3])
        owned.plan()
    owned.over()
    found = places(owned, "DRILL-1")
    assert found == [
        ("location:tool-crib", "presence"),
        (None, "presence"),
        ("location:warehouse", "dock"),
        ("location:desk", "scan"),
    ]
    assert told(owned) == [("DRILL-1", "location:tool-crib"), ("DRILL-1", None), ("DRILL-1", "location:desk")]
    late = Owned(Yard.copy(template, tmp_path / "late.db", NOW + 4000 * SECOND))
    chance = random.Random(5)
    chance.shuffle(readings)
    late.yard.send(readings[:9], LIVE)
    late.over(0)
    late.yard.send(readings[9:], "B" * 12)
    late.over()
    assert places(late, "DRILL-1") == found
    assert told(late) == [], "what became known late is told to nobody"
    with read(late.yard.book) as tx:
        assert relocations.kept(tx, ["DRILL-1"])["DRILL-1"].place == "location:desk"
    late.yard.book.dispose()


def fix(at: int, metres: float) -> Fix:
    return Fix(TRUCK, from_micros(at), 51.0 + metres / 111_320, 3.7, hdop=0.8, satellites=11, valid=True)


def test_a_zone_that_keeps_and_an_asset_of_nobody(owned: Owned) -> None:
    zone = Zone("Depot", site="antwerp", circle=Circle(51.0, 3.7, 100.0), keeps=True)
    device = Device(TRUCK, tracker=Tracker("DRILL-1"))
    declare(owned.yard, [Change("zones", "depot", zone, NOW - DAY), Change("devices", TRUCK, device, NOW - DAY)])
    way = [0.0] * 4 + [400.0, 900.0, 1500.0]
    owned.live([fix(NOW + minute * 60 * SECOND, metres) for minute, metres in enumerate(way)])
    owned.plan()
    assert owned.alerts("exit_unauthorised") == [("asset:DRILL-1", "open", "critical")]
    assert places(owned, "DRILL-1") == [("zone:depot", "gps"), (None, "gps")]
    owned.live([fix(owned.now + minute * 60 * SECOND, 0.0) for minute in range(1, 5)])
    owned.plan()
    assert owned.alerts("exit_unauthorised") == [("asset:DRILL-1", "closed", "critical")], "it is back"
    owned.live(going(tag("STRANGE"), owned.now + SECOND, out=False))
    owned.over()
    strange = f"tag:{tag('STRANGE')}"
    assert owned.alerts("unregistered_asset") == [(strange, "open", "info")]
    assert owned.alerts("unknown_tag") == []
    declare(owned.yard, [Change("assets", "STRANGE", owned.asset("STRANGE"), owned.now)])
    owned.over(2 * 3600 * SECOND)
    assert owned.alerts("unregistered_asset") == [(strange, "closed", "info")]


def test_a_tag_that_is_on_another_asset_by_now_hides_no_place(owned: Owned) -> None:
    bound = "e280110000000000000000cc"
    for asset, since in (("DRILL-1", NOW - DAY), ("SAW-1", NOW + 10 * SECOND)):
        declare(owned.yard, [Change("tags", bound, TagBinding("asset", asset=asset), since)])
    out = Entry(id="c1", asset="DRILL-1", what="check_out", at=NOW, holder="ann", place="location:desk")
    owned.write(custody.record, out)
    owned.live(heard(bound, NOW + 100 * SECOND))
    owned.over()
    back = Entry(id="c2", asset="DRILL-1", what="check_in", at=owned.now, place="location:gate")
    owned.write(custody.record, back)
    span = (NOW + 500 * SECOND, owned.now)
    with read(owned.yard.book) as tx:
        moved = relocations.moved_until(tx, owned.register, "DRILL-1", span)
    assert [(each.was, each.place) for each in moved] == [
        (None, "location:desk"),
        ("location:desk", "location:gate"),
    ]


def test_what_a_reader_goes_on_hearing_is_not_missing(owned: Owned) -> None:
    reader = Device("reader-1", "dock-a", points=Points([Point("tool-crib", [1])], 86_400.0))
    declare(owned.yard, [Change("devices", "dock-a/reader-1", reader, NOW - DAY)])
    drill = tag("DRILL-1")
    owned.live(heard(drill, NOW))
    owned.plan()
    owned.yard.clock.now = NOW + 62 * DAY
    owned.yard.send([each for day in range(123) for each in heard(drill, NOW + day * DAY // 2)[:1]])
    owned.over(0)
    assert "asset:SAW-1" in (missing := {subject for subject, _, _ in owned.alerts("asset_missing")})
    assert "asset:DRILL-1" not in missing


def test_seen_after_it_was_sold_and_never_seen(owned: Owned) -> None:
    bought = Acquired(at=from_micros(NOW - 100 * DAY).date(), cost=Decimal(900))
    owned.change("DRILL-1", acquired=bought)
    owned.change("SAW-1", state="sold")
    owned.live(going(tag("SAW-1"), owned.now + 3600 * SECOND))
    owned.over()
    assert owned.alerts("seen_after_disposal") == [], "it was fetched"
    owned.live(going(tag("SAW-1"), owned.now + 2 * DAY, out=False))
    owned.over()
    assert owned.alerts("seen_after_disposal") == [("asset:SAW-1", "open", "warning")]
    owned.over(62 * DAY)
    with read(owned.yard.book) as tx:
        rows = tx.execute(select(schema.alert).where(schema.alert.c.rule == "asset_missing"))
        missing = {row.subject: row.title for row in rows}
    assert missing["asset:DRILL-1"] == "DRILL-1: never seen for more than 60 days, book value 900.00 at risk"
    assert "asset:SAW-1" not in missing, "what is sold is not missed"


def test_the_alarm_does_not_wait_for_the_planners_turn(owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "EVERY_S", 600.0)
    stop, planner = Event(), Planner(owned.yard.book, owned.yard.clock, [EXIT])
    thread = Thread(target=planner.run, args=(stop,), daemon=True)
    thread.start()
    readings = going(tag("DRILL-1"), NOW + SECOND)
    for reading in readings:
        owned.yard.clock.now = int(reading.at.timestamp() * SECOND)
        owned.yard.send([reading])
    found = list[str]()
    for _ in range(200):
        with read(owned.yard.book) as tx:
            found = alerts.open_subjects(tx, "exit_unauthorised")
        if found or Event().wait(0.05):
            break
    stop.set()
    thread.join(10)
    assert found == ["asset:DRILL-1"]
