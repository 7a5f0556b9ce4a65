"""Alerts as the inbox has them: which are of stock, of assets, of devices; which sleep; those of one asset."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, func, or_, select

from backend import rules
from backend.api import items
from backend.api.queries import decisions
from backend.book.schema import alert

STOCK_RULES, ASSET_RULES = rules.STOCK_NAMES, rules.ASSET_NAMES
OF_ASSETS = alert.c.rule.in_(ASSET_RULES)
SORTS: dict[str, tuple[ColumnElement[bool], ...]] = {
    "all": (),
    "stock": (alert.c.rule.in_(STOCK_RULES),),
    "assets": (OF_ASSETS,),
    "devices": (alert.c.rule.not_in((*STOCK_RULES, *ASSET_RULES)),),
}
"""What each sort of alerts is."""
MOST = 1000
"""Asset alerts that are looked through for those of each asset."""


def asset_of(found: items.Alert) -> str | None:
    """The asset that an alert names."""
    named = found.detail.get("asset")
    return named if isinstance(named, str) and found.rule in ASSET_RULES else None


def standing(tx: Connection, limit: int, where: Sequence[ColumnElement[bool]] = ()) -> list[items.Alert]:
    """Alerts that are not closed and do not sleep."""
    return decisions.standing_alerts(tx, limit, [*where, alert.c.state != "snoozed"])


def asleep(tx: Connection, limit: int, where: Sequence[ColumnElement[bool]] = ()) -> list[items.Alert]:
    """Alerts that sleep: the soonest to wake first."""
    found = decisions.standing_alerts(tx, limit, [*where, alert.c.state == "snoozed"])
    return sorted(found, key=lambda each: (each.snoozed_until is None, each.snoozed_until, each.n))


def counts(tx: Connection) -> dict[str, int]:
    """How many of each sort wait for a person."""
    waiting = select(func.count()).select_from(alert).where(alert.c.state == "open")
    return {name: tx.scalar(waiting.where(*where)) or 0 for name, where in SORTS.items()}


def of_assets(tx: Connection) -> dict[str, list[items.Alert]]:
    """What stands of each asset and does not sleep, the gravest first."""
    found: defaultdict[str, list[items.Alert]] = defaultdict(list)
    for each in standing(tx, MOST, [OF_ASSETS]):
        if (ident := asset_of(each)) is not None:
            found[ident].append(each)
    return found


def names(ident: str) -> ColumnElement[bool]:
    """An asset's alerts, and perhaps those of one whose id begins with its own: look at `asset_of` too."""
    subject = alert.c.subject
    return or_(subject.startswith(f"{ident}/", autoescape=True), subject.startswith(f"asset:{ident}/", autoescape=True))


def closed_of(tx: Connection, ident: str, limit: int) -> list[items.Alert]:
    """The last alerts of an asset that are over, the last first."""
    where = (OF_ASSETS, names(ident), alert.c.state == "closed")
    found = decisions.latest_alerts(tx, limit, where)
    return [each for each in found if asset_of(each) == ident]
