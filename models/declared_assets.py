"""What people declare of assets: the things themselves, their categories, and their maintenance plans."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared_stock import Classified, Id
from models.reading import Time
from models.units import positive


class Asset(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is owned and used; one serial number, one place. Its state is one of `models.assets.asset.STATES`."""

    name: str
    serial: str
    category: str | None = None
    giai: str | None = None
    state: Literal["ordered", "in_service", "stored", "in_repair", "retired", "disposed"] = "in_service"
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

    def __post_init__(self) -> None:
        positive(load_kg=self.load_kg, fuel_lph=self.fuel_lph)


class AssetClass(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How assets of a category move; its id is the `category`. Without one, what is built in holds for it."""

    stop_s: Annotated[float, Meta(gt=0, le=86_400)] = 180.0
    """A pause of so long ends a trip."""
    trip_m: Annotated[float, Meta(ge=0, le=100_000)] = 200.0
    """Movement that never gets so far from where it began is no trip: it belongs to the stop."""
    transported_m: Annotated[float, Meta(gt=0, le=100_000)] = 200.0
    """Moved farther than this with the engine off, it was transported."""


class Plan(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Preventive maintenance of one asset by running hours, distance or days, whichever comes first."""

    asset: Id
    name: str
    every_hours: Decimal | None = None
    every_km: Decimal | None = None
    every_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    due_soon: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Told when less than this share of an interval is left."""
    overdue_after: Annotated[float, Meta(ge=0, le=1)] = 0.1
    """Overdue when it is late by more than this share of an interval."""
    starts_at: Time | None = None
    """When the first interval begins; else when the plan was first declared, or from when it holds if that is later."""

    def __post_init__(self) -> None:
        positive(every_hours=self.every_hours, every_km=self.every_km)
