"""A yard with assets in use, by readings through ingest: for tests of the pages and for screenshots; `fill` makes it.

`python tests/asset_book.py DIR [PORT]` fills DIR/book.db, drives the truck about and serves it until it is ended.
"""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine

from backend.book import events, register, risks, services
from backend.book.db import open_engine, write
from backend.book.risks import Risk
from backend.ingest import Ingest, Message
from backend.planner import Planner
from backend.projector import Projector
from backend.telemetry import sql
from models import wire
from models.declared import Asset, Device, Tracker
from models.maintenance.done import Done
from models.predict.alarm import Reason
from models.reading import Fix, Input, Meter, Reading, Signal, from_micros

SECOND = 1_000_000
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
TRUCK, CRANE = "imei:356307042441013", "imei:356307042441021"
FAR, QUIET = "imei:356307042441039", "imei:356307042441047"
EPOCH = "AAAAAAAAAAAA"
LAT0, LON0 = 51.06, 3.73
PLACES = {"dock": (150, 120), "gate": (5, 5), "crane-pad": (300, 60), "park": (220, 220), "site-2": (9000, 7000)}
STEP = 9 * 60 * SECOND
LAST = {"TRUCK-1/oil": 10, "TRUCK-1/inspection": 21, "CRANE-1/oil": 5, "CRANE-1/rope": 16}
"""How many days ago each service was done last."""


def position(x: float, y: float) -> tuple[float, float]:
    """(lat, lon) of metres east and north of the yard's origin."""
    return LAT0 + y / 111_320, LON0 + x / (111_320 * math.cos(math.radians(LAT0)))


