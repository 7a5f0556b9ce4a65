"""An asset's label that is scanned at a place, in any mode but ASSIGN and PACK: a person saw it there."""

from models.scan.desk import Desk
from models.scan.goods import NO_PLACE
from models.scan.session import Scanned


def seen(desk: Desk, scan: Scanned, asset: str) -> None:
    """The asset is where the scanner is; it moves nothing in the stock, and waits for nothing."""
    now = desk.now
    place, by = now.location or desk.params.location, now.location_by
    if place is None:
        desk.refuse(scan, f"asset {asset}: {NO_PLACE}")
        return
    evidence = [scan.evidence, *desk.context(by)]
    desk.tell("seen", scan.at, f"{asset} seen at {place}", evidence, asset=asset, location=place, badge=now.badge)
