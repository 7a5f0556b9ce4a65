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


class MeterUse(Struct, frozen=True):
    """What a meter counted from `begin` to `end`: hours of runtime and engine_hours, km of odometer and distance."""

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


class TrackPoint(Struct, frozen=True):
    """One position as the tracker sent it."""

    at: datetime
    lat: float
    lon: float
    speed_mps: float | None
