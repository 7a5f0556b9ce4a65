"""What scans said of tags, and nothing else, is in the register under the name of a scanner."""

from sqlalchemy import select

from backend.book import bindings
from backend.book.register import BY_SCAN
from backend.book.schema import register_entry, scan_act
from backend.verify.folds import Seen
from models.reading import from_micros


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
