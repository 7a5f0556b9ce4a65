"""The asset half of the pages on a book that was filled through ingest; what Chromium makes of it is tests/system."""

import re
from uuid import uuid4

import pytest

from backend.step import DAY_US
from backend.web.asset_page import PARTS
from tests.backend.web.asset_pages import NOW, SECOND, Pages, row, tags_of


def test_the_yard_says_of_each_asset_where_it_is_and_what_it_does(pages: Pages) -> None:
    text = pages.get("/page/yard")
    tags_of(text)
    assert re.search("TRUCK-1 Tipper truck .* moving 19 km/h since", row(text, "TRUCK-1"))
    assert "Crane pad idle since" in row(text, "CRANE-1")
    assert "not heard since" in row(text, "LOADER-1")
    assert "no position no tracker" in row(text, "FORKLIFT-1")
    assert "Building site idle since" in row(text, "TRUCK-2")
    assert 'class="mark moving"' in text
    assert re.search(r"TRUCK-2</a>: Building site, 11\.\d km NE", text)
    assert 'id="yard-mark-TRUCK-2"' not in text


def test_the_list_has_hours_with_bounds_and_what_is_due(pages: Pages) -> None:
    text = pages.get("/page/yard")
    assert re.search(r"4,8\d\d\.\d &ndash; 4,8\d\d\.\d h", row(text, "TRUCK-1"))
    assert "due Safety inspection 1 day late" in row(text, "TRUCK-1")
    assert "overdue Rope inspection 2 days late" in row(text, "CRANE-1")
    assert "no plan" in row(text, "FORKLIFT-1")
    assert text.index('id="line-CRANE-1"') < text.index('id="line-FORKLIFT-1"')


def test_the_yard_is_not_sent_again_while_nothing_was_heard(pages: Pages) -> None:
    found = re.search('name="seen" value="([^"]+)"', pages.get("/page/yard"))
    assert found is not None
    seen = found[1]
    assert pages.get(f"/page/yard?seen={seen}&assets=1", 204) == ""
    assert pages.get(f"/page/asset/place/TRUCK-1?seen={seen}", 204) == ""
    pages.now += 60 * SECOND
    assert "CRANE-1" in pages.get(f"/page/yard?seen={seen}&assets=1")


@pytest.mark.parametrize("ident", ["TRUCK-1", "CRANE-1", "FORKLIFT-1", "LOADER-1"])
def test_an_assets_page_has_every_part_once(pages: Pages, ident: str) -> None:
    text = pages.get(f"/assets/{ident}")
    tags = tags_of(text)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["id"] for tag, attrs in tags if tag == "section"} == set(PARTS)
    for name in set(PARTS) - {"due"}:
        assert pages.get(f"/page/asset/{name}/{ident}") in text


def test_the_place_of_an_asset(pages: Pages) -> None:
    text = pages.get("/page/asset/place/TRUCK-1")
    assert "moving 19 km/h" in text
    assert "quality good (HDOP 0.9)" in text
    assert "from ignition" in text
    assert "its own counter" in pages.get("/page/asset/place/CRANE-1")
    assert "no position yet" in pages.get("/page/asset/place/FORKLIFT-1")
    assert "Building site" in pages.get("/page/asset/place/TRUCK-2")


def test_the_hours_lead_to_stretches_and_those_to_readings(pages: Pages) -> None:
    text = pages.get("/page/asset/hours/TRUCK-1")
    assert text.count('class="sure"') == 6
    assert text.count('class="open"') >= 1
    day = NOW // DAY_US - 4
    assert f'hx-get="/page/day/{day}/TRUCK-1"' in text
    stretches = pages.get(f"/page/day/{day}/TRUCK-1")
    assert "not all observed" in stretches
    for stretch in re.findall(r"/page/stretch/([^/]+)/TRUCK-1", stretches):
        readings = pages.get(f"/page/stretch/{stretch}/TRUCK-1")
        assert "ignition o" in readings
        assert "dock-a AAAAAAAAAAAA #" in readings
    assert "did not run" in pages.get(f"/page/day/{day - 9}/TRUCK-1")
    assert "decided anew" in pages.get("/page/stretch/none/TRUCK-1")


def test_what_is_open_now_leads_to_readings_too(pages: Pages) -> None:
    stretches = pages.get(f"/page/day/{NOW // DAY_US}/TRUCK-1")
    last = re.findall(r"/page/stretch/([^/]+)/TRUCK-1", stretches)[-1]
    assert "ignition on" in pages.get(f"/page/stretch/{last}/TRUCK-1")


