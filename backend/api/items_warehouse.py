"""The shapes of counts and sweeps; `backend.api.items_tasks` has those of orders to be picked and of tasks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from backend.api.items import Text
from models.reading import Epc, Time

Reason = Annotated[str, Meta(min_length=1, max_length=1000)]
Names = Annotated[list[Text], Meta(min_length=1, max_length=1000)]
Epcs = Annotated[list[Epc], Meta(max_length=20_000)]
Evidence = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=64)]


class CountBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be counted: items, at places and in what is in them; one of the two may be left out."""

    skus: Names | None = None
    locations: Names | None = None
    blind: bool = True
    classes: dict[Text, Literal["A", "B", "C"]] = {}
    """By SKU, whose tolerance holds: 1, 3 or 5 %. C where nothing is said."""
    at: Time | None = None
    """The book of then is the snapshot; default now."""
    by: Text | None = None


class CountedBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What was counted. `sku` and `location` are needed of a line that is new: goods that the book has not there."""

    quantity: Text
    at: Time | None = None
    sku: Text | None = None
    location: Text | None = None
    lot: Text | None = None
    evidence: Evidence = []
    by: Text | None = None


class CountLine(Struct, frozen=True):
    """One line. Of a blind count that is open, what the book says is not told: `snapshot`, `book`, `variance`."""

    line: int
    sku: str
    location: str
    lot: str | None
    state: str
    round: int
    counted: str | None
    counted_at: datetime | None
    counted_by: str | None
    evidence: list[str]
    snapshot: str | None
    book: str | None
    """What the book says, as it is now, of the moment that was counted; without the count's own adjustment."""
    variance: str | None
    adjustment: str | None
    movement: str | None


class WorkStep(Struct, frozen=True):
    """One line of what was decided, when and by whom."""

    at: datetime
    what: str
    by: str
    detail: dict[str, Any]


class CountHead(Struct, frozen=True):
    """A count as lists have it."""

    id: str
    n: int
    state: str
    begin: datetime
    blind: bool
    skus: list[str] | None
    locations: list[str] | None
    by: str


class CountWhole(Struct, frozen=True):
    """A count with its lines and its life. `accuracy` is 1 - sum of |variance| / sum of the book of what is counted."""

    id: str
    n: int
    state: str
    begin: datetime
    blind: bool
    skus: list[str] | None
    locations: list[str] | None
    by: str
    accuracy: str | None
    lines: list[CountLine]
    steps: list[WorkStep]


class WithinTolerance(Struct, frozen=True):
    """So many items of a class are within its tolerance, of so many that were counted."""

    name: str
    within: int
    counted: int


class RecordAccuracy(Struct, frozen=True):
    """Record accuracy over all counts that were approved in a span, by event time; null where the book had nothing."""

    accuracy: str | None
    lines: int
    classes: list[WithinTolerance]


class WorkReasonBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody decided so."""

    reason: Reason
    by: Text | None = None


class WorkDecisionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who decides, and why if that is said."""

    reason: Reason | None = None
    by: Text | None = None


class RecountBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Lines to count again; null: those that are out of tolerance."""

    lines: Annotated[list[int], Meta(min_length=1, max_length=1000)] | None = None
    by: Text | None = None


class SweepBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A sweep of a place and what is in it. `device`: gateway/name of a reader; without one, passes have `epcs`."""

    place: Text
    device: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    read_rates: dict[Text, Text] = {}
    """By SKU, family or `*`, how likely one pass hears a tag of it that is there; 0.9 where nothing is said."""
    at: Time | None = None
    by: Text | None = None


class PassBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One time over the place; `epcs` are the tags that were heard, null those that the sweep's reader told."""

    begin: Time
    end: Time
    epcs: Epcs | None = None
    by: Text | None = None


class SweepCloseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The sweep ends, now if no time is given."""

    at: Time | None = None
    by: Text | None = None


class SweptTag(Struct, frozen=True):
    """One tag: the verdict, where the ledger has it, where it counts, and where a reader of presence heard it last."""

    epc: str
    verdict: str
    sku: str | None
    asset: str | None
    quantity: str | None
    booked: str | None
    place: str | None
    heard_at: str | None
    passes: int
    needed: int


class Tally(Struct, frozen=True):
    """A tagged item at a place: the book at the end, without what the sweep posts, and what the tags say."""

    sku: str
    location: str
    book: str
    counted: str
    variance: str


class SweepHead(Struct, frozen=True):
    """A sweep as lists have it."""

    id: str
    n: int
    state: str
    place: str
    device: str | None
    begin: datetime
    end: datetime | None
    by: str


class SweepWhole(Struct, frozen=True):
    """A sweep with what it found. One that is not `valid` heard nothing, and says nothing of the place."""

    id: str
    n: int
    state: str
    place: str
    device: str | None
    begin: datetime
    end: datetime | None
    by: str
    valid: bool
    passes: int
    accuracy: str | None
    tags: list[SweptTag]
    tallies: list[Tally]
    steps: list[WorkStep]
