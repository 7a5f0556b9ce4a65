"""What the planner says of lots on hand: they expire soon, have expired, or may not be used for another reason."""

import json
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from models.alert import Alert, Severity
from models.stock.lot import Known, lot_id, standing
from models.units import quantity_text


class LotOnHand(Struct, frozen=True):
    """A lot, what is known of it, where how much of it is, and how long before it expires somebody wants to know."""

    sku: str
    lot: str
    known: Known
    places: list[tuple[str, Decimal]]
    alert_days: int = 30

    @property
    def subject(self) -> str:
        """What alerts about it are about."""
        return f"lot:{lot_id(self.sku, self.lot)}"

    @property
    def on_hand(self) -> Decimal:
        """What lies at real places; nothing where less than nothing does."""
        return sum((quantity for _, quantity in self.places if quantity > 0), Decimal(0))


def expiring(facts: LotOnHand, today: date) -> Alert | None:
    """Expired, or about to: only while some of it is there, and it is not told of as blocked."""
    expires = facts.known.expires
    if expires is None or facts.on_hand <= 0 or facts.known.status != "available":
        return None
    days = (expires - today).days
    if days < 0:
        return _alert("expiry", facts, "critical", f"expired on {expires}")
    if today + timedelta(days=facts.alert_days) >= expires:
        return _alert("expiry", facts, "warning", f"expires on {expires}, in {days} day{'' if days == 1 else 's'}")
    return None


def blocked(facts: LotOnHand, today: date) -> Alert | None:
    """Quarantined or recalled, and still there."""
    found = standing(facts.known, today)
    if found not in ("quarantined", "recalled") or facts.on_hand <= 0:
        return None
    return _alert("blocked_lot", facts, "critical" if found == "recalled" else "warning", found)


class WithoutLot(Struct, frozen=True):
    """An item that needs lots, what moved without one by place, and its lots on hand whose expiry nobody knows."""

    sku: str
    places: list[tuple[str, Decimal]]
    undated: list[str] = []


def lot_missing(facts: WithoutLot, _now: int) -> Alert | None:
    """A reading is never refused: what it moved without the lot, or of a lot without a date, is for a person."""
    if not facts.places and not facts.undated:
        return None
    moved = [f"{quantity_text(quantity)} without a lot at {place}" for place, quantity in facts.places]
    undated = [f"lot {lot} without an expiry date" for lot in facts.undated]
    detail = {"sku": facts.sku, "places": _places(facts.places), "undated": facts.undated}
    title = f"{facts.sku}: {', '.join([*moved, *undated])}"
    return Alert("lot_missing", f"item:{facts.sku}", "warning", title[:400], json.dumps(detail))


class Labels(Struct, frozen=True):
    """A lot, the date that holds for it, and the others that its labels said since that was declared."""

    sku: str
    lot: str
    expires: date | None
    said: list[date]


def label_differs(facts: Labels, _now: int) -> Alert | None:
    """A label says another expiry date than holds: the date stays, and somebody looks at the goods."""
    others = sorted({each for each in facts.said if each != facts.expires})
    if not others:
        return None
    lot, dates = lot_id(facts.sku, facts.lot), [each.isoformat() for each in others]
    title = f"lot {lot}: a label says {', '.join(dates)}, the register {facts.expires}"
    holds = None if facts.expires is None else facts.expires.isoformat()
    detail = {"sku": facts.sku, "lot": facts.lot, "expires": holds, "labels": dates}
    return Alert("lot_label", f"lot:{lot}", "warning", title[:400], json.dumps(detail))


def _alert(rule: str, facts: LotOnHand, severity: Severity, what: str) -> Alert:
    detail = {
        "sku": facts.sku,
        "lot": facts.lot,
        "expires": None if facts.known.expires is None else facts.known.expires.isoformat(),
        "status": facts.known.status,
        "on_hand": quantity_text(facts.on_hand),
        "places": _places(facts.places),
    }
    title = f"{facts.sku} lot {facts.lot}: {what}; {quantity_text(facts.on_hand)} on hand"
    return Alert(rule, facts.subject, severity, title, json.dumps(detail))


def _places(places: list[tuple[str, Decimal]]) -> list[dict[str, str]]:
    return [{"location": place, "on_hand": quantity_text(quantity)} for place, quantity in places if quantity]
