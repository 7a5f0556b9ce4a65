"""The shapes of what is said about costs, value, periods and the journal. Quantities and money are decimal text."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.api.items import Text
from models.declared import Id
from models.reading import Time
from models.stock.prices import Share

Note = Annotated[str, Meta(min_length=1, max_length=400)]
MovementId = Annotated[str, Meta(min_length=1, max_length=36)]


class CostBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price of one unit: of a movement, or of a sku (and lot) from since on; or a landed cost of several receipts.

    A price or cost is never changed: a further one `replaces` it.
    """

    what: Literal["price", "landed"]
    amount: Text
    movement: MovementId | None = None
    sku: Id | None = None
    lot: Text | None = None
    since: Time | None = None
    share: Share | None = None
    receipts: list[MovementId] = []
    weights: list[Text] = []
    replaces: Id | None = None
    note: Note | None = None


class Cost(Struct, frozen=True, kw_only=True):
    """A cost as it was recorded. `idle` are the movements it names that do not hold now: they bear nothing."""

    id: str
    n: int
    what: str
    amount: str
    movement: str | None
    sku: str | None
    lot: str | None
    since: datetime | None
    share: str | None
    receipts: list[str]
    weights: list[str]
    replaces: str | None
    replaced_by: str | None
    idle: list[str]
    note: str | None
    actor: str
    recorded_at: datetime


class Layer(Struct, frozen=True):
    """What is there of what came at one cost; `quantity` below 0 is short, at the cost that it left at."""

    lot: str | None
    quantity: str
    value: str


class Valuation(Struct, frozen=True, kw_only=True):
    """What an item is worth at a time, by event time, as is known now."""

    sku: str
    costing: str
    quantity: str
    value: str
    unit_cost: str | None
    layers: list[Layer] | None
    """In the order in which they leave; only where one item is asked for."""
    uncosted: list[str]
    """Movements of its last month that nobody knows the cost of: they stand at 0."""


class Valuations(Struct, frozen=True):
    """A page of valuations; `total` is of every item that the question asks for."""

    items: list[Valuation]
    next: str | None
    total: str
    complete_to: datetime


class Cogs(Struct, frozen=True, kw_only=True):
    """What an item's sales cost: sold, trued up, less what came back."""

    sku: str
    quantity: str
    sold: str
    trued_up: str
    returned: str
    cogs: str


class CogsPage(Struct, frozen=True):
    """A page of costs of goods sold; `total` is of every item that the question asks for."""

    items: list[Cogs]
    next: str | None
    total: str
    complete_to: datetime


class JournalLine(Struct, frozen=True):
    """A line of an entry: one of debit and credit is 0. `value` is the flow's exact value behind the amount."""

    account: str
    debit: str
    credit: str
    flow: str
    quantity: str
    value: str


class JournalEntry(Struct, frozen=True, kw_only=True):
    """A balanced entry. `close` and `delta` are posted for ever; `open` is what an open month would post now."""

    id: str
    what: Literal["close", "delta", "open"]
    period: str
    origin: str
    sku: str
    lines: list[JournalLine]
    causes: list[str]
    recorded_at: datetime | None
    actor: str | None


class PeriodBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Closed with all months before it; a closed month cannot be opened again."""

    state: Literal["open", "closed"]
    note: Note | None = None


class Period(Struct, frozen=True, kw_only=True):
    """A month. `inventory` is the account's balance at its end, of a closed one; `deltas` were posted in it."""

    month: str
    state: Literal["open", "closed"]
    closed_at: datetime | None
    actor: str | None
    note: str | None
    inventory: str | None
    deltas: int


class PeriodFigures(Struct, frozen=True, kw_only=True):
    """A month with what it moved by account (debit less credit), and by which late facts of earlier months.

    `assets` are the accounts of assets, as far as they are posted; no account is in both.
    """

    month: str
    state: Literal["open", "closed"]
    inventory: str | None
    accounts: dict[str, str]
    assets: dict[str, str]
    late: list[JournalEntry]
    complete_to: datetime
