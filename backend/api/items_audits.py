"""Shapes of physical audits of assets by radio, and what each found."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from backend.api.items import Text
from backend.api.items_custody import PlaceName
from backend.api.items_warehouse import Epcs
from models.reading import Time


class AuditBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An audit of a place and what is in it. `device`: gateway/name of a reader; without one, passes have `epcs`."""

    place: PlaceName
    device: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    read_rates: dict[Text, Text] = {}
    """By category or `*`, how likely one pass hears the tag of an asset that is there; 0.9 where nothing is said."""
    at: Time | None = None
    by: Text | None = None


class AuditPassBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One time over the place; `epcs` are the tags that were heard, null those that the audit's reader told."""

    begin: Time
    end: Time
    epcs: Epcs | None = None
    by: Text | None = None


class Audited(Struct, frozen=True):
    """One asset, or one tag with an asset's code that is not registered: the verdict, and where it was known to be."""

    asset: str | None
    epcs: list[str]
    verdict: str
    known: str | None
    passes: int
    needed: int


class AuditHead(Struct, frozen=True):
    """An audit as lists have it."""

    id: str
    n: int
    state: str
    place: str
    device: str | None
    begin: datetime
    end: datetime | None
    by: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class AuditWhole(Struct, frozen=True):
    """An audit with what it found. One that is not `valid` heard nothing, and says nothing of the place.

    `accuracy` is the share of what is decided that is where the register has it; `others` are tags of no asset.
    """

    head: AuditHead
    valid: bool
    passes: int
    others: int
    accuracy: str | None
    counts: dict[str, int]
    assets: list[Audited]
