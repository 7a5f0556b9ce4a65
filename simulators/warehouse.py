"""The site: pallets arrive through a dock door, are stored out of range and leave; others only come near a door.

The site decides what happens and hands it to a `Stage`, which is where devices are: a live run, a history, or nothing.
"""

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal, Protocol

from simulators import paths
from simulators.goods import CASED, SMALLEST_PALLET, Cased, Packing, Pallet
from simulators.paths import Motion
from simulators.world import SECOND, World, stamp

if TYPE_CHECKING:
    from simulators.desk import Workflow

Kind = Literal["in", "out", "static", "turn", "past"]
REST_US = 30 * SECOND
"""A pallet that moved is left alone this long, so that two passes of one tag never touch."""
DAY_US = 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class TagPass:
    """What really happened to one tag at one door. Units are 0 for the pallet's own tag."""

    id: str
    epc: str
    sku: str | None
    units: int


@dataclass(frozen=True, slots=True)
class Passing:
    """A pallet at a door from `begin_us` to `end_us`; `others` further tags are in the field meanwhile."""

    door: str
    kind: Kind
    begin_us: int
    motion: Motion
    tags: tuple[TagPass, ...]
    others: int

    @property
    def end_us(self) -> int:
        return self.begin_us + int(self.motion.seconds * SECOND)

    @property
    def direction(self) -> str:
        return self.kind if self.kind in {"in", "out"} else "none"


class Stage(Protocol):
    """Where the site's events are shown to devices."""

    def passing(self, passing: Passing) -> None: ...

    def scanning(self, workflow: "Workflow") -> None: ...


class NoStage:
    """Nobody looks: for computing how a history ends."""

    def passing(self, passing: Passing) -> None:
        """Nothing."""

    def scanning(self, workflow: "Workflow") -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class _Stray:
    """A pallet parked in range of a door."""

    pallet: Pallet
    place: Motion
    until_us: int


