from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import insert, select

from backend.api.approval import decide
from backend.book import journal, receipts, schema
from backend.book.db import read, write
from backend.book.outside import outside
from backend.registers import Registers
from models import wire
from models.reading import Tag, from_micros

NOW = 1_795_424_400_000_000
Get = Callable[..., dict[str, Any]]


def test_the_shapes_that_others_rely_on(get: Get) -> None:
    shapes = {
        "crossings": "id n device door epc first_at last_at closed_at direction score reasons rule evidence "
        "evidence_count kind sku quantity movement",
        "journal": "gateway epoch seq kind device at received_at reading",
        "movements": "id n at recorded_at sku lot quantity source target reason evidence reverses",
        "stock": "sku location lot on_hand allocated available on_order",
        "gateways": "name online last_seen streams devices",
        "alerts": "id rule subject severity title detail state raised_at",
        "proposals": "id sku quantity position reorder_min reorder_max state made_at",
    }
    for path, fields in shapes.items():
        answer = get(path)
        assert set(fields.split()) <= set(answer["items"][0]), path
        assert "next" in answer
    (stream,) = get("gateways")["items"][0]["streams"]
    assert set(stream) == {"epoch", "committed", "next_seq", "outbox_depth", "oldest_unreceipted"}
    assert (stream["committed"], stream["outbox_depth"]) == (194, 3)


@pytest.mark.parametrize("path", ["crossings", "movements", "journal", "stock", "alerts"])
def test_pages_put_together_are_the_list(get: Get, path: str) -> None:
    whole = get(path, limit=1000)
    assert whole["next"] is None
    paged: list[Any] = []
    after = None
    while True:
        page = get(path, limit=7, **({} if after is None else {"after": after}))
        paged += page["items"]
        if (after := page["next"]) is None:
            break
    assert paged == whole["items"]


def test_the_journal_of_one_stream_goes_on_from_a_seq(get: Get) -> None:
    found = get("journal", gateway="dock-a", epoch="0123456789AB", after_seq=190)["items"]
    assert [entry["seq"] for entry in found] == [191, 192, 193, 194]
    assert found[-1]["reading"]["kind"] == "scan"
    assert get("journal", gateway="dock-b")["items"] == []


def test_the_journal_goes_over_from_one_stream_to_the_next(site: Any, get: Get) -> None:
    with write(site.book) as tx:
        held = journal.lock_stream(tx, "dock-a", "ZZZZZZZZZZZZ")
        tag = Tag("door-9", from_micros(NOW), "30ab", 1)
        device = journal.device_id(tx, held.gateway_id, "door-9", {})
        content, text = wire.content_hash(tag), wire.encode(tag)
        journal.add(tx, [journal.Arrival(held.id, 1, device, "dock-a", tag, content, NOW, NOW, text)])
        journal.raise_mark(tx, held, 1)
    page = get("journal", limit=194)
    (last,) = get("journal", after=page["next"])["items"]
    assert (last["epoch"], last["seq"], last["device"]) == ("ZZZZZZZZZZZZ", 1, "door-9")


def test_filters(get: Get) -> None:
    one = get("crossings")["items"][5]
    assert get("crossings", epc=one["epc"].upper())["items"] == [one]
    assert {c["device"] for c in get("crossings", device="door-2")["items"]} == {"door-2"}
    assert {m["sku"] for m in get("movements", sku="BOLT-M8")["items"]} == {"BOLT-M8"}
    assert all("desk" in (m["source"], m["target"]) for m in get("movements", location="desk")["items"])
    assert [s["lot"] for s in get("stock", lot="LOT7")["items"]] == ["LOT7", "LOT7"]
    assert get("alerts", state="closed")["items"] == []
    assert len(get("alerts", subject="item:PUMP-40")["items"]) == 1


def test_the_ledger_replayed_to_now_is_the_balances(get: Get) -> None:
    now = get("stock")["items"]
    assert get("stock", as_of=from_micros(NOW).isoformat())["items"] == now
    assert {s["location"] for s in now} == {"warehouse", "desk"}
    for line in now:
        assert line["allocated"] == "0"
        assert line["available"] == line["on_hand"]
    assert get("stock", family="pumps")["items"] == [line for line in now if line["sku"] == "PUMP-40"]
    assert get("stock", family="none of these")["items"] == []


def test_stock_as_it_was_and_at_a_virtual_place_that_is_named(get: Get) -> None:
    before = get("stock", as_of=from_micros(NOW - 3_600_000_000).isoformat(), sku="PUMP-40")
    assert [(s["location"], s["on_hand"]) for s in before["items"]] == [("warehouse", "6")]
    assert before["complete_to"] == "2026-11-23T08:00:00Z"
    supplied = get("stock", location="supplier")["items"]
    assert supplied
    assert all(Decimal(s["on_hand"]) < 0 for s in supplied)


