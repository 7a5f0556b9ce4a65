"""A day of trucks through the product: readings in batches to ingest, late ones folded anew, then projected."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from backend.book import register as registers
from backend.book.db import open_engine, read, write
from backend.book.migrations import migrate
from backend.deriver import Deriver
from backend.ingest import Ingest, Message
from backend.projector import Projector
from backend.registers import Registers
from backend.telemetry.store import Store
from backend.worker import MOST_READINGS
from models import wire
from models.declared import Asset, Circle, Device, Plan, Tracker, Zone
from models.reading import Fix, Input, Reading, Signal, from_micros
from models.register import Register
from tests.bench.tsbs.trucks import MODELS, Day, Drive, Health, S
from tests.bench.tsbs.trucks import Engine as EngineSaid

GATEWAY, EPOCH = "fleet", "TSBS00000000"
AFTER_US = 3600 * S
DEPOT = Zone("Depot", circle=Circle(50.75, 4.2, 20_000.0))


@dataclass(frozen=True, slots=True)
class Filled:
    """What the product made of a day."""

    book: Engine
    register: Register
    now: int


def readings(day: Day) -> Iterator[Reading]:
    """In the order of arrival, as a gateway would send them."""
    for row in day.arrivals:
        device, at = day.trucks[row.truck].device, from_micros(row.at)
        match row:
            case Drive():
                place = {"lat": row.lat, "lon": row.lon, "valid": row.lat is not None}
                motion = {"altitude_m": row.altitude, "speed_mps": row.speed, "course_deg": row.course}
                yield Fix(device, at, **place, **motion, hdop=0.9, satellites=9)  # type: ignore[arg-type]
                said = (("fuel_rate", row.fuel_rate, "L/h"),)
            case Health():
                said = (("fuel_level", row.fuel_level, "%"), ("load", row.load, "kg"), ("status", row.status, "1"))
            case EngineSaid():
                yield Input(device, at, "ignition", row.on)
                continue
        for name, value, unit in said:
            if value is not None:
                yield Signal(device, at, name, value, unit)


def open_book(folder: Path, day: Day) -> Engine:
    """A book whose register has the trucks, with a plan each, and a depot."""
    book = open_engine("sqlite", folder / "book.db")
    migrate(book)
    stamp = {"valid_from": 0, "actor": "tsbs", "now": 1}
    with write(book) as tx:
        registers.put(tx, "zones", "DEPOT", DEPOT, **stamp)
        for truck in day.trucks:
            load, _, lph = MODELS[truck.model]
            known = {"fleet": truck.fleet, "model": truck.model, "driver": truck.driver}
            asset = Asset("Truck", truck.name, "truck", load_kg=Decimal(load), fuel_lph=Decimal(lph), **known)
            registers.put(tx, "assets", truck.name, asset, **stamp)
            tracker = Tracker(truck.name, hours_at_start=Decimal(0), max_speed_mps=60.0)
            registers.put(tx, "devices", truck.device, Device(truck.device, tracker=tracker), **stamp)
            plan = Plan(
                truck.name, "Oil", every_hours=Decimal(day.plan_ms) / 3_600_000, starts_at=from_micros(day.begin)
            )
            registers.put(tx, "plans", f"{truck.name}-oil", plan, **stamp)
    return book


def take_in(book: Engine, day: Day) -> int:
    """Commit every reading with all its effects, as many at once as ingest does, late ones folded anew; how many."""
    now, seq = day.end + AFTER_US, 0
    ingest, deriver = Ingest(book, lambda: now), Deriver(book, lambda: now)
    texts = map(wire.encode, readings(day))
    messages: list[Message] = []
    while some := [*islice(texts, wire.MAX_BATCH_READINGS)]:
        payload = wire.encode_batch(EPOCH, seq + 1, from_micros(now), some)
        messages.append(Message(wire.topic(GATEWAY, "readings"), payload))
        seq += len(some)
        if len(messages) * wire.MAX_BATCH_READINGS >= MOST_READINGS:
            ingest.take(messages)
            messages = []
    ingest.take(messages)
    while deriver.step():
        pass
    return seq


def project(book: Engine, store: Store, day: Day) -> Filled:
    """Have a store follow the book to its end."""
    now = day.end + AFTER_US
    store.prepare()
    Projector(book, store, lambda: now).catch_up()
    with read(book) as tx:
        return Filled(book, Registers().current(tx), now)
