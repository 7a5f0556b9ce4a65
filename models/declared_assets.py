"""What people declare of assets: the things themselves, their categories, and their maintenance plans."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared_plans import Season
from models.declared_stock import Classified, Id, Name, Note
from models.declared_use import Duty
from models.units import not_negative, positive

Kind = Literal["vehicle", "crane", "machine", "tool", "it", "medical", "furniture", "instrument", "other"]
MeterName = Literal["hours", "km", "starts", "cycles"]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Url = Annotated[str, Meta(max_length=400, pattern=r"^https?://[!-~]+$(?!\n)")]
Months = Annotated[int, Meta(ge=1, le=1200)]
FIRST_YEAR, LAST_YEAR = 1900, 2199


def _known_days(**days: date | None) -> None:
    """Raises ValueError naming the first from which no life could be counted."""
    for name, day in days.items():
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            msg = f"{name}: a day in {FIRST_YEAR} ... {LAST_YEAR} expected, got {day}"
            raise ValueError(msg)


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    """What other books had depreciated when the asset was taken over into these, at the end of that day."""

    date: date
    accumulated: Decimal

    def __post_init__(self) -> None:
        not_negative(accumulated=self.accumulated)
        _known_days(date=self.date)


class DepreciationPolicy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an asset loses its value in the books: over its life from when it is in service, or by how it is used."""

    method: Literal["straight_line", "declining", "double_declining", "sum_of_digits", "units"] = "straight_line"
    life_months: Months | None = None
    """Needed by every method but `units`."""
    salvage: Decimal = Decimal(0)
    """What it will still be worth at the end of its life: never depreciated."""
    convention: Literal["month", "daily", "half_year"] = "month"
    """How the first year counts: by months, the first one whole; by days; or as half a year."""
    rate: Decimal | None = None
    """Of `declining`: the share of the book value in a year; else what leaves the salvage at the end of the life."""
    switch: bool = False
    """Of `double_declining`: straight line over what is left, from when that is more."""
    meter: MeterName | None = None
    """Of `units`: what is counted."""
    total_units: Decimal | None = None
    """Of `units`: so many hours, km or cycles until the salvage is reached."""
    opening: Opening | None = None
    """Of an asset that was in other books before."""

    def __post_init__(self) -> None:
        positive(rate=self.rate, total_units=self.total_units)
        not_negative(salvage=self.salvage)


class Acquired(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When an asset was bought and for how much, in the company's currency."""

    at: date
    cost: Decimal
    supplier: Name | None = None
    document: Note | None = None
    """Number of the invoice, say."""
    in_service_on: date | None = None
    """From then on it is depreciated; else from the day it was bought."""

    def __post_init__(self) -> None:
        not_negative(cost=self.cost)
        _known_days(at=self.at, in_service_on=self.in_service_on)


class Document(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A manual, certificate or contract: where it is, and by what it is known to be unchanged. No file is kept here."""

    name: Name
    url: Url | None = None
    sha256: Sha256 | None = None


class Asset(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is owned and used; one serial number, one place. Its state is one of `models.assets.asset.STATES`."""

    name: str
    serial: str
    category: str | None = None
    giai: str | None = None
    state: Literal[
        "ordered", "in_service", "down", "idle", "stored", "in_repair", "retired", "sold", "recycled", "disposed"
    ] = "in_service"
    fleet: Id | None = None
    """The fleet that it is planned with: answers about fleets are grouped and chosen by it."""
    model: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Its make and model; assets of a model are compared with each other."""
    driver: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Who drives or works it; a change is a further dated entry."""
    load_kg: Decimal | None = None
    """What it may carry."""
    fuel_lph: Decimal | None = None
    """What it is said to burn in an hour of driving, in litres."""
    classified: Classified | None = None
    """The five answers of `models.classification` that made it an asset."""
    site: Id | None = None
    """The site it belongs to, wherever it is now."""
    unit: Name | None = None
    """The business unit that answers for it."""
    project: Name | None = None
    parent: Id | None = None
    """The asset that this one is a component of: it is where that is, unless it is seen elsewhere."""
    fields: dict[Name, str | int | float | bool] = {}
    """What its category asks for; dates as YYYY-MM-DD."""
    acquired: Acquired | None = None
    warranty_until: date | None = None
    """The last day of it."""
    documents: Annotated[list[Document], Meta(max_length=100)] = []
    depreciation: DepreciationPolicy | None = None
    """Else its category's."""
    duty: Duty | None = None
    """Of a crane: what its hoist was designed for."""
    inactive: Annotated[list[Season], Meta(max_length=50)] = []
    """Days on which it rests: none of its plans is judged, and what it does then is no measure of its use."""

    def __post_init__(self) -> None:
        positive(load_kg=self.load_kg, fuel_lph=self.fuel_lph)


class OwnField(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field that assets of a category have beside those of all."""

    type: Literal["text", "number", "bool", "date"] = "text"
    required: bool = False
    unit: Name | None = None


class AssetClass(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What assets of a category have and how they move; its id is the `category`. What it does not say is built in."""

    stop_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """A pause of so long ends a trip."""
    trip_m: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    """Movement that never gets so far from where it began is no trip: it belongs to the stop."""
    transported_m: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    """Moved farther than this with the engine off, it was transported."""
    kind: Kind | None = None
    """What the rest is built in by; else the id, if that is known, or `other`."""
    fields: dict[Name, OwnField] = {}
    """Beside those of its kind."""
    meters: list[MeterName] | None = None
    """What its use is counted in."""
    unseen_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Not seen for so long, it is a ghost."""
    custody: bool | None = None
    """Whether somebody must have checked it out before it may leave; else all but vehicles, cranes and machines."""
    depreciation: DepreciationPolicy | None = None
    shift_calendar: Id | None = None
    """The hours in which it should run."""