def test_approved_goods_are_on_order_until_they_come(site: Any, get: Get) -> None:
    def on_order() -> str:
        (line,) = get("stock", sku="PUMP-40")["items"]
        return str(line["on_order"])

    received = [m for m in get("movements", sku="PUMP-40")["items"] if m["reason"] == "dock crossing"][-4:]
    assert on_order() == "0"
    with write(site.book) as tx:
        ident = tx.scalars(select(schema.proposal.c.id).where(schema.proposal.c.sku == "PUMP-40")).one()
        decide(tx, ident, "approved", ("ann", None, NOW - 3_600_000_000))
    assert on_order() == "50"
    with write(site.book) as tx:
        register = Registers().current(tx)
        receipts.follow(tx, outside(register, NOW), NOW)
    came = sum(
        m["source"] == "supplier" for m in get("movements", sku="PUMP-40")["items"] if m["reason"] == "dock crossing"
    )
    assert received
    assert on_order() == str(50 - came)


def test_complete_to_is_held_back_by_what_is_still_to_be_derived(site: Any, get: Get) -> None:
    assert get("stock")["complete_to"] == "2026-11-23T09:00:00Z"
    with write(site.book) as tx:
        row = {"step": "dock", "device_id": 1, "subject": "30", "since": NOW - 60_000_000, "until": NOW}
        tx.execute(insert(schema.dirty).values(row))
    for path in ("stock", "crossings", "movements"):
        assert get(path)["complete_to"] == "2026-11-23T08:59:00Z"


def test_gaps_and_quarantine(site: Any, get: Get) -> None:
    with write(site.book) as tx:
        held = journal.lock_stream(tx, "dock-a", "0123456789AB")
        journal.add_gap(tx, held.id, (900, 1100), "outbox quota", (NOW, NOW))
        row = {"gateway": "dock-a", "stream_id": held.id, "seq": 7, "sort": "invalid", "reason": "epc: expected"}
        tx.execute(insert(schema.quarantine).values(**row, body=b"\xff\x00", received_at=NOW))
        journal.keep_envelope(tx, "dock-a", "batch: truncated", b"{", NOW)
    (gap,) = get("gaps", gateway="dock-a")["items"]
    assert (gap["epoch"], gap["from_seq"], gap["to_seq"], gap["reason"]) == ("0123456789AB", 900, 1100, "outbox quota")
    bad, envelope = get("quarantine")["items"]
    assert (bad["epoch"], bad["seq"], bad["text"], bad["body"]) == ("0123456789AB", 7, None, "/wA=")
    assert (envelope["sort"], envelope["epoch"], envelope["text"]) == ("envelope", None, "{")


def test_no_list_asks_once_per_row(site: Any, get: Get) -> None:
    asked: list[str] = []
    sa_event.listen(site.book, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for path in ("gateways", "journal", "crossings", "movements", "stock", "alerts", "proposals", "items"):
        asked.clear()
        get(path)
        assert len(asked) <= 10, (path, asked)


def test_the_time_of_the_last_commit_is_looked_up_and_never_searched(site: Any) -> None:
    asked: list[str] = []
    sa_event.listen(site.book, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert site.client.get("/health").status_code == 200
    with read(site.book) as tx:
        (query,) = [text for text in asked if "journal" in text]
        plan = [row.detail for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert [line for line in plan if "journal" in line] == ["SEARCH journal USING PRIMARY KEY (stream_id=? AND seq=?)"]


def test_health_and_metrics(site: Any) -> None:
    health = site.client.get("/health").json()
    assert (health["status"], health["now"]) == ("ok", "2026-11-23T09:00:00Z")
    assert health["committed_at"] < health["now"]
    text = site.client.get("/metrics").text
    for line in (
        'stockyard_committed_readings_total{gateway="dock-a"} 194.0',
        'stockyard_outbox_depth{gateway="dock-a"} 3.0',
        'stockyard_alerts{state="open"} 3.0',
        'stockyard_device_state{device="door-2",gateway="dock-a",state="lost"} 1.0',
        "stockyard_crossings_total 48.0",
    ):
        assert line in text


def test_openapi_is_complete(site: Any) -> None:
    schema_of = site.client.get("/api/openapi.json").json()
    paths, known = schema_of["paths"], schema_of["components"]["schemas"]
    assert {"/health", "/metrics", "/api/v1/scans/{ident}", "/api/v1/events", "/api/v1/tags/{ident}"} <= set(paths)
    assert {"Crossing", "Problem", "Item", "Page_Stock_", "MovementBody", "Scan"} <= set(known)
    text = site.client.get("/api/openapi.json").text
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(known)
    undocumented = [
        (path, method)
        for path, methods in paths.items()
        for method, one in methods.items()
        if not one["responses"].get("200", one["responses"].get("201", {})).get("content")
    ]
    assert undocumented == []
