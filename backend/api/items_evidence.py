"""The shape of what stands behind a movement; `backend.api.items` says how shapes are written."""

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from backend.api import items, items_scans


class Evidence(Struct, frozen=True):
    """An entry of the ledger with all that it rests on, down to readings or a person.

    `entries` are those of the same fact by n: what was posted, taken back, and posted again; it `holds` or not. `named`
    is other evidence as the entry says it (task:ID, count:ID, what a person gave), `person` who entered it if nothing
    was read. `missing` readings of it are not in the journal any more; `sealed` is the seal by which they went.
    """

    movement: items.Movement
    holds: bool
    entries: list[items.Movement]
    crossings: list[items.Crossing]
    acts: list[items_scans.Scanned]
    readings: list[items.JournalEntry]
    missing: int
    sealed: date | None
    named: list[str]
    person: str | None


class ReversalBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a movement that a person entered is taken back, and by whom; without `by`, by the API's own actor."""

    reason: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    by: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None = None
