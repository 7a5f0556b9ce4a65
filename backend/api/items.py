"""The shape of every answer, once: msgspec encodes them and openapi.json is generated from them.

Times are RFC 3339 UTC, quantities decimal text, absent is null.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from models.reading import Time

T = TypeVar("T")
Text = Annotated[str, Meta(min_length=1, max_length=64)]


class Page(Struct, Generic[T], frozen=True):
    """A list. `next` is the cursor to give as `after` for what follows; null when this is all there is now."""

    items: list[T]
    next: str | None
    complete_to: datetime | UnsetType = UNSET
    """The time up to which this rests on everything that was read."""
    complete_from: datetime | UnsetType = UNSET
    """The time from which it does; what is older was forgotten, or may have been. Absent where nothing was."""


class Health(Struct, frozen=True):
    """The backend answers; `committed_at` is when it last committed readings."""

    status: str
    version: str
    now: datetime
    committed_at: datetime | None


class Stream(Struct, frozen=True):
    """One epoch of a gateway: what is committed here, and what its outbox last said of itself."""

    epoch: str
    committed: int
    next_seq: int | None
    outbox_depth: int | None
    oldest_unreceipted: datetime | None


class DeviceState(Struct, frozen=True):
    """A device as its gateway last described it."""

    name: str
    state: str
    since: datetime
    readings: int
    bad_frames: int


class Gateway(Struct, frozen=True):
    """A gateway and what its last status said."""

    name: str
    online: bool
    last_seen: datetime | None
    streams: list[Stream]
    devices: list[DeviceState]


class JournalEntry(Struct, frozen=True):
    """A committed reading, its text as it came."""

    gateway: str
    epoch: str
    seq: int
    kind: str
    device: str
    at: datetime
    received_at: datetime
    reading: Raw


class Gap(Struct, frozen=True):
    """Numbers that no reading will ever fill."""

    gateway: str
    epoch: str
    from_seq: int
    to_seq: int
    reason: str
    at: datetime
    received_at: datetime


class Quarantined(Struct, frozen=True):
    """Bytes that could not be used, and why; `body` is base64, `text` its beginning if it is UTF-8."""

    id: int
    gateway: str
    epoch: str | None
    seq: int | None
    sort: str
    reason: str
    text: str | None
    body: bytes
    received_at: datetime
    replayed_at: datetime | None


class Crossing(Struct, frozen=True):
    """One pass of one tag at one door, decided: `direction`, `score` and `reasons` after the vote and the photo-eye."""

    id: str
    n: int
    gateway: str | None
    device: str
    door: str
    epc: str
    first_at: datetime
    last_at: datetime
    closed_at: datetime
    direction: str
    score: float
    reasons: list[str]
    rule: str
    """The rule, or the learned model, behind the tag's own verdict."""
    own_direction: str
    own_score: float
    own_reasons: list[str]
    chances: list[float]
    """Of in, out and none, by this tag alone."""
    stray: float
    """The chance that it only stood, turned or passed by, by this tag alone."""
    evidence: list[str]
    evidence_count: int
    kind: str
    sku: str | None
    asset: str | None
    quantity: str | None
    why: str
    movement: str | None


class Present(Struct, frozen=True):
    """A tag at a place, as a reader of presence tells it: since when, and whether it arrived or moved there."""

    epc: str
    place: str
    since: datetime
    what: str
    was: str | None
    gateway: str | None
    device: str


class Movement(Struct, frozen=True):
    """An entry of the stock ledger; `movement` is the fact's id, which a corrected entry shares with its first one."""

    id: str
    n: int
    movement: str
    at: datetime
    recorded_at: datetime
    sku: str
    lot: str | None
    quantity: str
    source: str
    target: str
    reason: str
    evidence: list[str]
    reverses: str | None
    actor: str


class Stock(Struct, frozen=True):
    """What is at one place of one lot; `on_order` and `reserved` are of the item, whatever the place.

    `allocated` is promised of what is here; `reserved` of the item, wherever it is taken from.
    """

    sku: str
    location: str
    lot: str | None
    on_hand: str
    allocated: str
    available: str
    on_order: str
    reserved: str


class Registered(Struct, frozen=True):
    """What the register says of one id, from when, and who said so."""

    kind: str
    id: str
    valid_from: datetime
    recorded_at: datetime
    actor: str
    body: Raw


class Declared(Struct, frozen=True):
    """What a PUT did: created, changed or same."""

    id: str
    outcome: str


class Alert(Struct, frozen=True):
    """Something that wants a person's eye; one is open per (rule, subject)."""

    id: str
    n: int
    rule: str
    subject: str
    severity: str
    title: str
    detail: dict[str, Any]
    state: str
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    assignee: str | None
    level: int
    """The last level that was told of it since it opened; 0: nobody was."""
    escalates_at: datetime | None
    """When the next level is told, if nobody answers."""
    shelf: str | None


class Proposal(Struct, frozen=True):
    """Order so many of an item, because its position fell to its reorder point (`reorder_min`)."""

    id: str
    n: int
    sku: str
    quantity: str
    position: str
    reorder_min: str
    reorder_max: str
    supplier: str | None
    state: str
    made_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    """Why it was proposed."""
    decision_reason: str | None
    """Why it was decided so."""
    purchase_order: str | None
    """What was ordered, if it was approved."""


class Fault(Struct, frozen=True):
    """One field that is not as expected."""

    field: str
    expected: str


class Problem(Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details; `type` is stable."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] = []


class MovementBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A movement that a person enters."""

    at: Time
    sku: Text
    quantity: Text
    source: Text
    target: Text
    reason: Text
    lot: Text | None = None
    evidence: Annotated[list[Text], Meta(max_length=64)] = []
    unit: Text | None = None
    """One of the item's units; without it the quantity is in the item's own."""


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a person decided so."""

    reason: Annotated[str, Meta(max_length=1000)] | None = None