def test_stays_lead_to_readings(pages: Pages) -> None:
    text = pages.get("/page/asset/visits/TRUCK-1")
    assert "Truck dock" in text
    visit = re.findall(r"/page/visit/([^/]+)/TRUCK-1", text)[-1]
    assert "HDOP 0.9" in pages.get(f"/page/visit/{visit}/TRUCK-1")
    assert "decided anew" in pages.get("/page/visit/none/TRUCK-1")
    assert "In no zone" in pages.get("/page/asset/visits/FORKLIFT-1")


def test_trips_and_stops_are_said_in_words(pages: Pages) -> None:
    text = pages.get("/page/asset/trips/TRUCK-1")
    assert re.search(r"Drove [0-9.]+ km</b>", text)
    assert re.search(r"Stood</b>.*in (Truck dock|Parking|Crane pad|Yard)", text)
    assert text.count("on the way") + text.count("still there") == 1
    assert "Nothing was heard of its way" in pages.get("/page/asset/trips/FORKLIFT-1")
    assert 'km <span class="since">its own</span>' in pages.get("/page/asset/place/TRUCK-1")


def test_signals_are_drawn_and_their_absence_is_said(pages: Pages) -> None:
    text = pages.get("/page/asset/risk/TRUCK-1")
    for name in ("gearbox temperature", "gearbox vibration", "oil pressure", "engine load"):
        assert re.search(f"{name}: [0-9.]+ \\S+ over the last 24 h", text)
    assert "°C" in text
    assert "No signals" in pages.get("/page/asset/risk/FORKLIFT-1")


def test_a_service_is_recorded_once_and_can_be_withdrawn(pages: Pages) -> None:
    text = pages.get("/page/asset/due/CRANE-1")
    assert "overdue" in text
    fields = {"id": str(uuid4()), "plan": "CRANE-1/rope", "at": "2026-11-23T08:55:00+00:00", "note": "new <rope>"}
    for _ in range(2):
        text = pages.post("/page/service/CRANE-1", **fields)
        assert "overdue" not in text
        assert "14 days" in text
        assert text.count("new &lt;rope&gt;") == 1
    ident = fields["id"]
    assert "withdrawn" not in text
    text = pages.post(f"/page/withdraw/{ident}", asset="CRANE-1", reason="wrong crane")
    assert "overdue" in text
    assert "wrong crane" in text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("at", "soon", "at"), ("at", "2027-12-01T00:00:00Z", "a time that has come"), ("plan", "none", "plan")],
)
def test_a_service_that_cannot_be_says_why(pages: Pages, field: str, value: str, told: str) -> None:
    fields = {"id": "s1", "plan": "CRANE-1/rope", "at": "2026-11-23T08:55:00+00:00"} | {field: value}
    text = pages.post("/page/service/CRANE-1", **fields)
    notice = re.search('<p class="notice" role="status">(.*?)</p>', text)
    assert notice is not None
    assert told in notice[1]
    assert "overdue" in text


def test_snoozing_hides_an_alert_and_says_when_it_wakes(pages: Pages) -> None:
    ident = pages.alert("CRANE-1: Rope inspection is overdue")
    text = pages.post(f"/page/alerts/{ident}/snooze", hours="8", alerts="assets")
    standing, _, asleep = text.partition('class="asleep"')
    assert f'id="a-{ident}"' not in standing
    assert f'id="z-{ident}"' in asleep
    assert "2026-11-23T17:00:00+00:00" in asleep
    assert f'id="z-{ident}"' in pages.get("/page/asset/alerts/CRANE-1")
    assert "snooze: " in pages.post(f"/page/alerts/{ident}/snooze", hours="-1")
    assert "one of them expected" in pages.post(f"/page/alerts/{ident}/snooze")


def test_what_is_done_on_an_assets_page_is_answered_with_its_part(pages: Pages) -> None:
    ident = pages.alert("CRANE-1: Rope inspection is overdue")
    text = pages.post(f"/page/alerts/{ident}/acknowledge", asset="CRANE-1")
    assert "Acknowledged by local" in text
    assert "TRUCK-1" not in text
    told = pages.client.post(f"/page/alerts/{ident}/acknowledge", data={"asset": "CRANE-1"})
    assert told.headers["location"] == "/assets/CRANE-1#alerts"
    refused = pages.client.post(f"/page/alerts/{ident}/snooze", headers={"origin": "http://evil.example"})
    assert refused.status_code == 403
