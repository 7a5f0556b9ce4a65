"""The shape of every answer about assets in use: where they are, how long they ran, what they drove.

Hours and kilometres are decimal text; `least` is sure, `most` has the time that nobody observed too.
"""

from datetime import datetime

from msgspec import Struct


class Range(Struct, frozen=True):
    """A figure between two bounds; equal where everything was observed."""

    least: str
    most: str


class Place(Struct, frozen=True):
    """Where an asset was when its tracker last had a good position; `zones` are those around it, the smallest first."""

    lat: float
    lon: float
    at: datetime
    speed_mps: float | None
    course_deg: float | None
    hdop: float | None
    zones: list[str]


class AssetNow(Struct, frozen=True):
    """An asset as it stands. Null is what nobody has said: no tracker, no position, no hours."""

    id: str
    name: str
    serial: str
    category: str | None
    state: str
    tracker: str | None
    place: Place | None
    last_heard: datetime | None
    engine_on: bool | None
    """As last heard."""
    hours: Range | None
    """Since it was new, where its tracker's entry says with how many hours it began, or a counter does."""
    hours_from: str | None
    odometer_km: str | None
    odometer_from: str | None
    """Which of `odometers` that is: the machine's own, else its tracker's."""
    odometers: list["Odometer"]


class Odometer(Struct, frozen=True):
    """What a counter of kilometres says: `odometer`, the machine's, or `tracker_odometer`; they are never added up."""

    meter: str
    km: str
    at: datetime


class MeterUse(Struct, frozen=True):
    """What a meter counted from `begin` to `end`: hours of runtime, engine_hours, pto, hoist; km of odometers; times.

    `odometer` is the machine's own, `tracker_odometer` what its tracker adds up, `distance` the way by GPS.
    """

    meter: str
    unit: str
    begin: datetime
    end: datetime
    least: str
    most: str


class Visit(Struct, frozen=True):
    """A stay in a zone; `end` is null while it lasts. `evidence` are content hashes of the first and last reading."""

    id: str
    asset: str
    zone: str
    begin: datetime
    end: datetime | None
    evidence: list[str]
    fixes: int
    version: datetime
    """From when the zone has been as it was."""
    method: str | None
    """`fix`: a position was in the zone; `segment`: the straight way between two went through it."""


class Journey(Struct, frozen=True):
    """A trip, a stop or a transport (moved with its engine off); `end` is null while it goes on.

    `evidence` are content hashes of its first and last fix, `fixes` how many it rests on.
    """

    id: str
    asset: str
    begin: datetime
    end: datetime | None
    distance_km: str
    lat: float | None
    lon: float | None
    """Where it stood, or where a trip or a transport ended."""
    evidence: list[str]
    fixes: int
    version: datetime
    """From when the tracker's entry in the register holds."""


class Cell(Struct, frozen=True):
    """A part of a day: off, idle, moving, working, transported or unobserved; `end` is null while it goes on.

    `rows` are the ids of the stretches, trips and transports that say so, `evidence` content hashes of the first and
    last reading behind them, `versions` from when the parameters hold that they were derived under.
    """

    what: str
    begin: datetime
    end: datetime | None
    evidence: list[str]
    rows: list[str]
    versions: list[datetime]


class Day(Struct, frozen=True):
    """A local day of an asset, cut into cells that fill it; today up to now. `hours` are the sums of each kind."""

    date: str
    tz: str
    begin: datetime
    end: datetime
    hours: dict[str, str]
    cells: list[Cell]


class TrackPoint(Struct, frozen=True):
    """One position as the tracker sent it."""

    at: datetime
    lat: float
    lon: float
    speed_mps: float | None
