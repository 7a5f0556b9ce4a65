"""Shapes of where assets are, who has them and what they are booked for. A place is `location:ID` or the like.

What a program says is in the structs named Body; times are RFC 3339.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared import Id
from models.reading import Time

Text = Annotated[str, Meta(min_length=1, max_length=64)]
Long = Annotated[str, Meta(min_length=1, max_length=400)]
PlaceName = Annotated[str, Meta(min_length=6, max_length=80, pattern=r"^(location|zone|site):[!-~]+$(?!\n)")]
Given = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=64)]


class AssetPlace(Struct, frozen=True):
    """Where an asset is as of a time, how sure that is, and why. A null `place` is nowhere that is known."""

    asset: str
    place: str | None
    site: str | None
    since: datetime
    seen_at: datetime
    source: str
    """scan, sweep, dock, gps, presence, custody."""
    by: str
    """crossing:ID, presence:ID, visit:ID, scan:ID, custody:ID, audit:ID."""
    confidence: str
    """low, medium, high."""
    reason: str
    via: str | None
    """The asset that was seen, of which this one is a component."""
    evidence: list[str]


class LastSeen(Struct, frozen=True):
    """Where the planner last saw an asset."""

    asset: str
    place: str | None
    site: str | None
    since: datetime
    seen_at: datetime
    source: str
    by: str
    via: str | None


class Relocation(Struct, frozen=True):
    """An asset came from one place to another."""

    id: str
    at: datetime
    was: str | None
    place: str | None
    source: str
    by: str
    confidence: str
    reason: str
    via: str | None
    evidence: list[str]


class Dwelt(Struct, frozen=True):
    """A stretch at one place; null is on the way, or nowhere that is known."""

    place: str | None
    site: str | None
    begin: datetime
    end: datetime
    seconds: int


class DwellSum(Struct, frozen=True):
    """All of the time at a place, or at a site."""

    place: str | None
    seconds: int


class Dwell(Struct, frozen=True):
    """Where an asset was in a span: stretch by stretch, and summed by place and by site. Seconds add up to the span."""

    asset: str
    begin: datetime
    end: datetime
    stays: list[Dwelt]
    places: list[DwellSum]
    sites: list[DwellSum]


class Missing(Struct, frozen=True):
    """An asset in use that nobody saw for longer than its kind should be unseen."""

    asset: str
    name: str
    seen_at: datetime | None
    place: str | None
    days: int
    """After so many days unseen it is missing."""
    missed_by: str | None
    book_value: str | None
    """At risk, in the company's currency."""


class CustodyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A check-out, check-in or hand-over. `holder` has it afterwards; `signed` is how they confirmed it."""

    asset: Id
    what: Literal["check_out", "check_in", "hand_over"]
    at: Time | None = None
    """Else now."""
    holder: Text | None = None
    giver: Text | None = None
    place: PlaceName | None = None
    why: Long | None = None
    project: Text | None = None
    due_at: Time | None = None
    signed: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    evidence: Given = []
    booking: Id | None = None
    by: Text | None = None


class Custody(Struct, frozen=True):
    """One entry of an asset's chain; `hash` is SHA-256 over the one before and this entry, in hexadecimal."""

    id: str
    asset: str
    seq: int
    what: str
    at: datetime
    holder: str | None
    giver: str | None
    place: str | None
    why: str | None
    project: str | None
    due_at: datetime | None
    signed: str | None
    evidence: list[str]
    booking: str | None
    by: str
    recorded_at: datetime
    hash: str


class Holding(Struct, frozen=True):
    """Who has an asset."""

    asset: str
    holder: str
    since: datetime
    due_at: datetime | None
    entry: str


class CustodyGap(Struct, frozen=True):
    """What a chain does not explain."""

    at: datetime
    entry: str
    what: str
    words: str


class CustodyChain(Struct, frozen=True):
    """The whole chain of an asset, who has it now, and what it does not explain; `intact` if no hash is wrong."""

    asset: str
    holder: Holding | None
    intact: bool
    entries: list[Custody]
    gaps: list[CustodyGap]


class BookingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An asset is promised to somebody from `begin` to `end`."""

    asset: Id
    holder: Text
    begin: Time
    end: Time
    purpose: Long | None = None
    by: Text | None = None


class Booking(Struct, frozen=True):
    """A booking, or what became of it: open, done, cancelled."""

    id: str
    n: int
    asset: str
    holder: str
    begin: datetime
    end: datetime
    purpose: str | None
    state: str
    by: str
    made_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None


class TransferBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An asset is to go from `source` to `target`, and to be there by `end`."""

    asset: Id
    target: PlaceName
    begin: Time
    end: Time
    source: PlaceName | None = None
    why: Long | None = None
    by: Text | None = None


class Transfer(Struct, frozen=True):
    """A transfer order and how far it is, by where the asset was seen."""

    id: str
    n: int
    asset: str
    source: str | None
    target: str
    begin: datetime
    end: datetime
    why: str | None
    state: str
    departed_at: datetime | None
    arrived_at: datetime | None
    transit_s: int | None
    """From leaving to arriving."""
    by: str
    made_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None


class Reusable(Struct, frozen=True):
    """An asset that may be had instead of a new one, and why."""

    id: str
    name: str
    category: str | None
    model: str | None
    state: str
    why: str
    place: str | None
    site: str | None
