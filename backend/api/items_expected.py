"""The shapes of announcements of what is to come or to leave; `backend.api.items` says how shapes are written."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items_purchases import Amount, Prose
from models.declared_stock import Id
from models.reading import Time

Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Tag = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[!-~]+$(?!\n)")]


class ExpectedLineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So much of an item, in its unit; `tags` are SSCCs, (01)GTIN(21)serial or EPCs of its pallets and cartons."""

    sku: Id
    quantity: Amount
    lot: Word | None = None
    unit: Word | None = None
    tags: Annotated[list[Tag], Meta(max_length=1000)] = []


class ExpectedBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is announced for a window: a receipt (an ASN) from a supplier, a shipment to a customer's place.

    `place` is a location, or a door as gateway/name; `order` a purchase order, or an outbound one. Lines are numbered
    from 1 as they stand.
    """

    kind: Literal["receipt", "shipment"]
    begin: Time
    end: Time
    lines: Annotated[list[ExpectedLineBody], Meta(min_length=1, max_length=500)]
    party: Id | None = None
    place: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    order: Id | None = None
    note: Prose | None = None
    by: Word | None = None


class ClosingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Since when it is over (default now), and why; what happened before and becomes known later still counts."""

    at: Time | None = None
    reason: Prose | None = None
    by: Word | None = None


class ExpectedLine(Struct, frozen=True):
    """A line and what came of it: waiting, matched, short, over; announced tags that did not pass; the movements."""

    line: int
    sku: str
    quantity: str
    lot: str | None
    tags: list[str]
    came: str
    over: str
    verdict: str
    missing: list[str]
    movements: list[str]


class WrongItem(Struct, frozen=True):
    """What came with it and was not announced: another item, or another lot."""

    sku: str
    lot: str | None
    quantity: str
    movements: list[str]


class Expected(Struct, frozen=True):
    """An announcement and how it stands: open, or closed by a person or because its window has passed."""

    id: str
    n: int
    kind: str
    party: str | None
    place: str | None
    order: str | None
    begin: datetime
    end: datetime
    note: str | None
    actor: str
    recorded_at: datetime
    state: str
    closed_at: datetime | None
    closed_by: str | None
    matched: bool
    """All that was announced has come, and nothing else."""
    lines: list[ExpectedLine]
    wrong: list[WrongItem]
