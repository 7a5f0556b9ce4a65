"""The asset half of the pages where something is odd: two kinds of alerts, hostile names, nothing heard, hundreds."""

import re

from sqlalchemy import insert, update

from backend.book import register, schema
from backend.book.db import write
from backend.step import DAY_US
from models.declared import Asset, Circle, Device, Tracker, Zone
from tests.asset_book import LAST, Fleet, Machine, position
from tests.backend.books import SITE
from tests.backend.web.asset_pages import NOW, SECOND, XSS, Pages, row, tags_of


def test_alerts_are_told_apart_and_can_be_chosen(pages: Pages) -> None:
    with write(pages.book) as tx:
        made = {"severity": "info", "title": "t", "detail": "{}", "state": "open", "raised_at": NOW, "subject": "s"}
        rules = {"r1": "reorder", "r2": "gap"}
        tx.execute(insert(schema.alert), [made | {"id": ident, "rule": rule} for ident, rule in rules.items()])
    rope = pages.alert("CRANE-1: Rope inspection is overdue")
    shown = {name: pages.get(f"/page/alerts?alerts={name}") for name in ("all", "stock", "assets", "devices")}
    for ident, name, sort in ((rope, "assets", "asset"), ("r1", "stock", "stock"), ("r2", "devices", "device")):
        for chosen, text in shown.items():
            assert (f'id="a-{ident}"' in text) == (chosen in {"all", name})
        assert re.search(f'id="a-{ident}" class="[^"]*of-{sort}"', shown["all"])
    assert f'href="/assets/CRANE-1" id="of-{rope}"' in shown["all"]
    assert 'value="stock" checked' in pages.get("/?alerts=stock")
    assert pages.get("/?alerts=nonsense&assets=9x")


def test_names_are_never_markup(pages: Pages) -> None:
    stamp = {"valid_from": NOW - DAY_US, "actor": "test", "now": NOW}
    long = "Ünïcödé 移动式起重机 🏗 " * 20
    with write(pages.book) as tx:
        register.put(tx, "assets", "TRUCK-1", Asset(XSS, XSS, XSS), **stamp)
        register.put(tx, "assets", "a/../b:c", Asset(long, long), **stamp)
        register.put(tx, "zones", "yard", Zone(XSS, circle=Circle(51.0605, 3.7325, 200)), **stamp)
        tx.execute(update(schema.alert).values(title=XSS))
        tx.execute(update(schema.service_done).values(note=XSS, actor=XSS))
    paths = ["/", "/assets/TRUCK-1", "/assets/a%2F..%2Fb:c", f"/page/day/{NOW // DAY_US - 1}/TRUCK-1"]
    for path in paths:
        text = pages.get(path)
        tags = tags_of(text)
        assert not [attrs for _, attrs in tags if "onerror" in attrs]
        scripts = [attrs.get("src") for tag, attrs in tags if tag == "script"]
        assert all(source is not None and source.startswith("/static/") for source in scripts)
    assert "&lt;script&gt;" in pages.get("/assets/TRUCK-1")
    assert 'href="/assets/a%2F..%2Fb%3Ac"' in pages.get("/page/yard")


def test_an_asset_that_is_not_there_is_said_so(pages: Pages) -> None:
    text = pages.get("/assets/NONE%3Cscript%3E", 404)
    assert "No such asset" in text
    assert "<script>" not in text
    assert pages.client.get("/page/asset/place/NONE").status_code == 404
    assert pages.client.get("/page/asset/nothing/TRUCK-1").status_code == 404
    assert pages.client.get("/api/v1/assets/TRUCK-1/now").headers["content-type"] == "application/json"


def test_where_nothing_was_ever_heard(empty: Pages) -> None:
    text = empty.get("/page/yard")
    assert "never heard" in row(text, "TRUCK-1")
    assert "unknown" in row(text, "TRUCK-1")
    assert "Truck dock" in text
    for ident in ("TRUCK-1", "FORKLIFT-1"):
        tags_of(empty.get(f"/assets/{ident}"))
    assert "No signals" in empty.get("/page/asset/risk/TRUCK-1")


def test_an_empty_register_has_pages_too(empty: Pages) -> None:
    with write(empty.book) as tx:
        tx.execute(schema.register_entry.delete())
    assert "No assets yet" in empty.get("/page/yard")
    assert "No assets yet" in empty.get("/")
    assert "No such asset" in empty.get("/assets/TRUCK-1", 404)


def test_a_fleet_of_hundreds_is_counted_by_zone_and_listed_in_pages(empty: Pages) -> None:
    stamp = {"valid_from": NOW - DAY_US, "actor": "test", "now": NOW}
    readings = []
    with write(empty.book) as tx:
        for k in range(120):
            imei = f"imei:3563070425{k:05d}"
            register.put(tx, "assets", f"M-{k:03d}", Asset("Truck", f"S{k}"), **stamp)
            register.put(tx, "devices", imei, Device(imei, tracker=Tracker(f"M-{k:03d}")), **stamp)
            machine = Machine(imei, 115 + k % 60, 95 + k % 50, hours=1, km=1)
            readings += machine.record(NOW - 60 * SECOND, on=k % 3 == 0, full=False)
    Fleet(empty.book, NOW).send(readings, NOW)
    text = empty.get("/page/yard")
    assert 'class="mark' not in text
    assert re.search(r"<title>Truck dock: 80 off, 40 idle</title>", text)
    assert text.count("<tr id=") == 20
    assert "123 assets, page 1 of 7" in text
    last = empty.get("/page/yard?assets=99")
    assert "page 7 of 7" in last
    assert last.count("<tr id=") == 3


def test_the_example_of_the_last_services_is_of_the_example_site() -> None:
    assert set(LAST) <= set(re.findall(r'\[plans\."([^"]+)"\]', SITE.read_text()))
    assert position(0, 0) == (51.06, 3.73)
