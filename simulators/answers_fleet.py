"""What a running system answers about assets in use (docs/contract.md section 4), as the checker reads it."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where an asset was last; the innermost zone first."""

    lat: float
    lon: float
    at: datetime
    zones: list[str] = []


class AssetNow(Struct, frozen=True):
    """An asset as it stands."""

    id: str
    tracker: str | None = None
    place: Place | None = None
    last_heard: datetime | None = None


class MeterUse(Struct, frozen=True):
    """What a meter counted between two moments, between bounds."""

    meter: str
    unit: str
    begin: datetime
    end: datetime
    least: str
    most: str


class TrackPoint(Struct, frozen=True):
    """A position as it was sent."""

    at: datetime
    lat: float
    lon: float


class Alert(Struct, frozen=True):
    """Something that wants a person's eye."""

    id: str
    rule: str
    subject: str
    state: str
    raised_at: datetime
    title: str = ""
    detail: dict[str, Any] = {}


class Due(Struct, frozen=True):
    """How a maintenance plan stands: `occurrence` is the number of its next service."""

    plan: str
    occurrence: int
    state: str


class Kept(Struct, frozen=True):
    """A service that was done, as an occurrence of its plan; `on_time` is null where that cannot be said."""

    id: str
    plan: str
    occurrence: int
    at: datetime
    on_time: bool | None = None


class ServiceDone(Struct, frozen=True):
    """What people did to an asset, or took back."""

    id: str
    asset: str
    at: datetime
    plan: str | None = None
    component: str | None = None
    withdrawn_at: datetime | None = None


class Reason(Struct, frozen=True):
    """What speaks for a risk, in a sensor's own units."""

    signal: str


class Risk(Struct, frozen=True):
    """How likely an asset is to fail soon, or that nobody can say."""

    asset: str
    state: str
    risk: float | None = None
    reasons: list[Reason] = []
    missing: str | None = None
    """What there is too little of, where there is no risk."""
