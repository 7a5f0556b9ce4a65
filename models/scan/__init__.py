"""The scan workflow: the scans of one scanner become acts. `state, scan -> state, acts`; event time and nothing else.

`RULES` says it for the person at the desk. A mode says what the scans after it mean, until the next mode or 10 minutes
of silence; what was scanned and is not whole yet waits 60 s. `fold` is the machine, `commands` its table of own codes,
`goods` the modes with places, `tagging` the two that commission tags and pallets.
"""

from models.scan.fold import due, expire, fold
from models.scan.session import (
    MAX_TEXT,
    RULE,
    SILENCE_US,
    UNDO_US,
    WAIT_US,
    Action,
    Item,
    Labelled,
    Mode,
    ScanAct,
    Scanned,
    Session,
    Waiting,
    Workflow,
)

RULES = """\
| mode | scan | what each item does |
|---|---|---|
| RECEIVE | place, items; or items, place | supplier -> place |
| ISSUE | the same | place -> customer |
| RETURN | the same | customer -> place |
| COUNT | the same | a count at the place, on record: it moves nothing, adjustments are decided elsewhere |
| MOVE | from, items, to; or items, from, to | from -> to; both places are scanned after MOVE |
| ASSIGN | tag, thing; or thing, tag | the tag (EPC) is on an asset (ASSET, GIAI, GRAI) or on a carton (GTIN, count) |
| PACK | pallet (SSCC), cartons | each carton (serial number, SSCC or EPC) is on the pallet; the newest pallet holds |

| code | does |
|---|---|
| LOC, or a GLN label | a place: of the items that wait for one, and of those that follow until another is scanned |
| item | with a count (AI 30, 37) or, of goods in kg, a weight (310n) it acts; else it waits for its quantity |
| QTY:n, +n | QTY sets the quantity of what waits, which acts; + adds to it (it waits as 1) and lets it wait on |
| next item, mode, CONFIRM, 60 s | what waits for its quantity acts with what it has, 1 if nothing was said |
| 60 s, or another mode | refuses an item without a place, a tag without a thing, a thing without a tag |
| CONFIRM | also ends the pallet: the next SSCC is a new one |
| CANCEL | forgets what waits; nothing is done |
| UNDO | takes back this scanner's last act of the last 5 minutes, again the one before: a further act, the other way |
| BADGE | who: on all acts from then on, until the silence |

Tagged goods are a match, not a movement: the door moves them; only COUNT counts them. A code that is refused counts as
the next item: its quantity must not go to the item before. Every refusal says why, in at most 160 characters.
"""
"""Own codes are `SY:...`; the rest are GS1 codes."""

__all__ = [
    "MAX_TEXT",
    "RULE",
    "RULES",
    "SILENCE_US",
    "UNDO_US",
    "WAIT_US",
    "Action",
    "Item",
    "Labelled",
    "Mode",
    "ScanAct",
    "Scanned",
    "Session",
    "Waiting",
    "Workflow",
    "due",
    "expire",
    "fold",
]
