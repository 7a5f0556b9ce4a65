"""What scans said of tags and lots, and nothing else, is in the register under the name of a scanner."""

from sqlalchemy import select

from backend.book import bindings, labels
from backend.book.register import BY_SCAN
from backend.book.schema import register_entry, scan_act
from backend.verify.folds import Seen
from models.reading import from_micros
from models.stock.lot import lot_id, split


def follow_scans(seen: Seen) -> tuple[str, list[str]]:
    """Every act of ASSIGN that stands has its entry, and every entry of a scanner that is not withdrawn its act."""
    by_scan = register_entry.c.actor.startswith(BY_SCAN, autoescape=True)
    tags = {*seen.tx.scalars(select(register_entry.c.id).where(register_entry.c.kind == "tags", by_scan))}
    tags |= {*seen.tx.scalars(select(scan_act.c.epc).where(scan_act.c.epc.is_not(None)))}
    wrong = [
        f"tag {tag}: {body.thing} from {from_micros(at).isoformat()} on expected of {actor}"
        for tag in sorted(tags)
        for at, actor, body in bindings.missing(seen.tx, tag)
    ]
    return f"{len(tags)} tags", wrong


def follow_labels(seen: Seen) -> tuple[str, list[str]]:
    """Every lot whose label said until when it may be used is declared so, wherever nobody declared a date."""
    by_scan = register_entry.c.actor.startswith(BY_SCAN, autoescape=True)
    declared = seen.tx.scalars(select(register_entry.c.id).where(register_entry.c.kind == "lots", by_scan).distinct())
    lots = {split(ident) for ident in declared}
    acts = seen.tx.execute(select(scan_act).where(scan_act.c.expires.is_not(None))).mappings()
    lots |= labels.lots_of([{**row} for row in acts])
    wrong = [
        f"lot {lot_id(*lot)}: {body.expires} from {from_micros(at).isoformat()} on expected of {actor}"
        for lot in sorted(lots)
        for at, actor, body in labels.missing(seen.tx, lot)
    ]
    return f"{len(lots)} lots", wrong
