"""Whether an asset is a ghost: in use by the register, and seen by nobody for longer than its kind may be unseen.

Who has custody of it answers for it until it is due back. An audit that missed it where it was last seen waits for no
days.
"""

import json
from decimal import Decimal

from msgspec import Struct

from models.alert import Alert
from models.reading import from_micros

NAME = "asset_missing"
DAY_US = 86_400_000_000


class Unseen(Struct, frozen=True, kw_only=True):
    """An asset, when it was last seen (or first declared, `since`) and after how many `days` unseen it is missing."""

    asset: str
    name: str
    is_active: bool
    since: int
    seen_at: int | None = None
    place: str | None = None
    missed_by: str | None = None
    """The audit that missed it, if nothing has seen it since."""
    days: int
    holder: str | None = None
    due_at: int | None = None
    book_value: Decimal | None = None
    """What is at risk, in the company's currency; None while it is not known."""


def is_missing(facts: Unseen, now: int) -> bool:
    """Whether somebody is to look for it."""
    if not facts.is_active or (facts.holder is not None and (facts.due_at is None or facts.due_at >= now)):
        return False
    if facts.missed_by is not None:
        return True
    last = facts.since if facts.seen_at is None else max(facts.seen_at, facts.since)
    return now - last > facts.days * DAY_US


def missing(facts: Unseen, now: int) -> Alert | None:
    """A warning with the days and the book value at risk."""
    if not is_missing(facts, now):
        return None
    last = facts.since if facts.seen_at is None else facts.seen_at
    if facts.missed_by is not None:
        why = f"missed by {facts.missed_by}"
    else:
        why = f"{'never seen' if facts.seen_at is None else 'not seen'} for more than {facts.days} days"
    worth = "" if facts.book_value is None else f", book value {facts.book_value:,.2f} at risk"
    detail = {
        "asset": facts.asset,
        "seen_at": None if facts.seen_at is None else from_micros(facts.seen_at).isoformat(),
        "place": facts.place,
        "days": (now - last) // DAY_US,
        "book_value": None if facts.book_value is None else str(facts.book_value),
    }
    return Alert(NAME, f"asset:{facts.asset}", "warning", f"{facts.name}: {why}{worth}", json.dumps(detail))
