"""A small book as it stands after a quarter of an hour at the demo's site, for tests and screenshots; `fill` makes it.

`python tests/sample_book.py DIR [PORT]` fills DIR/book.db and serves it until the line is closed.
"""

import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event

import msgspec
from sqlalchemy import Connection, Engine, insert, update

from backend import site
from backend.book import events, journal, ledger, schema
from backend.book.db import open_engine, write
from backend.step import DAY_US
from models import wire
from models.ids import derived_id
from models.reading import Reading, Scan, Tag, from_micros
from models.stock.ledger import Movement

ROOT = Path(__file__).parents[1]
SECOND = 1_000_000
EPOCH = "0123456789AB"
CARTONS = {"PUMP-40": 1, "VALVE-2IN": 12, "FILTER-10": 24, "MOTOR-1KW": 2}
STAYED = ["one row heard it much less (2 reads to 41): passing along one side"]
THROUGH = {
    "in": ["outside row first by 0.8 s of 1.2 s", "rows heard it alike (9 reads inside, 13 outside)"],
    "out": ["inside row first by 0.8 s of 1.2 s", "rows heard it alike (9 reads inside, 13 outside)"],
}


def fill(engine: Engine, now: int) -> None:
    """A register, 48 crossings with their readings, scans, movements, an alert, proposals, a gateway."""
    schema.metadata.create_all(engine)
    site.apply(engine, ROOT / "deploy" / "site.example.toml", now, "setup")
    with write(engine) as tx:
        held = journal.lock_stream(tx, "dock-a", EPOCH)
        _opening(tx, now)
        seq = _crossings(tx, held, now)
        seq = _scans(tx, held, now, seq)
        journal.raise_mark(tx, held, seq)
        _status(tx, now, seq)
        _decisions(tx, now)


def journalled(tx: Connection, held: journal.StreamRow, seq: int, readings: list[Reading], now: int) -> list[str]:
    """Journal readings from `seq` on; their content hashes."""
    known: dict[tuple[int, str], int] = {}
    hashes: list[str] = []
    arrivals: list[journal.Arrival] = []
    for k, reading in enumerate(readings):
        content = wire.content_hash(reading)
        hashes.append(content.hex())
        device = journal.device_id(tx, held.gateway_id, reading.device, known)
        text, at = wire.encode(reading), journal.when(reading)
        arrivals.append(
            journal.Arrival(held.id, seq + k, device, held.gateway, reading, content, at, min(now, at + SECOND), text)
        )
    journal.add(tx, arrivals)
    return hashes


def cross(tx: Connection, held: journal.StreamRow, k: int, at: int, seq: int) -> int:
    """The k-th carton passes a door at `at`, microseconds; how many readings that made."""
    sku = list(CARTONS)[k % 4]
    direction = ("in", "in", "out", "in", "none", "in", "out")[k % 7]
    door, epc = f"door-{1 + k % 2}", f"3034257bf7194e40{0x1A85 + k:08x}"
    rows = [3, 3, 1, 1] if direction == "in" else [1, 1, 3, 3]
    tags: list[Reading] = [
        Tag(door, from_micros(at - (3 - i) * 400_000), epc, antenna, rssi_dbm=-52.5 - 3 * i, count=4 + i)
        for i, antenna in enumerate(rows)
    ]
    hashes = journalled(tx, held, seq, tags, at + 4 * SECOND)
    ident = derived_id("crossing", door, epc, str(at))
    moved = move(tx, ident, sku, direction, at) if direction != "none" else None
    row = {
        "id": ident,
        "device_id": journal.device_id(tx, held.gateway_id, door, {}),
        "subject": epc,
        "door": door,
        "first_at": at - 1_200_000,
        "last_at": at,
        "closed_at": at + 3 * SECOND,
        "day": at // DAY_US,
        "direction": direction,
        "score": 0.94 if direction != "none" else 0.31,
        "reasons": msgspec.json.encode(STAYED if direction == "none" else THROUGH[direction]).decode(),
        "rule": "rows-1",
        "own_direction": direction,
        "own_score": 0.94 if direction != "none" else 0.31,
        "own_reasons": msgspec.json.encode(STAYED if direction == "none" else THROUGH[direction]).decode(),
        "chances": "[0.0,0.0,1.0]",
        "stray": 0.06 if direction != "none" else 0.69,
        "middle_at": at - 600_000,
        "evidence": msgspec.json.encode(hashes).decode(),
        "evidence_count": len(hashes),
        "kind": "stock",
        "sku": sku,
        "quantity": str(CARTONS[sku]),
        "why": f"SGTIN of {sku}",
        "movement": moved,
    }
    tx.execute(insert(schema.crossing).values(row))
    events.emit(tx, "crossing", {"id": ident, "door": door, "direction": direction}, at + 3 * SECOND)
    return len(tags)


def move(tx: Connection, crossing: str, sku: str, direction: str, at: int) -> str:
    """Post what a crossing moved; the movement's id."""
    source, target = ("supplier", "warehouse") if direction == "in" else ("warehouse", "customer")
    ident = derived_id("posting", crossing)
    moved = Movement(
        id=ident,
        at=at,
        sku=sku,
        quantity=Decimal(CARTONS[sku]),
        source=source,
        target=target,
        reason="dock crossing",
        evidence=[f"crossing:{crossing}"],
    )
    ledger.post(tx, [moved], (), "dock", at + 3 * SECOND)
    return ident


