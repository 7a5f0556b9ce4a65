"""A yard with assets that carry tags, and what a gate tells of them: for tests of places, custody and exits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from backend.book import schema
from backend.book.db import read, write
from backend.book.work_log import Stamp
from backend.plan.rule import Rule
from backend.planner import Planner
from backend.registers import Registers
from backend.rules import OF_ASSETS
from models import epc
from models.declared import Asset, Device, Door, Location, Point, Points, Site
from models.reading import Reading, Tag, from_micros
from models.register import Register
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.stories import Change, declare

COMPANY = "9521321"
DOOR = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0)
CRIB = Points([Point("tool-crib", [1]), Point("gate", [2])], 600.0)


def code(name: str) -> str:
    """The GIAI of an asset."""
    return f"urn:epc:id:giai:{COMPANY}.{name}"


def tag(name: str) -> str:
    """The tag of an asset."""
    return epc.encode(code(name))


def going(tag_hex: str, begin: int, *, out: bool = True, turns: bool = False) -> list[Reading]:
    """A pass at the door: two seconds on one side, two on the other, and back if it turns."""
    ways = [(1, -45.0), (2, -50.0), (1, -48.0), (1, -52.0), (3, -52.0), (4, -47.0), (3, -45.0), (4, -50.0)]
    if not out:
        ways = [(antenna + 2 if antenna < 3 else antenna - 2, rssi) for antenna, rssi in ways]
    if turns:
        ways += ways[4::-1] + ways[:4]
    return [
        Tag("door-1", from_micros(begin + k * SECOND // 2), tag_hex, antenna, rssi_dbm=rssi, count=4)
        for k, (antenna, rssi) in enumerate(ways)
    ]


def heard(tag_hex: str, at: int, antenna: int = 1) -> list[Reading]:
    """A reader of presence at the tool crib (antenna 1) or the gate (2)."""
    return [Tag("reader-1", from_micros(at + k * SECOND), tag_hex, antenna, rssi_dbm=-50.0, count=3) for k in range(3)]


@dataclass
class Owned:
    """A yard, its planner, and the assets DRILL-1, SAW-1 and BENCH-1 with its VICE-1."""

    yard: Yard
    rules: Sequence[Rule[Any]] = OF_ASSETS
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        since, name = self.now - 100 * DAY, "dock-a"
        bodies: list[tuple[str, str, Struct]] = [
            ("sites", "antwerp", Site("Antwerp")),
            ("locations", "hall", Location("Hall", site="antwerp", kind="site")),
            ("locations", "tool-crib", Location("Tool crib", parent="hall")),
            ("locations", "gate", Location("Gate")),
            ("devices", "dock-a/door-1", Device("door-1", name, door=DOOR)),
            ("devices", "dock-a/reader-1", Device("reader-1", name, points=CRIB)),
        ]
        bodies += [("assets", each, self.asset(each)) for each in ("DRILL-1", "SAW-1", "BENCH-1")]
        bodies += [("assets", "VICE-1", self.asset("VICE-1", parent="BENCH-1"))]
        declare(self.yard, [Change(kind, ident, body, since) for kind, ident, body in bodies])
        self.planner = Planner(self.yard.book, self.yard.clock, self.rules)
        self.plan()

    @staticmethod
    def asset(name: str, **fields: Any) -> Asset:
        known: dict[str, Any] = {"name": name, "serial": f"S-{name}", "category": "tool", "giai": code(name)}
        return Asset(**known | fields)

    @property
    def now(self) -> int:
        return self.yard.clock.now

    @property
    def register(self) -> Register:
        with read(self.yard.book) as tx:
            return Registers().current(tx)

    @property
    def stamp(self) -> Stamp:
        return Stamp("test", self.now)

    def change(self, asset: str, **fields: Any) -> None:
        """From now on."""
        declare(self.yard, [Change("assets", asset, self.asset(asset, **fields), self.now)])
        self.plan()

    def plan(self) -> None:
        while self.planner.hurry() + self.planner.step():
            pass

    def live(self, readings: Sequence[Reading]) -> None:
        """Each as it happens, and what the planner makes of it at once."""
        for reading in readings:
            self.yard.clock.now = int(reading.at.timestamp() * SECOND)
            self.yard.send([reading])
            self.planner.hurry()

    def over(self, later: int = 3600 * SECOND) -> None:
        """Time passes; then the planner looks."""
        self.yard.settle(later)
        self.plan()

    def write(self, work: Any, *given: Any) -> Any:
        """One transaction of `work(tx, register, *given, stamp)`, and what the planner makes of it."""
        with write(self.yard.book) as tx:
            done = work(tx, Registers().current(tx), *given, self.stamp)
        self.plan()
        return done

    def alerts(self, rule: str) -> list[tuple[str, str, str]]:
        """(subject, state, severity), in order."""
        at = schema.alert.c
        with read(self.yard.book) as tx:
            rows = tx.execute(select(at.subject, at.state, at.severity).where(at.rule == rule).order_by(at.n))
            return [(row.subject, row.state, row.severity) for row in rows]
