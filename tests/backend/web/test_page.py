import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, select, update

from backend.api.items import Stock
from backend.api.services import Services
from backend.book import schema
from backend.book.db import read, write
from backend.web.sections import SECTIONS, StockLine
from tests.shared_app import shared_app

NOW = 1_795_424_400_000_000
XSS = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
HTMX = {"hx-request": "true"}


@pytest.fixture
def web(book: Engine) -> Iterator[TestClient]:
    def put_scan(*_given: object) -> bool:
        return True

    app = shared_app(Services(book, lambda: NOW, put_scan), pages=True)
    with TestClient(app, "http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and whether it nests."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br", "input", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def tags_of(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.found


def test_the_page_has_every_section_once_and_ids_are_unique(web: TestClient) -> None:
    tags = tags_of(web.get("/").text)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [attrs["id"] for tag, attrs in tags if tag == "section"] == [
        "yard",
        "dock",
        "movements",
        "alerts",
        "proposals",
        "stock",
        "devices",
    ]
    assert [tag for tag, _ in tags].count("h1") == 1
    live = next(attrs for _, attrs in tags if attrs.get("id") == "live")
    assert re.fullmatch(r"/live\?after=\d+", str(live["hx-sse:connect"]))


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_alone_is_what_the_page_has(web: TestClient, name: str) -> None:
    alone = web.get(f"/page/{name}").text
    assert alone in web.get("/").text
    assert tags_of(alone)


def test_an_empty_book_has_a_page_too(web: TestClient, book: Engine) -> None:
    with write(book) as tx:
        for table in reversed(schema.metadata.sorted_tables):
            tx.execute(table.delete())
    text = web.get("/").text
    for empty in ("Nothing has passed a door yet", "No alerts", "Nothing to reorder", "No gateway has been heard of"):
        assert empty in text


def test_what_devices_say_is_never_markup(web: TestClient, book: Engine) -> None:
    moved = movement_of(book, "dock crossing")
    with write(book) as tx:
        tx.execute(update(schema.crossing).values(subject=XSS, door=XSS, why=XSS, reasons='["<script>x</script>"]'))
        tx.execute(update(schema.scan_act).values(text=XSS, device=XSS, badge=XSS))
        tx.execute(update(schema.movement).values(lot=XSS, reason=XSS))
        tx.execute(update(schema.alert).values(title=XSS, subject=schema.alert.c.subject + XSS))
        tx.execute(update(schema.device).values(name=schema.device.c.name + XSS))
        tx.execute(update(schema.gateway).values(name=XSS))
    pages = [web.get("/").text, web.get(f"/page/movements/{moved}/evidence").text]
    for text in pages:
        assert "&lt;script&gt;" in text
        assert not [attrs for _, attrs in tags_of(text) if "onerror" in attrs]
        scripts = [attrs.get("src") for tag, attrs in tags_of(text) if tag == "script"]
        assert all(source is not None and source.startswith("/static/") for source in scripts)


def test_who_scanned_is_named_beside_the_scanner(web: TestClient, book: Engine) -> None:
    with write(book) as tx:
        tx.execute(update(schema.scan_act).values(badge="anna").where(schema.scan_act.c.n == 1))
    assert web.get("/").text.count("scanner-1, anna<") == 1


def movement_of(book: Engine, reason: str) -> str:
    with read(book) as tx:
        return str(tx.scalar(select(schema.movement.c.id).where(schema.movement.c.reason == reason)))


def test_behind_a_movement_is_the_crossing_and_behind_that_the_readings(web: TestClient, book: Engine) -> None:
    text = web.get(f"/page/movements/{movement_of(book, 'dock crossing')}/evidence").text
    assert "outside row first by 0.8 s" in text
    assert text.count("antenna ") == 4
    assert "dock-a 0123456789AB #1<" in text


def test_behind_a_scanned_movement_is_the_barcode(web: TestClient, book: Engine) -> None:
    text = web.get(f"/page/movements/{movement_of(book, 'scan receive')}/evidence").text
    assert "]C1 010952132150001330400&lt;GS&gt;10LOT7" in text


def test_what_was_decided_anew_says_so(web: TestClient) -> None:
    for path in ("/page/movements/none/evidence", "/page/crossings/none/readings"):
        assert "decided anew" in web.get(path).text
    assert web.get("/page/nothing").status_code == 404


def test_an_alert_acknowledged_on_the_page_stays_so(web: TestClient, book: Engine) -> None:
    with read(book) as tx:
        ident = tx.scalar(select(schema.alert.c.id).where(schema.alert.c.rule == "gap"))
    url = f"/page/alerts/{ident}/acknowledge"
    assert web.post(url, headers={"origin": "http://evil.example"}).status_code == 403
    assert f'id="ack-{ident}"' in web.get("/page/alerts").text
    fragment = web.post(url, headers=HTMX).text
    assert "Acknowledged by local" in fragment
    assert f'id="ack-{ident}"' not in web.get("/").text
    assert web.post(url).headers["location"] == "/#alerts"


def test_a_proposal_decided_twice_tells_the_second(web: TestClient, book: Engine) -> None:
    with read(book) as tx:
        ident = tx.scalar(select(schema.proposal.c.id).where(schema.proposal.c.sku == "PUMP-40"))
    assert "Approved by local" in web.post(f"/page/proposals/{ident}/approve", headers=HTMX).text
    told = web.post(f"/page/proposals/{ident}/reject", headers=HTMX)
    assert "open expected, it is approved" in told.text
    assert "50 on order" in web.get("/page/stock").text


def test_lists_are_bounded(web: TestClient, book: Engine) -> None:
    with write(book) as tx:
        row = {"severity": "info", "title": "t", "detail": "{}", "state": "open", "raised_at": NOW, "rule": "r"}
        tx.execute(insert(schema.alert), [row | {"id": str(n), "subject": str(n)} for n in range(80)])
        entry = {"kind": "items", "valid_from": 0, "recorded_at": 0, "actor": "a", "body": b'{"name":"n"}'}
        tx.execute(insert(schema.register_entry), [entry | {"id": f"SKU-{n}"} for n in range(80)])
    text = web.get("/").text
    counts = {start: len(re.findall(f'<(?:li|tr) id="{start}-', text)) for start in "xami"}
    assert counts == {"x": 48, "a": 50, "m": 48, "i": 50}
    assert "50 of 90 items" in text
    assert web.get("/page/alerts").text.index("gap") < web.get("/page/alerts").text.index('id="a-79"')


def test_assets_are_not_among_the_stock(web: TestClient, book: Engine) -> None:
    with write(book) as tx:
        last = select(schema.crossing.c.n).order_by(schema.crossing.c.closed_at.desc()).limit(1).scalar_subquery()
        changed = {"kind": "asset", "asset": "FORKLIFT-1", "sku": None, "quantity": None}
        tx.execute(update(schema.crossing).where(schema.crossing.c.n == last).values(changed))
    feed, _, assets = web.get("/page/dock").text.partition("Assets at the doors")
    assert "FORKLIFT-1" in assets
    assert "FORKLIFT-1" not in feed
    assert "FORKLIFT-1" not in web.get("/page/stock").text


def test_the_bar_is_as_full_as_the_stock() -> None:
    line = StockLine("s", "n", "each", on_hand=Decimal(105), low=Decimal(20), high=Decimal(60))
    assert line.bar == (114, 21, 65)
    assert StockLine("s", "n", "each", on_hand=Decimal(-5), low=Decimal(0), high=Decimal(0)).bar == (0, 0, 0)
    assert StockLine("s", "n", "each").bar is None


def test_the_lots_of_a_place_are_counted_not_listed() -> None:
    line = StockLine("s", "n", "each")
    for location, lot, on_hand in (("desk", None, "4"), ("desk", "A", "3"), ("hall", "A", "-1"), ("hall", "B", "0")):
        line.add(Stock("s", location, lot, on_hand, "0", on_hand, "7", "0"))
    assert [(p.location, p.quantity, p.lots) for p in line.places] == [
        ("desk", "7", [None, "A"]),
        ("hall", "-1", ["A"]),
    ]
    assert (line.total, line.on_order, line.is_negative) == ("6", "7", True)