def _opening(tx: Connection, now: int) -> None:
    at = now - 86_400 * SECOND
    for sku, quantity in (("PUMP-40", 6), ("VALVE-2IN", 420), ("FILTER-10", 960), ("MOTOR-1KW", 88), ("BOLT-M8", 900)):
        counted = Movement(
            id=derived_id("opening", sku),
            at=at,
            sku=sku,
            quantity=Decimal(quantity),
            source="supplier",
            target="desk" if sku == "BOLT-M8" else "warehouse",
            reason="opening count",
            evidence=[],
        )
        ledger.post(tx, [counted], (), "local", at)


def _crossings(tx: Connection, held: journal.StreamRow, now: int) -> int:
    seq = 1
    for k in range(48):
        seq += cross(tx, held, k, now - (48 - k) * 19 * SECOND, seq)
    return seq


def _scans(tx: Connection, held: journal.StreamRow, now: int, seq: int) -> int:
    for k, (sku, gtin, count) in enumerate((("BOLT-M8", "09521321500013", 400), ("GLOVE-L", "09521321500020", 60))):
        at = now - (500 - 30 * k) * SECOND
        scan = Scan("scanner-1", from_micros(at), f"01{gtin}30{count}\x1d10LOT7", "]C1")
        (content,) = journalled(tx, held, seq, [scan], at + SECOND)
        seq += 1
        moved = Movement(
            id=derived_id("posting", content),
            at=at,
            sku=sku,
            lot="LOT7",
            quantity=Decimal(count),
            source="supplier",
            target="desk",
            reason="scan receive",
            evidence=[f"scan:{content}"],
        )
        ledger.post(tx, [moved], (), "desk", at + SECOND)
        row = {"id": derived_id("scan", content), "subject": "", "device": "scanner-1", "at": at}
        row |= {"device_id": journal.device_id(tx, held.gateway_id, "scanner-1", {}), "action": "receive", "ok": True}
        row |= {"closed_at": at, "day": at // DAY_US}
        row |= {"text": f"{count} x {sku} received", "sku": sku, "lot": "LOT7", "quantity": str(count)}
        tx.execute(insert(schema.scan_act).values(**row, location="desk", evidence=f'["{content}"]', movement=moved.id))
    return seq - 1


def _status(tx: Connection, now: int, seq: int) -> None:
    when = from_micros(now)
    status = wire.Status(
        online=True,
        version="0.1.0",
        streams=[wire.Stream(EPOCH, seq + 4, 3, when)],
        devices=[
            wire.DeviceState("door-1", "reading", when - timedelta(hours=2), 9120, 0),
            wire.DeviceState("door-2", "lost", when - timedelta(seconds=40), 7311, 2),
            wire.DeviceState("scanner-1", "reading", when - timedelta(hours=2), 41, 0),
        ],
    )
    values = {"online": True, "last_seen": now, "status": wire.encode(status)}
    tx.execute(update(schema.gateway).where(schema.gateway.c.name == "dock-a").values(values))
    listed = {"listed_next_seq": seq + 4, "listed_at": now, "listed_oldest": now}
    tx.execute(update(schema.stream).where(schema.stream.c.epoch == EPOCH).values(listed))


def _decisions(tx: Connection, now: int) -> None:
    alerts = [
        (
            "reorder",
            "item:PUMP-40",
            "warning",
            "PUMP-40 is at 10, its minimum is 20",
            {"position": "10", "minimum": "20"},
        ),
        ("gap", "stream:dock-a", "critical", "Readings 900 to 1100 of dock-a were forced out of its outbox", {}),
        ("device", "dock-a/door-2", "warning", "door-2 lost: no keepalive for 30 s", {"device": "door-2"}),
    ]
    for k, (rule, subject, severity, title, detail) in enumerate(alerts):
        row = {"rule": rule, "subject": subject, "severity": severity, "title": title, "state": "open"}
        ident, raised = derived_id("alert", rule, subject), now - (300 - k * 90) * SECOND
        detail_text = msgspec.json.encode(detail).decode()
        tx.execute(insert(schema.alert).values(id=ident, raised_at=raised, detail=detail_text, **row))
        events.emit(tx, "alert", {"id": ident, "rule": rule}, raised)
    for sku, quantity, position, low, high in (
        ("PUMP-40", "50", "10", "20", "60"),
        ("TAPE-48", "240", "0", "60", "240"),
    ):
        row = {"sku": sku, "quantity": quantity, "position": position, "reorder_min": low, "reorder_max": high}
        ident = derived_id("proposal", sku)
        tx.execute(insert(schema.proposal).values(id=ident, state="open", made_at=now - 200 * SECOND, **row))


def _serve(folder: Path, port: int) -> None:
    from backend.api import create_app  # noqa: PLC0415 - `fill` alone does not need the server
    from backend.api.services import Services  # noqa: PLC0415
    from backend.server import Server  # noqa: PLC0415
    from backend.web import add_page  # noqa: PLC0415

    engine = open_engine("sqlite", folder / "book.db")
    fill(engine, time.time_ns() // 1000)
    app = create_app(Services(engine, lambda: time.time_ns() // 1000, lambda *_: True))
    add_page(app)
    server = Server(lambda: app, "127.0.0.1", port)
    print(server.url, flush=True)
    server.run(Event())


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
