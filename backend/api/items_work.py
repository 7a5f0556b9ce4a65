"""The shapes of work orders as they are answered: an order in a list, the whole of one, and figures of many.

Hours, money and quantities are decimal text; `backend.api.items` says how the rest is written.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct


class WorkCosts(Struct, frozen=True):
    """Money to the cent; `uncosted` parts have no known cost and are not in it."""

    labour: str
    parts: str
    other: str
    total: str
    uncosted: int


class WorkHead(Struct, frozen=True):
    """An order as lists have it."""

    id: str
    n: int
    kind: str
    state: str
    asset: str
    site: str | None
    title: str
    priority: str
    plan: str | None
    occurrence: int | None
    covers: list[int]
    alert: str | None
    origin: str | None
    component: str | None
    due: datetime | None
    planned: datetime | None
    overdue: bool
    assignee: str | None
    team: str | None
    estimate_h: str | None
    made_by: str
    made_at: datetime
    done_at: datetime | None


class WorkTask(Struct, frozen=True):
    """A task and what was found; `is_right` is null until then, and of what does not apply."""

    line: int
    text: str
    kind: str
    required: bool
    meter: str | None
    unit: str | None
    least: str | None
    most: str | None
    said: str | None
    is_right: bool | None
    note: str | None
    by: str | None
    at: datetime | None
    follow_up: str | None


class WorkCost(Struct, frozen=True):
    """Labour or another cost; what was withdrawn counts no more."""

    id: str
    kind: str
    what: str
    at: datetime
    hours: str | None
    rate: str | None
    amount: str
    by: str
    withdrawn_why: str | None


class WorkMove(Struct, frozen=True):
    """What was issued, returned or reversed of a part, with its entry of the ledger."""

    n: int
    part: str
    what: str
    quantity: str
    location: str | None
    lot: str | None
    movement: str | None
    cost: str | None
    at: datetime
    by: str


class WorkPart(Struct, frozen=True):
    """A part: so many are planned, promised (`reserved`), and out."""

    id: str
    sku: str | None
    what: str | None
    quantity: str
    location: str | None
    lot: str | None
    price: str | None
    reserved: str
    issued: str
    reservation: str | None
    dropped: bool


class WorkFile(Struct, frozen=True):
    """A photo or another file; its bytes are asked for by themselves."""

    id: str
    name: str
    media: str
    size: int
    sha256: str
    by: str
    at: datetime


class WorkStep(Struct, frozen=True):
    """One line of the life of an order."""

    n: int
    at: datetime
    what: str
    state: str
    by: str
    note: str | None
    ref: str | None
    body: dict[str, Any]


class WorkDown(Struct, frozen=True):
    """A time in which the asset could not be used for the sake of the order."""

    id: str
    begin: datetime
    end: datetime | None
    planned: bool
    reason: str


class WorkWhole(Struct, frozen=True):
    """An order with all there is of it. `service` is what it was recorded as when it was done."""

    order: WorkHead
    text: str | None
    failed_at: datetime | None
    codes: dict[str, str | None]
    hours: str | None
    service: str | None
    follow_ups: list[str]
    costs: WorkCosts
    tasks: list[WorkTask]
    spent: list[WorkCost]
    parts: list[WorkPart]
    moves: list[WorkMove]
    downtime: list[WorkDown]
    files: list[WorkFile]
    steps: list[WorkStep]


class WorkFigures(Struct, frozen=True):
    """What waits, and how corrective work went that was done in the span; null where none was."""

    waiting: int
    overdue: int
    estimated_h: str
    done: int
    corrective: int
    mean_restore_h: str | None
    mean_repair_h: str | None
    costs: WorkCosts


class WorkCode(Struct, frozen=True):
    """A failure code."""

    code: str
    aspect: str
    name: str
    kinds: list[str]
    built_in: bool
