"""The shapes of what was done with scanners; `backend.api.items` has the others and says how they are written."""

from datetime import datetime

from msgspec import Struct


class Scanned(Struct, frozen=True):
    """What a person did at a desk with a scanner.

    `target` is where a move goes; `parent` and `child` a pallet and what is on it; `epc` a tag that is on `asset` or on
    `quantity` of `sku`; `badge` who; `undoes` the act that this one takes back.
    """

    id: str
    n: int
    gateway: str | None
    device: str
    at: datetime
    action: str
    ok: bool
    text: str
    sku: str | None
    lot: str | None
    serial: str | None
    quantity: str | None
    location: str | None
    target: str | None
    parent: str | None
    child: str | None
    epc: str | None
    asset: str | None
    badge: str | None
    undoes: str | None
    expires: str | None
    """What the label of its lot said: the last day of its use."""
    evidence: list[str]
    movement: str | None


class Packed(Struct, frozen=True):
    """What lies on a pallet, and the act that put it there; names are `(00)SSCC`, `(01)GTIN(21)serial` or an EPC."""

    child: str
    parent: str
    since: datetime
    sku: str | None
    badge: str | None
    act: str
    evidence: list[str]