@dataclass
class Machine:
    """A tracker on a machine: what it counts goes on from record to record."""

    imei: str
    x: float
    y: float
    hours: float
    km: float
    worn: float = 0.0
    on: bool = False
    at: int = 0

    def stand(self, at: int) -> None:
        """Where it works in this hour; the crane stays on its pad."""
        if self.imei == TRUCK:
            self.x, self.y = PLACES[("dock", "gate", "crane-pad", "park")[at // HOUR % 4]]

    def record(self, at: int, *, on: bool, speed: float = 0.0, course: float = 0.0, full: bool = True) -> list[Reading]:
        """What it sends at a time; hours and km count on since the last record if the engine ran in between."""
        if self.on and self.at:
            self.hours += (at - self.at) / HOUR
            self.km += (at - self.at) / HOUR * 6
        self.on, self.at = on, at
        when, (lat, lon) = from_micros(at), position(self.x, self.y)
        readings: list[Reading] = [
            Fix(
                self.imei,
                when,
                lat=lat,
                lon=lon,
                speed_mps=speed,
                course_deg=course,
                hdop=0.9,
                valid=True,
                satellites=11,
            ),
            Input(self.imei, when, "ignition", on),
            Meter(self.imei, when, "engine_hours", round(self.hours * 3600) / 3600, "h"),
            Meter(self.imei, when, "odometer", round(self.km * 1000) / 1000, "km"),
        ]
        if on and full:
            wave = math.sin(at / (5.3 * HOUR)) + 0.4 * math.sin(at / (1.7 * HOUR))
            load = 52 + 9 * wave
            for name, value, unit in (
                ("gearbox_temperature", 68 + 0.25 * (load - 50) + 1.1 * wave + 9 * self.worn, "Cel"),
                ("gearbox_vibration", 2.1 + 0.2 * wave + 1.9 * self.worn, "mm/s"),
                ("oil_pressure", 3.9 - 0.05 * wave - 0.3 * self.worn, "bar"),
                ("engine_load", load, "%"),
            ):
                readings.append(Signal(self.imei, when, name, round(value, 3), unit))
        return readings


@dataclass
class Fleet:
    """The machines of the yard and the stream that their readings come by."""

    book: Engine
    now: int
    seq: int = 1
    truck: Machine = field(default_factory=lambda: Machine(TRUCK, *PLACES["park"], hours=4810, km=61_200))
    crane: Machine = field(default_factory=lambda: Machine(CRANE, *PLACES["crane-pad"], hours=1204, km=9_800))

    def send(self, readings: Sequence[Reading], now: int) -> None:
        """Take in readings as a gateway's next batches."""
        ingest = Ingest(self.book, lambda: now)
        for k in range(0, len(readings), 500):
            texts = [wire.encode(each) for each in readings[k : k + 500]]
            payload = wire.encode_batch(EPOCH, self.seq, from_micros(now), texts)
            ingest.take([Message(wire.topic("dock-a", "readings"), payload)])
            self.seq += len(texts)

    def history(self, days: int) -> list[Reading]:
        """Working days up to two minutes ago, with two silences of the truck's tracker."""
        readings: list[Reading] = []
        begin = self.now // DAY * DAY - days * DAY
        for machine, silences in ((self.truck, [(days // 3, 9, 12), (days - 2, 13, 15)]), (self.crane, [])):
            for day in range(days + 1):
                spans = [
                    (begin + day * DAY + a * HOUR, begin + day * DAY + b * HOUR) for d, a, b in silences if d == day
                ]
                machine.worn = max(0.0, (day - days + 4) / 4) if machine is self.truck else 0.0
                for at, on in _shift(begin + day * DAY, day):
                    if at < self.now - 120 * SECOND and not any(low <= at < high for low, high in spans):
                        machine.stand(at)
                        readings += machine.record(at, on=on, full=at // STEP % 3 == 0)
        return readings

    def drive(self, k: int, at: int) -> None:
        """The truck's k-th step on its way round the yard; the crane stands with its engine on."""
        turn = k * 0.05
        x, y = 170 + 110 * math.cos(turn), 130 + 70 * math.sin(turn)
        course = math.degrees(math.atan2(x - self.truck.x, y - self.truck.y)) % 360
        self.truck.x, self.truck.y = x, y
        self.send(self.truck.record(at, on=True, speed=5.2, course=course, full=False), at)
        self.send(self.crane.record(at, on=True, full=False), at)


def _shift(midnight: int, day: int) -> Iterator[tuple[int, bool]]:
    """Records of a day: on from 6 to about 15 h with a pause, one an hour while off."""
    for hour in range(6):
        yield midnight + hour * HOUR, False
    end = 15 * HOUR - (day * 7 % 5) * HOUR
    for k in range(6 * HOUR // STEP, end // STEP):
        yield midnight + k * STEP, k % 50 not in range(24, 29)
    for hour in range(end // HOUR, 24):
        yield midnight + hour * HOUR, False


def declare(book: Engine, now: int) -> None:
    """Two machines more than the example site has: one far away, one whose tracker has gone silent."""
    stamp = {"valid_from": now - 400 * DAY, "actor": "test", "now": now}
    with write(book) as tx:
        for ident, name, imei in (("TRUCK-2", "Tipper truck", FAR), ("LOADER-1", "Wheel loader", QUIET)):
            register.put(tx, "assets", ident, Asset(name, f"S-{ident}", "vehicle"), **stamp)
            tracker = Tracker(ident, hours_at_start=Decimal(900))
            register.put(tx, "devices", imei, Device(imei, tracker=tracker), **stamp)


def serve(book: Engine, now: int) -> None:
    """Services that people did."""
    with write(book) as tx:
        held = register.load(tx)
        for plan, days in LAST.items():
            done = Done(id=f"test-{plan}", asset=plan.partition("/")[0], kind="service", plan=plan, at=now - days * DAY)
            services.record(tx, held, done, ("test", now))


def score(book: Engine, now: int) -> None:
    """What a model said of the truck, and of the loader that is hardly heard."""
    at = now // HOUR * HOUR
    texts = (
        ("gearbox_vibration", 4.0, 2.1, 0.15, "mm/s", 0.61, "gearbox vibration 4.0 mm/s over the last 24 h"),
        ("gearbox_temperature", 78.0, 68.5, 1.2, "Cel", 0.27, "gearbox temperature 78.0 °C over the last 24 h"),
        ("oil_pressure", 3.6, 3.9, 0.05, "bar", 0.08, "oil pressure 3.60 bar over the last 24 h"),
    )
    reasons = tuple(
        Reason(
            signal,
            value,
            normal,
            spread,
            unit,
            from_micros(at - 2 * DAY),
            share,
            f"{text}, this machine's normal is {normal} ± {spread}",
        )
        for signal, value, normal, spread, unit, share, text in texts
    )
    model = "gearbox/failure/0123456789ab"
    known = {"model": model, "at": at, "complete_to": at}
    rows = [
        Risk(asset="TRUCK-1", state="scored", risk=0.43, threshold=0.31, reasons=reasons, **known),
        Risk(asset="CRANE-1", state="scored", risk=0.012, threshold=0.31, reasons=reasons[2:], **known),
        Risk(asset="LOADER-1", state="not_enough_data", missing="1 of 5 days of running before the last five", **known),
    ]
    rise = [
        Risk(asset="TRUCK-1", state="scored", risk=0.43 / k, threshold=0.31, **known | {"at": at - (k - 1) * HOUR})
        for k in range(48, 1, -1)
    ]
    with write(book) as tx:
        risks.save(tx, [*rise, *rows])
        events.changed_all(tx, [f"asset:{row.asset}" for row in rows], now)


def fill(book: Engine, now: int, days: int = 30) -> Fleet:
    """The history of the yard up to now; the site must have been applied."""
    declare(book, now)
    fleet = Fleet(book, now)
    fleet.send(fleet.history(days), now - 60 * SECOND)
    far, quiet = Machine(FAR, *PLACES["site-2"], hours=900, km=100), Machine(QUIET, *PLACES["gate"], hours=900, km=100)
    for k in range(40):
        fleet.send(far.record(now - (40 - k) * 300 * SECOND, on=True), now)
    fleet.send([*quiet.record(now - 30 * HOUR, on=True), *quiet.record(now - 29 * HOUR, on=True)], now)
    serve(book, now)
    score(book, now)
    for k in range(60):
        fleet.drive(k, now - (60 - k) * 2 * SECOND)
    return fleet


def _serve(folder: Path, port: int) -> None:
    import runpy  # noqa: PLC0415 - `fill` alone does not need the server

    from backend.api import create_app  # noqa: PLC0415
    from backend.api.services import Services  # noqa: PLC0415
    from backend.server import Server  # noqa: PLC0415
    from backend.web import add_page  # noqa: PLC0415

    def clock() -> int:
        return time.time_ns() // 1000

    book, telemetry = open_engine("sqlite", folder / "book.db"), sql.on_file(folder / "telemetry.db")
    runpy.run_path(str(Path(__file__).parent / "sample_book.py"))["fill"](book, clock())
    fleet = fill(book, clock())
    projector = Projector(book, telemetry, clock)
    projector.catch_up()
    planner = Planner(book, clock)
    stop = Event()

    def live() -> None:
        k = 60
        while not stop.wait(2):
            fleet.drive(k, clock())
            projector.step()
            planner.step()
            k += 1

    Thread(target=live, daemon=True).start()
    app = create_app(Services(book, clock, lambda *_: True, telemetry=telemetry))
    add_page(app)
    server = Server(lambda: app, "127.0.0.1", port)
    print(server.url, flush=True)
    server.run(stop)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
