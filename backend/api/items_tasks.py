"""The shapes of orders to be picked and of tasks of the warehouse; `backend.api.items` says how they are written."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items import Text
from backend.api.items_purchases import Amount
from backend.api.items_warehouse import Evidence, WorkStep
from models.reading import Epc, Time


class OutboundLineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So much of an item, of one lot if it names one; `price` is what one is sold for, where it is not the item's."""

    line: Annotated[int, Meta(ge=1, le=100_000)]
    sku: Text
    quantity: Text
    lot: Text | None = None
    price: Amount | None = None


class OutboundBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer waits for, picked to a stage."""

    stage: Text
    due: Time
    lines: Annotated[list[OutboundLineBody], Meta(min_length=1, max_length=1000)]
    customer: Text = "customer"
    by: Text | None = None


class PickReleaseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """By which rule lots are taken in turn."""

    rule: Literal["fefo", "fifo"] = "fefo"
    by: Text | None = None


class OutboundLine(Struct, frozen=True):
    """How far a line is: on a pick list, at the stage, read there, gone; what is left is on no list yet.

    `state` is the last of open, listed, picked, staged, shipped that all of it has come to.
    """

    line: int
    sku: str
    lot: str | None
    quantity: str
    listed: str
    picked: str
    staged: str
    """So much of it was read at the stage by its tags."""
    shipped: str
    left: str
    state: str
    price: str | None
    """What one is sold for; null: the item's own price."""


class OutboundOrder(Struct, frozen=True):
    """An order, its lines and its life."""

    id: str
    n: int
    state: str
    customer: str
    stage: str
    due: datetime
    lines: list[OutboundLine]
    steps: list[WorkStep]


class WorkConfirmed(Struct, frozen=True):
    """One confirmation of a task, with the movement that it posted."""

    id: str
    at: datetime
    sku: str
    lot: str | None
    quantity: str
    location: str
    epc: str | None
    evidence: list[str]
    movement: str
    by: str


class WorkTask(Struct, frozen=True):
    """Take so much from a source to a target: a pick, a cross-dock, a put-away or a replenishment."""

    id: str
    n: int
    kind: str
    state: str
    sku: str
    lot: str | None
    quantity: str
    done: str
    source: str
    target: str
    order: str | None
    line: int | None
    why: str
    since: datetime
    made_at: datetime
    taken_by: str | None
    ended_at: datetime | None


class WorkTaskWhole(Struct, frozen=True):
    """A task with its confirmations and its life."""

    task: WorkTask
    confirmations: list[WorkConfirmed]
    steps: list[WorkStep]


class ConfirmationBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What was scanned: a tag (`epc`), a barcode (`code`, `symbology`), or the item itself; and the place.

    `quantity` may be left out of a tag, and of a code that has a count.
    """

    location: Text
    epc: Epc | None = None
    code: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    symbology: Annotated[str, Meta(min_length=3, max_length=3)] | None = None
    sku: Text | None = None
    lot: Text | None = None
    quantity: Text | None = None
    at: Time | None = None
    evidence: Evidence = []
    by: Text | None = None


class CrossDocked(Struct, frozen=True):
    """Goods that went from the receiving dock to an order: when they came, were at the stage, and left it."""

    task: str
    order: str
    line: int
    sku: str
    lot: str | None
    quantity: str
    came_at: datetime
    staged_at: datetime | None
    left_at: datetime | None
    dwell_s: float | None
    """From the inbound to the outbound door; null while it stands."""