class Warehouse:
    """Pallets in store and parked near the doors.

    `always_on` doors read all the time, others only while a truck is there: strays are then seen around its passes
    only, which keeps a history small.
    """

    def __init__(self, world: World, stage: Stage, doors: tuple[str, ...]) -> None:
        self.world = world
        self.stage = stage
        self.doors = doors
        self.always_on = False
        self.stored: list[Pallet] = []
        self.late: dict[str, int] = {}
        self._packing = Packing(world)
        self._chance = world.chance("warehouse")
        self._numbers = count(1)
        self._strays: dict[str, _Stray] = {}

    def level(self, goods: Cased) -> int:
        """Units of a SKU in the warehouse."""
        return sum(goods.units for pallet in self.stored for carton in pallet.cartons if carton.goods is goods)

    def fullness(self) -> float:
        """Stored pallets over those wanted."""
        return len(self.stored) / sum(goods.target for goods in CASED)

    def arrive(self, door: str) -> None:
        """A new pallet comes in and is stored; which SKU depends on what is short and whose supplier is late."""
        pallet = self._packing.pallet(self._wanted())
        end_us = self._pass(pallet, door, "in", paths.through(self._chance, inward=True))
        pallet.free_us = end_us + REST_US
        self.stored.append(pallet)

    def leave(self, door: str) -> None:
        """The oldest free pallet of a SKU in demand goes out; with an empty store one comes in instead."""
        weights = {goods.sku: goods.demand for goods in CASED if self._oldest(goods) is not None}
        if not weights:
            self.arrive(door)
            return
        sku = self._chance.one_of(weights)
        pallet = self._oldest(next(goods for goods in CASED if goods.sku == sku))
        if pallet is not None:
            self.stored.remove(pallet)
            self._pass(pallet, door, "out", paths.through(self._chance, inward=False))

    def turn(self, door: str) -> None:
        """A pallet comes to the door and goes back: one of ours from inside, one never delivered from outside."""
        pallet, inside = self._near()
        self._rest(pallet, self._pass(pallet, door, "turn", paths.turn(self._chance, inside=inside)))

    def past(self, door: str) -> None:
        """A pallet is driven past the door."""
        pallet, inside = self._near()
        self._rest(pallet, self._pass(pallet, door, "past", paths.past(self._chance, inside=inside)))

    def park(self, door: str, seconds: float) -> None:
        """A small pallet is put down in range of a door for a while, unless one stands there."""
        stray = self._strays.get(door)
        if stray is not None and stray.until_us > self.world.now_us:
            return
        pallet, inside = self._near(SMALLEST_PALLET + 2)
        place = paths.still(self._chance, inside=inside, seconds=seconds)
        until_us = self.world.now_us + int(seconds * SECOND)
        self._rest(pallet, until_us)
        self._strays[door] = _Stray(pallet, place, until_us)
        if self.always_on:
            self._show(pallet, door, "static", place)

    def _wanted(self) -> Cased:
        now = self.world.now_us
        on_time = [goods for goods in CASED if self.late.get(goods.sku, 0) <= now] or list(CASED)
        stored = {goods.sku: sum(pallet.goods is goods for pallet in self.stored) for goods in on_time}
        weights = [max(goods.target - stored[goods.sku], 0) + 0.3 for goods in on_time]
        return self._chance.choices(on_time, weights)[0]

    def _oldest(self, goods: Cased) -> Pallet | None:
        now = self.world.now_us
        return next((pallet for pallet in self.stored if pallet.goods is goods and pallet.free_us <= now), None)

    def _near(self, largest: int = 12) -> tuple[Pallet, bool]:
        """A pallet that will not cross, and whether it is inside: mostly one of the store's."""
        free = [
            pallet for pallet in self.stored if pallet.free_us <= self.world.now_us and len(pallet.cartons) <= largest
        ]
        if free and self._chance.happens(0.6):
            return self._chance.choice(free), True
        return self._packing.pallet(self._chance.choice(CASED), largest), False

    def _rest(self, pallet: Pallet, end_us: int) -> None:
        pallet.free_us = end_us + REST_US

    def _pass(self, pallet: Pallet, door: str, kind: Kind, motion: Motion) -> int:
        """Show a moving pallet, and the stray at its door if that door reads only now. When it is over."""
        stray = self._strays.get(door)
        if stray is not None and stray.until_us <= self.world.now_us:
            del self._strays[door]
            stray = None
        others = 1 + len(stray.pallet.cartons) if stray else 0
        self._show(pallet, door, kind, motion, others)
        if stray and not self.always_on:
            meanwhile = Motion((0.0, motion.seconds), stray.place.points)
            self._show(stray.pallet, door, "static", meanwhile, 1 + len(pallet.cartons))
        return self.world.now_us + int(motion.seconds * SECOND)

    def _show(self, pallet: Pallet, door: str, kind: Kind, motion: Motion, others: int = 4) -> None:
        tags = [TagPass(f"p{next(self._numbers):06d}", pallet.epc, None, 0)]
        tags += [
            TagPass(f"p{next(self._numbers):06d}", carton.epc, carton.goods.sku, carton.goods.units)
            for carton in pallet.cartons
        ]
        self.stage.passing(Passing(door, kind, self.world.now_us, motion, tuple(tags), others))


def tell_passing(world: World, passing: Passing, last_seen_us: list[int | None]) -> None:
    """The truth of a pass, a line per tag, before any device is told. `last_seen` is the last read to come."""
    for tag, seen in zip(passing.tags, last_seen_us, strict=True):
        world.tell(
            "pass",
            id=tag.id,
            door=passing.door,
            epc=tag.epc,
            sku=tag.sku,
            units=tag.units,
            kind=passing.kind,
            begin=stamp(passing.begin_us),
            end=stamp(passing.end_us),
            direction=passing.direction,
            last_seen=None if seen is None else stamp(seen),
        )
