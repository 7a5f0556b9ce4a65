"""The shapes of what is said about what assets are worth. Money is decimal text to the cent, units text."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from backend.api.items import Text
from models.assets.capital import Class, Nature
from models.declared import Id
from models.declared_stock import Name, Note

Reason = Annotated[str, Meta(min_length=1, max_length=400)]


class AssetCostBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was spent on an asset on a day; below 0 what was taken back."""

    asset: Id
    at: date
    amount: Text
    nature: Nature
    extends_life: bool = False
    adds_capacity: bool = False
    document: Name | None = None
    note: Note | None = None


class ClassBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person classes a cost as, and why."""

    as_: Class = field(name="class")
    reason: Reason


class AssetCostClass(Struct, frozen=True, kw_only=True):
    """What somebody classed a cost as."""

    as_: Class = field(name="class")
    reason: str
    actor: str
    at: datetime


class AssetCost(Struct, frozen=True, kw_only=True):
    """A cost as it was recorded. `class` is what holds now, `rule` why the rules say `by_rule`."""

    id: str
    n: int
    asset: str
    at: date
    amount: str
    nature: Nature
    extends_life: bool
    adds_capacity: bool
    document: str | None
    note: str | None
    as_: Class = field(name="class")
    by_rule: Class
    rule: str
    changes: list[AssetCostClass]
    actor: str
    recorded_at: datetime


class AssetCosts(Struct, frozen=True, kw_only=True):
    """Costs, and of all that were asked for the sums: capex and opex together are what was spent."""

    items: list[AssetCost]
    next: str | None
    capex: str
    opex: str
    spent: str


class DisposalBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an asset went. The register says so from the end of that day on."""

    asset: Id
    date: date
    state: Literal["sold", "recycled", "disposed"]
    proceeds: Text = "0"
    buyer: Name | None = None
    note: Note | None = None


class AssetDisposal(Struct, frozen=True, kw_only=True):
    """How it went, with what it was worth in the books and what that gained, or lost if below 0.

    `holds` is false once the register says otherwise. Without an acquisition there is no book value.
    """

    id: str
    n: int
    asset: str
    date: date
    state: str
    proceeds: str
    buyer: str | None
    note: str | None
    holds: bool
    book_value: str | None
    gain: str | None
    actor: str
    recorded_at: datetime


class AssetValue(Struct, frozen=True, kw_only=True):
    """What an asset is worth at the end of a day: book_value = gross + additions - accumulated."""

    asset: str
    at: date
    gross: str
    additions: str
    accumulated: str
    book_value: str
    method: str | None
    bought: date
    in_service: date
    left: date | None
    warranty_until: date | None
    in_warranty: bool | None
    complete_to: datetime


class DepreciationMonth(Struct, frozen=True, kw_only=True):
    """What was posted of a month, in `period`; of use also the units, and those that nobody observed."""

    month: str
    period: str
    what: Literal["month", "delta"]
    amount: str
    units: str | None
    unobserved: str | None
    n: int


class DepreciationYear(Struct, frozen=True):
    """What a year takes, as things stand; by use as if it went on as in the last 365 days."""

    year: int
    amount: str
    book_value: str


class AssetDepreciation(Struct, frozen=True, kw_only=True):
    """How an asset loses its value: what was posted by month, and the five years that follow."""

    asset: str
    method: str | None
    convention: str | None
    life_months: int | None
    salvage: str | None
    meter: str | None
    total_units: str | None
    per_unit: str | None
    posted: list[DepreciationMonth]
    years: list[DepreciationYear]


class AssetJournalLine(Struct, frozen=True):
    """One of debit and credit is 0."""

    account: str
    debit: str
    credit: str
    flow: str


class AssetEntry(Struct, frozen=True, kw_only=True):
    """A balanced entry: a month as first posted, or a delta. It belongs to `origin` and is posted in `period`."""

    n: int
    what: Literal["month", "delta"]
    asset: str
    period: str
    origin: str
    lines: list[AssetJournalLine]
    recorded_at: datetime
    actor: str
