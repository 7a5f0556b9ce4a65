"""The shapes of what is said of work orders: what is asked for, and what is written down of the work.

Hours, money and quantities are decimal text; `backend.api.items` says how the rest is written.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from backend.api.items import Text
from backend.api.items_assets import Hours, Line, Prose
from models.declared import Id
from models.declared_work import Aspect
from models.maintenance.work_order import Kind, Priority
from models.reading import Time

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Why = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
Decimals = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)")]
Signed = Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$(?!\n)")]


class WorkTaskBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a checklist: a check, the reading of a meter, or a value; what is required is answered at the end."""

    text: Title
    kind: Literal["check", "reading", "value"] = "check"
    required: bool = False
    meter: Text | None = None
    unit: Text | None = None
    least: Signed | None = None
    most: Signed | None = None


class WorkOrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks for. With `approved` nobody need approve it; with `plan` it is that plan's next service."""

    kind: Kind
    asset: Id
    title: Title
    text: Prose | None = None
    priority: Priority = "normal"
    approved: bool = False
    plan: Id | None = None
    component: Line | None = None
    failed_at: Time | None = None
    due: Time | None = None
    planned: Time | None = None
    assignee: Line | None = None
    team: Line | None = None
    estimate_h: Hours | None = None
    tasks: Annotated[list[WorkTaskBody], Meta(max_length=200)] = []
    by: Text | None = None


class WorkOfAlertBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of the order of an alert; all else follows from the alert."""

    asset: Id | None = None
    title: Title | None = None
    text: Prose | None = None
    priority: Priority = "normal"
    component: Line | None = None
    failed_at: Time | None = None
    due: Time | None = None
    planned: Time | None = None
    assignee: Line | None = None
    team: Line | None = None
    estimate_h: Hours | None = None
    tasks: Annotated[list[WorkTaskBody], Meta(max_length=200)] = []
    by: Text | None = None


class WorkTakeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes a step, and why."""

    reason: Why | None = None
    by: Text | None = None


class WorkPlanBody(Struct, frozen=True, forbid_unknown_fields=True):
    """When an order is to be worked on, by whom, until when; what is left out stays as it is, null takes it away."""

    planned: Time | UnsetType = UNSET
    due: Time | UnsetType | None = UNSET
    assignee: Line | UnsetType | None = UNSET
    team: Line | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    estimate_h: Hours | UnsetType | None = UNSET
    note: Why | None = None
    by: Text | None = None


class WorkDoneBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How an order was done. `used` is by part; one that is not named was used as planned."""

    at: Time | None = None
    component: Line | None = None
    failed_at: Time | None = None
    codes: dict[Aspect, Text] = {}
    hours: Hours | None = None
    used: dict[str, Decimals] = {}
    result: Line | None = None
    """Of an inspection or calibration that a plan asks for, as the next three."""
    certificate: Title | None = None
    as_found: Annotated[dict[Line, Line], Meta(max_length=50)] = {}
    as_left: Annotated[dict[Line, Line], Meta(max_length=50)] = {}
    note: Why | None = None
    by: Text | None = None


class WorkAnswerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found at a task: ok, not_ok, not_applicable of a check, else a number."""

    said: Text
    note: Why | None = None
    by: Text | None = None


class WorkCostBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours that a person (`what`) worked, at a rate if it is known; or another cost, and its amount."""

    kind: Literal["labour", "other"]
    what: Line
    at: Time
    hours: Hours | None = None
    rate: Decimals | None = None
    amount: Decimals | None = None
    by: Text | None = None


class WorkPartBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of the stock that is needed (`sku`), or what the text says (`what`) at a price of one."""

    quantity: Decimals
    sku: Id | None = None
    unit: Text | None = None
    what: Title | None = None
    location: Id | None = None
    lot: Text | None = None
    price: Decimals | None = None
    by: Text | None = None


class WorkMoveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So much of a part is handed out, or back at a place."""

    quantity: Decimals
    at: Time | None = None
    location: Id | None = None
    by: Text | None = None


class WorkNoteBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has to say."""

    text: Why
    by: Text | None = None


class WorkDownBody(Struct, frozen=True, forbid_unknown_fields=True):
    """From when on the asset cannot be used, until the order is done."""

    since: Time
    planned: bool
    reason: Why
    by: Text | None = None
