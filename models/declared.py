"""What people and systems declare in the register: one struct per kind; `KINDS` is the literal list.

Those of stock are in `models.declared_stock`, those of assets in `models.declared_assets`, of alerts in
`models.declared_alerts`, and known here too.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from models.declared_alerts import AlertRule, Contact, Team
from models.declared_assets import Asset, AssetClass
from models.declared_plans import Plan
from models.declared_stock import Classified, Id, Item, Location, Lot, LotId, PackGtin, Supplier
from models.declared_use import Calendar
from models.declared_warehouse import Bin, PickFace
from models.declared_work import FailureCode
from models.errors import Refused
from models.units import not_negative, positive

__all__ = [
    "KINDS",
    "Asset",
    "AssetClass",
    "Bin",
    "Calendar",
    "Circle",
    "Classified",
    "Corridor",
    "Desk",
    "Device",
    "Door",
    "FailureCode",
    "Hex",
    "Id",
    "Item",
    "Location",
    "Lot",
    "LotId",
    "PackGtin",
    "PickFace",
    "Plan",
    "Point",
    "Points",
    "RollsOver",
    "Site",
    "Supplier",
    "TagBinding",
    "Tracker",
    "Zone",
    "decode_body",
]

Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$(?!\n)")]


class Site(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One address where stock and assets are."""

    name: str


class Door(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dock door: a fixed reader with a row of antennas on each side of the threshold."""

    inside_antennas: list[int]
    outside_antennas: list[int]
    inside: Id
    outside_in: Id
    outside_out: Id
    timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    model: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The learned model that decides, `name` or `name@` and the first 8 digits of its SHA-256; else the rule does."""
    photo_eye: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The reader's input that is on while the beam across the threshold is broken: nothing goes through unseen."""


class Point(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place that antennas of a reader look at: a shelf, a tool crib, a gate."""

    place: Id
    antennas: Annotated[list[Annotated[int, Meta(ge=1, le=65_535)]], Meta(min_length=1, max_length=64)]


class Points(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Places that a reader tells the presence of tags at; an antenna without one is a place of its own."""

    places: Annotated[list[Point], Meta(max_length=256)] = []
    depart_s: Annotated[float, Meta(gt=0, le=864_000)] = 600.0
    """A tag that is silent for so long has departed."""


class Desk(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place where goods are received and issued by scan."""

    location: Id
    supplier: Id
    customer: Id


class RollsOver(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The values, in hours, km or times, at which counters begin at 0 again: 100000 if 99999.9 is the last shown."""

    engine_hours: Decimal | None = None
    odometer: Decimal | None = None
    tracker_odometer: Decimal | None = None
    starts: Decimal | None = None
    cycles: Decimal | None = None

    def __post_init__(self) -> None:
        positive(engine_hours=self.engine_hours, odometer=self.odometer, tracker_odometer=self.tracker_odometer)
        positive(starts=self.starts, cycles=self.cycles)


class Tracker(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a GPS tracker is mounted on. An asset has one tracker at a time; a change is a further dated entry."""

    asset: Id
    hours_from: Annotated[str, Meta(min_length=1, max_length=64)] = "ignition"
    """The asset's running hours: from this input (ignition, engine, pto), or from the counter `engine_hours`."""
    hours_at_start: Decimal | None = None
    """Engine hours when the tracker was mounted, for machines without a counter of their own."""
    silent_on_s: Annotated[float, Meta(gt=0, le=86_400)] = 600.0
    """A silence longer than this with the engine on is not observed: hardly more than the interval at which it reports,
    for a shorter loss of records cannot be seen."""
    silent_off_s: Annotated[float, Meta(gt=0, le=864_000)] = 3900.0
    """The same with the engine off; trackers that sleep for longer than an hour say so here."""
    max_speed_mps: Annotated[float, Meta(gt=0, le=200)] = 50.0
    """A position that could only be reached faster is not believed."""
    odometer_drift: Annotated[float, Meta(gt=0, le=1)] = 0.05
    """Told when two of its odometers (machine, tracker, GPS) differ by more than this share over 500 km."""
    rolls_over_at: RollsOver | None = None
    """By counter, the hours or km at which it begins at 0 again; without it such a fall is a reset."""

    def __post_init__(self) -> None:
        """A machine may be new: 0 h."""
        not_negative(hours_at_start=self.hours_at_start)


class Device(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A device of one gateway (null for a global name) and what it is for: door, desk, tracker, points, or none yet."""

    name: str
    gateway: str | None = None
    door: Door | None = None
    desk: Desk | None = None
    tracker: Tracker | None = None
    points: Points | None = None

    @property
    def register_id(self) -> str:
        """The one id that its readings are looked up by: `gateway/name`, or the name if that is global."""
        return self.name if self.gateway is None else f"{self.gateway}/{self.name}"


class Circle(Struct, frozen=True, forbid_unknown_fields=True):
    """A round zone: centre in degrees WGS 84, radius in metres."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    radius_m: Annotated[float, Meta(gt=0, le=100_000)]


class Corridor(Struct, frozen=True, forbid_unknown_fields=True):
    """A road as a zone: a line of [lat, lon] points, and how wide it is."""

    line: Annotated[list[tuple[float, float]], Meta(min_length=2, max_length=500)]
    width_m: Annotated[float, Meta(gt=0, le=10_000)]


class Zone(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place that assets drive into and out of: a polygon of [lat, lon] corners, a circle or a corridor."""

    name: str
    site: Id | None = None
    polygon: Annotated[list[tuple[float, float]], Meta(max_length=500)] | None = None
    circle: Circle | None = None
    corridor: Corridor | None = None
    margin_m: Annotated[float, Meta(ge=0, le=1000)] = 10.0
    """So far outside, and farther than a fix may be wrong, it has been left."""
    dwell_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """A stay that is shorter is no visit."""
    alert: Literal["enter", "exit", "both"] | None = None
    """Whether planners are told at once when an asset comes or goes."""
    keeps: bool = False
    """No asset may leave it without custody, transfer or sale: that is a critical alert."""


class TagBinding(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a tag is on: stock (sku, quantity), an asset, nothing of ours (none), or what its code itself says (epc).

    `before` is as if nothing were declared of that moment: what held before holds on. So scans are withdrawn.
    """

    thing: Literal["stock", "asset", "none", "epc", "before"]
    sku: Id | None = None
    quantity: Decimal | None = None
    asset: Id | None = None

    def __post_init__(self) -> None:
        positive(quantity=self.quantity)


KINDS: Mapping[str, type[Struct]] = {
    "sites": Site,
    "locations": Location,
    "suppliers": Supplier,
    "items": Item,
    "lots": Lot,
    "bins": Bin,
    "faces": PickFace,
    "assets": Asset,
    "classes": AssetClass,
    "devices": Device,
    "tags": TagBinding,
    "zones": Zone,
    "plans": Plan,
    "codes": FailureCode,
    "contacts": Contact,
    "teams": Team,
    "rules": AlertRule,
    "calendars": Calendar,
}


def decode_body(kind: str, body: bytes) -> Struct:
    """One register body. Raises Refused naming the field and what was expected."""
    try:
        return msgspec.json.decode(body, type=KINDS[kind])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Refused(f"{kind}: {error}") from error
