"""The shapes of purchase orders, of reordering and of classes in the API.

Times are RFC 3339 UTC, quantities and money decimal text, absent is null. What is estimated is a number.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from models.declared_stock import Id
from models.reading import Time

Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)")]
Prose = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class Approval(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is approved, and what is ordered otherwise than proposed."""

    reason: Prose | None = None
    quantity: Amount | None = None
    supplier: Id | None = None
    price: Amount | None = None
    expected_at: Time | None = None


class PurchaseLineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So much of an item in its unit, and the price of one."""

    sku: Id
    quantity: Amount
    price: Amount | None = None
    expected_at: Time | None = None


class PurchaseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An order to a supplier; `ordered_at` is when it went out, and the lead time begins."""

    ordered_at: Time
    lines: Annotated[list[PurchaseLineBody], Meta(min_length=1, max_length=200)]
    supplier: Id | None = None
    note: Prose | None = None


class Cancellation(Struct, frozen=True, forbid_unknown_fields=True):
    """Why what has not come is expected no more: of a line, or of the whole order."""

    reason: Prose
    line: Annotated[int, Meta(ge=1, le=200)] | None = None


class PurchaseLine(Struct, frozen=True):
    """A line and what came of it: open, received or cancelled; the first and last receipt that fill it."""

    line: int
    sku: str
    quantity: str
    price: str | None
    expected_at: datetime | None
    received: str
    outstanding: str
    state: str
    first_at: datetime | None
    last_at: datetime | None


class PurchaseStep(Struct, frozen=True):
    """What happened to an order or to one of its lines: ordered, cancelled, received, reopened."""

    at: datetime
    line: int | None
    what: str
    actor: str
    note: str | None


class Purchase(Struct, frozen=True):
    """A purchase order; open as long as one of its lines is."""

    id: str
    n: int
    supplier: str | None
    ordered_at: datetime
    proposal: str | None
    note: str | None
    actor: str
    recorded_at: datetime
    state: str
    lines: list[PurchaseLine]
    events: list[PurchaseStep]


class LeadTimeRead(Struct, frozen=True):
    """From order to dock, in days, by so many receipts; declared where too few are known."""

    mean: float
    sd: float
    samples: int
    source: str


class DemandRead(Struct, frozen=True):
    """What is asked for, measured over so many days: units a day, in so many pieces; `lately` by Croston (SBA)."""

    days: float
    pieces: int
    mean: float
    sd: float
    size: float
    interval_days: float
    lately: float


class Service(Struct, frozen=True):
    """What is aimed at, what is expected at this reorder point, and what was reached in the last year.

    A cycle is from one receipt to the next; it counts as empty if nothing was left at some time.
    """

    target: float | None
    of: str | None
    expected_cycle: float | None
    expected_fill: float | None
    cycles: int
    empty: int
    reached: float | None


class Reorder(Struct, frozen=True):
    """How an item stands and when it is reordered, with every figure behind it in words; `missing` if there is none."""

    sku: str
    name: str
    supplier: str | None
    on_hand: str
    on_order: str
    reserved: str
    position: str
    method: str | None
    reorder_point: str | None
    order_up_to: str | None
    lot: str | None
    safety_stock: str | None
    undershoot: float | None
    demand: DemandRead | None
    lead_time: LeadTimeRead | None
    measured_at: datetime | None
    service: Service
    proposal: str | None
    """The open one."""
    reasons: list[str]
    missing: str | None


class Class(Struct, frozen=True):
    """What an item is worth a year, how evenly it is asked for, and what of it lies there, how long, and too much."""

    sku: str
    name: str
    family: str | None
    abc: str
    xyz: str
    variation: float | None
    used: str
    """In the last 365 days, in its unit."""
    value: str | None
    """Of that, by the unit cost."""
    unit_cost: str | None
    on_hand: str
    days_on_hand: str | None
    over: str
    is_slow: bool
    idle_days: float | None
    cash: str | None
    cash_over: str | None
    holding_a_year: str | None
