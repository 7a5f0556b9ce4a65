"""What the scan workflow knows and says: its parameters, one scan, where a scanner stands, and the acts."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from models.barcode import Gs1
from models.stock.item import Units

RULE = "scan-1"
"""Part of every act's id: it stays, so that an act that is decided as before keeps its id."""
WAIT_US = 60_000_000
SILENCE_US = 600_000_000
UNDO_US = 300_000_000
MAX_TEXT = 160
MOST_WAITING = 100
MOST_ADDED = 50
MOST_UNDONE = 10

Mode = Literal["receive", "issue", "return", "move", "count", "assign", "pack"]
Action = Literal["receive", "issue", "return", "move", "count", "assign", "pack", "undo", "match", "seen", "refused"]


class Item(Struct, frozen=True):
    """What the register says of a GTIN: `units` of the SKU are in one of it; tagged goods are moved by the door.

    `measures` are the units in which a person may say how much.
    """

    sku: str
    name: str
    tagged: bool
    units: Decimal = Decimal(1)
    uom: str = "each"
    measures: Units = Units("each", {})


class Workflow(Struct, frozen=True):
    """Parameters of one scanner. `items` by GTIN-14; `locations` by id, in small letters, or GLN, to location id.

    `location` is where its goods are until another one is scanned; None: one must be scanned. `assets` by id, in small
    letters; `codes` by `(8004)` and GIAI or `(8003)` and GRAI, to asset id.
    """

    device: str
    items: Mapping[str, Item]
    locations: Mapping[str, str]
    wait_us: int = WAIT_US
    silence_us: int = SILENCE_US
    location: str | None = None
    assets: Mapping[str, str] = {}
    codes: Mapping[str, str] = {}
    undo_us: int = UNDO_US


class Scanned(Struct, frozen=True):
    """One scan reading; `evidence` is its content hash in hexadecimal."""

    at: int
    data: str
    symbology: str | None
    evidence: str


class Waiting(Struct, frozen=True):
    """An item that waits for its quantity or its place, with the mode, place and person it was scanned under.

    `quantity` counts trade items: what was said after it, None while nothing was.
    """

    at: int
    mode: Mode
    location: str | None
    code: Gs1
    evidence: list[str]
    context: list[str]
    quantity: Decimal | None = None
    badge: str | None = None


class Half(Struct, frozen=True):
    """A tag that waits for what it is on, or the other way round: `epc`, or `asset`, or `sku` and its carton's code."""

    at: int
    evidence: list[str]
    epc: str | None = None
    asset: str | None = None
    sku: str | None = None
    code: Gs1 = Gs1()
    quantity: Decimal | None = None


class ScanAct(Struct, frozen=True):
    """One outcome, with the text for the person. `evidence`: the item's scan, then its quantity, place, mode, badge.

    `target` is where a move goes; `parent` and `child` are a pallet and what is on it; `epc` is a tag that is on
    `asset` or on `quantity` of `sku`. An undo has what the act had that it takes back: `undoes` is its id, `undone`
    its action and `undone_at` its time.
    """

    id: str
    device: str
    at: int
    action: Action
    ok: bool
    text: str
    evidence: list[str]
    sku: str | None = None
    code: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: Decimal | None = None
    location: str | None = None
    target: str | None = None
    parent: str | None = None
    child: str | None = None
    epc: str | None = None
    asset: str | None = None
    badge: str | None = None
    undoes: str | None = None
    undone: Action | None = None
    undone_at: int | None = None


class Labelled(ScanAct, frozen=True):
    """An act on goods whose label said until when their lot may be used; a session keeps it without that."""

    expires: date | None = None


class Session(Struct, frozen=True):
    """Where a scanner stands. `mode_by`, `location_by` ... are the scans that set them.

    `waiting` waits for its quantity, `held` have theirs and wait for a place, `half` waits for its other half. `source`
    is where a move begins, `pallet` what cartons go on; `done` is what UNDO can take back, the last one last.
    """

    last_at: int
    mode: Mode | None = None
    mode_by: str | None = None
    location: str | None = None
    location_by: str | None = None
    waiting: Waiting | None = None
    held: list[Waiting] = []
    half: Half | None = None
    source: str | None = None
    source_by: str | None = None
    pallet: str | None = None
    pallet_by: str | None = None
    badge: str | None = None
    badge_by: str | None = None
    done: list[ScanAct] = []

    @property
    def waits_since(self) -> int | None:
        """When the last of what is not whole yet was scanned; None if nothing waits."""
        parts = [*self.held, *(part for part in (self.waiting, self.half) if part is not None)]
        return max((part.at for part in parts), default=None)
