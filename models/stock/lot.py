"""What a lot may be used for: its id, and whether its status and its expiry date let it be used on a day."""

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

Status = Literal["available", "quarantined", "recalled"]
Standing = Literal["available", "quarantined", "recalled", "expired"]


class Known(Struct, frozen=True):
    """What is known of a lot on a day: its expiry, the day on which it came, and its status."""

    expires: date | None = None
    received: date | None = None
    status: Status = "available"


def lot_id(sku: str, lot: str) -> str:
    """The register's id of a lot of an item.

    >>> split(lot_id("MASK-3", "A/1"))
    ('MASK-3', 'A/1')
    """
    return f"{sku}/{lot}"


def split(ident: str) -> tuple[str, str]:
    """(sku, lot) of a register id: an item with lots has no slash in its own id."""
    sku, _, lot = ident.partition("/")
    return sku, lot


def standing(known: Known, today: date) -> Standing:
    """Whether a lot may be used today; `expires` is the last day on which it may. What a person said comes first."""
    if known.status != "available":
        return known.status
    return "expired" if known.expires is not None and known.expires < today else "available"


def lasts(known: Known, need: date, min_shelf_life_days: int = 0) -> bool:
    """Whether a lot can still be used so long after the day of need; one without an expiry date lasts."""
    return known.expires is None or known.expires >= need + timedelta(days=min_shelf_life_days)
