"""The site that the ingest benches measure with, as messages of 50 readings; chosen before anything was measured.

16 gateways, 96 doors of four antennas (half decided by the rule, half by the learned model), 2,496 trackers with 60
zones, 16 desks. Of 100 readings 60 are tags, 25 fixes, 5 inputs, 5 meters, 4.5 signals, 0.5 scans. At each door a
pallet of 20 cartons passes every 7.68 s, each carton read 24 times over 4 s (the simulator's day has 24.6 a pass);
every tenth only comes near. A tracker sends five records of one second together. World time is 10,000 readings/s.
"""

import heapq
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, insert

from backend.book.db import write
from backend.book.schema import register_entry
from models import wire
from models.declared import Asset, Circle, Desk, Device, Door, Item, Location, PackGtin, Tracker, Zone
from models.reading import Fix, Input, Meter, Reading, Scan, Signal, Tag, from_micros
from simulators import epc

GATEWAYS, DOORS, TRACKERS = 16, 6, 156
CARTONS, READS, PASS_US, EVERY_US = 20, 24, 4_000_000, 7_680_000
MESSAGE, TAGS_OF_MESSAGE = 50, 30
SLOT_US = 80_000
"""World time of one message of one gateway: 625 readings/s each, 10,000 of all."""
RECORDS = 5
PROBE = "probe"
"""A further gateway with a desk, for single scans that are followed to the page; it is no part of the load."""
ITEMS = [f"{number:05d}" for number in range(10, 50)]
LAT, LON, M_PER_DEG = 51.0, 3.7, 111_000.0
LOOP_M, SPEED_MPS = 400.0, 10.0
SECOND = 1_000_000


def name_of(number: int) -> str:
    """A gateway's name."""
    return f"gate-{number:02d}"


def declare(book: Engine, now: int) -> None:
    """The register of the site, from the beginning of time; of a book without readings, which nothing touches yet."""
    columns = {"valid_from": 0, "recorded_at": now, "actor": "bench"}
    rows = [{"kind": kind, "id": ident, "body": msgspec.json.encode(body)} for kind, ident, body in _declared()]
    with write(book) as tx:
        tx.execute(insert(register_entry), [row | columns for row in rows])


def _declared() -> Iterator[tuple[str, str, Struct]]:
    yield from (("locations", ident, Location(ident, virtual=True)) for ident in ("supplier", "customer"))
    yield from (("locations", ident, Location(ident)) for ident in ("warehouse", "desk"))
    for item in ITEMS:
        packs = [PackGtin(epc.gtin14(1, item), Decimal(1))]
        yield "items", f"SKU-{item}", Item(f"Item {item}", gtins=packs, tagged=True)
    yield "items", "BOLT", Item("Bolt", gtins=[PackGtin("0" + epc.gtin13("50001"), Decimal(1))])
    for place in range(60):
        yield "zones", f"zone-{place}", Zone(f"Zone {place}", circle=Circle(*_at(place * LOOP_M, 0.0), 80.0))
    probe = Device("scanner-1", gateway=PROBE, desk=Desk("desk", "supplier", "customer"))
    yield "devices", f"{PROBE}/scanner-1", probe
    for number in range(GATEWAYS):
        gateway = name_of(number)
        for door in range(DOORS):
            ports = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, "two-rows" if door % 2 else None)
            yield "devices", f"{gateway}/door-{door}", Device(f"door-{door}", gateway=gateway, door=ports)
        desk = Desk("desk", "supplier", "customer")
        yield "devices", f"{gateway}/scanner-1", Device("scanner-1", gateway=gateway, desk=desk)
        for tracker in range(TRACKERS):
            ident, asset = _imei(number, tracker), f"T-{number:02d}-{tracker:03d}"
            yield "assets", asset, Asset(f"Truck {asset}", asset, "truck")
            yield "devices", ident, Device(ident, tracker=Tracker(asset))


def _imei(gateway: int, tracker: int) -> str:
    return f"imei:{35_000_000_000_000 + gateway * 1000 + tracker:015d}"


def _at(east_m: float, north_m: float) -> tuple[float, float]:
    lat = LAT + north_m / M_PER_DEG
    return round(lat, 6), round(LON + east_m / (M_PER_DEG * math.cos(math.radians(LAT))), 6)


