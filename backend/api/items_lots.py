"""The shape of answers about lots, reservations, write-offs and capitalised spares, and of what is asked of them."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items import Text
from backend.book.allocations import Reserved
from models.declared import Asset, Id
from models.declared_stock import Answers, Note
from models.reading import Time
from models.stock.reservation import Purpose

Reason = Annotated[str, Meta(min_length=1, max_length=300)]


class Questions(Struct, frozen=True, forbid_unknown_fields=True):
    """The five answers."""

    answers: Answers


class Converted(Struct, frozen=True):
    """A quantity of an item in another of its units, exactly."""

    sku: str
    quantity: str
    unit: str


class LotOnHand(Struct, frozen=True):
    """A lot at the real places where some of it is. `standing` is its status or, if that is available, expired."""

    sku: str
    lot: str
    standing: str
    expires: date | None
    received: date | None
    days_left: int | None
    location: str
    on_hand: str
    allocated: str


class LotPlace(Struct, frozen=True):
    """So much of a lot at a place; `kind` is real, or the kind of a virtual one."""

    location: str
    kind: str
    quantity: str


class LotMove(Struct, frozen=True):
    """A movement of the lot that holds, and what is behind it."""

    movement: str
    at: datetime
    quantity: str
    source: str
    target: str
    reason: str
    evidence: list[str]


class Carried(Struct, frozen=True):
    """A carton or pallet of the lot that was put on a pallet, by a scan."""

    child: str
    parent: str
    at: datetime
    act: str
    evidence: list[str]


class Traced(Struct, frozen=True):
    """Where a lot came from and where all of it is, by the movements that hold.

    `received` is the sum of `present`, `gone` and `unaccounted`; `why` names the parts of what is unaccounted for.
    """

    sku: str
    lot: str
    status: str
    expires: date | None
    supplier: str | None
    received: str
    present: list[LotPlace]
    gone: list[LotPlace]
    """Customers, projects, production, scrap, capitalised, in transit."""
    unaccounted: str
    why: list[str]
    unlotted: list[str]
    """Places of the lot that more of the item left without a lot than came so."""
    receipts: list[LotMove]
    moves: list[LotMove]
    issues: list[LotMove]
    carried: list[Carried]


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a lot may be used or not."""

    reason: Reason


class Stopped(Struct, frozen=True):
    """What became of a lot: its status, the reservations that this cancelled, and where it is."""

    id: str
    status: str
    cancelled: list[str]
    trace: Traced | None


class ReservationBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is promised: with a location, of what lies there of the lot, or without one; without, of the item."""

    sku: Id
    quantity: str
    purpose: Purpose
    reference: Text
    need_at: Time
    unit: Text | None = None
    location: Id | None = None
    lot: Text | None = None


class Reservation(Struct, frozen=True):
    """A promise, and what is left of it; `allocation` made it, if one did."""

    id: str
    n: int
    sku: str
    quantity: str
    left: str
    lot: str | None
    location: str | None
    purpose: str
    reference: str
    need_at: datetime
    state: str
    allocation: str | None
    actor: str
    made_at: datetime


class NeedBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A need to be served from lots; `id` is made by who asks: a repeat has the same answer."""

    id: Id
    sku: Id
    quantity: str
    purpose: Purpose
    reference: Text
    need_at: Time
    unit: Text | None = None
    within: Id | None = None
    """A location: only what is in it."""
    rule: Literal["fefo", "fifo"] = "fefo"
    partial: bool = False
    """Reserve what there is, where there is less."""
    reservation: Id | None = None
    """The demand that this serves; it is fulfilled by as much."""


class Allocated(Struct, frozen=True):
    """The lots that were reserved, in the order in which they are to be taken, and what is short."""

    id: str
    sku: str
    picks: list[Reserved]
    short: str


class WriteOffBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be written off; `by` asks for it, by name until there is sign-in."""

    sku: Id
    location: Id
    quantity: str
    reason: Note
    by: Text
    lot: Text | None = None
    unit: Text | None = None


class WriteOffDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """Who decides, another than who asked; and why."""

    by: Text
    note: Note | None = None


class WriteOff(Struct, frozen=True):
    """A write-off, and the movement that its approval posted."""

    id: str
    n: int
    sku: str
    lot: str | None
    location: str
    quantity: str
    reason: str
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    movement: str | None


class CapitalisationBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One unit of an item that becomes an asset; `epc` is the tag that is on it."""

    sku: Id
    location: Id
    at: Time
    asset: Id
    body: Asset
    lot: Text | None = None
    epc: Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$(?!\n)", max_length=128)] | None = None


class Capitalisation(Struct, frozen=True):
    """A spare that became an asset, and the movement by which it left the stock."""

    id: str
    n: int
    sku: str
    lot: str | None
    location: str
    asset: str
    at: datetime
    movement: str
    actor: str
    recorded_at: datetime