@dataclass
class Gateway:
    """One gateway's messages in order, for ever; world time begins at `begin`, microseconds."""

    number: int
    begin: int
    seed: int
    tags: list[tuple[int, int, Tag]] = field(default_factory=list[tuple[int, int, Tag]])
    others: list[Reading] = field(default_factory=list[Reading])
    sent: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}/{self.number}")
        self.name = name_of(self.number)
        self.epoch = "".join(self.chance.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=12))
        self.pallets = [0] * DOORS
        self.count = itertools.count()
        self.packet = 0

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """(number of the last reading, payload), from where it stands."""
        for slot in itertools.count(self.sent // MESSAGE):
            until = self.begin + (slot + 1) * SLOT_US
            readings = self._tags(until) + self._others(until)
            texts = [wire.encode(each) for each in readings]
            payload = wire.encode_batch(self.epoch, self.sent + 1, from_micros(until), texts)
            self.sent += len(texts)
            yield self.sent, payload

    def _tags(self, until: int) -> list[Reading]:
        """The next of a message; the pallets that come until then are begun."""
        while len(self.tags) < TAGS_OF_MESSAGE or min(self._starts()) < until:
            door = min(range(DOORS), key=lambda each: self._starts()[each])
            self._pallet(door, self._starts()[door])
            self.pallets[door] += 1
        return [heapq.heappop(self.tags)[2] for _ in range(TAGS_OF_MESSAGE)]

    def _starts(self) -> list[int]:
        return [self.begin + c * EVERY_US + door * EVERY_US // DOORS for door, c in enumerate(self.pallets)]

    def _pallet(self, door: int, start: int) -> None:
        number = next(self.count)
        goes, near = self.chance.random() < 0.7, number % 10 == 9
        rows = ((3, 4), (1, 2)) if goes else ((1, 2), (3, 4))
        for carton in range(CARTONS):
            serial = ((self.number * 1_000_000 + number) * CARTONS + carton) % (1 << 38)
            code = epc.sgtin96(1, ITEMS[(number + carton) % len(ITEMS)], serial)
            offset = self.chance.gauss(0, 150_000)
            for read in range(READS):
                share = (read + self.chance.random()) / READS
                side = 0 if near else int(self.chance.random() < 1 / (1 + math.exp(-12 * (share - 0.5))))
                centre = 0.7 if side else 0.3
                rssi = -66 + 22 * math.exp(-(((share - centre) / 0.2) ** 2)) + self.chance.gauss(0, 2)
                at = start + round(share * PASS_US + offset) + 200_000
                tag = Tag(
                    f"door-{door}",
                    from_micros(at),
                    code,
                    self.chance.choice(rows[side]),
                    first_at=from_micros(at - self.chance.randint(50_000, 150_000)),
                    rssi_dbm=round(rssi, 1),
                    rssi_mean_dbm=round(rssi - 1.5, 1),
                    count=self.chance.randint(1, 8),
                    channel=self.chance.randint(1, 15),
                )
                heapq.heappush(self.tags, (at, next(self.count), tag))

    def _others(self, until: int) -> list[Reading]:
        wanted = MESSAGE - TAGS_OF_MESSAGE
        while len(self.others) < wanted:
            self.others += self._packet(self.packet % TRACKERS, self.packet // TRACKERS)
            if self.packet % 10 == 0:
                self.others.append(Scan("scanner-1", from_micros(until), epc.gtin13("50001"), "]E0"))
            self.packet += 1
        found, self.others = self.others[:wanted], self.others[wanted:]
        return found

    def _packet(self, tracker: int, turn: int) -> list[Reading]:
        """Five seconds of one tracker: it goes around in a circle through three zones."""
        device, readings = _imei(self.number, tracker), list[Reading]()
        began = self.begin + turn * RECORDS * SECOND + tracker * RECORDS * SECOND // TRACKERS
        for record in range(RECORDS):
            t = turn * RECORDS + record
            angle = SPEED_MPS * t / LOOP_M + tracker
            place = _at(tracker * LOOP_M * 0.35 + LOOP_M * math.cos(angle), LOOP_M * math.sin(angle))
            course = round(math.degrees(-angle) % 360, 1)
            at = from_micros(began + (record - RECORDS) * SECOND)
            readings.append(Fix(device, at, *place, 12.0, SPEED_MPS, course, hdop=0.9, satellites=11, valid=True))
        at, t = from_micros(began - SECOND), turn * RECORDS
        readings += [
            Input(device, at, "ignition", on=t % 600 < 550),
            Meter(device, at, "odometer", round(1000 + SPEED_MPS * t / 1000, 3), "km"),
        ]
        if tracker % 10:
            readings.append(Signal(device, at, "gearbox_temperature", round(60 + self.chance.gauss(0, 2), 1), "Cel"))
        return readings
