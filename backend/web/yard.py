"""The yard: its plan with every asset on it, and beside it a list that says the same in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from backend.api import items
from backend.api.queries import fleet, inbox
from backend.api.queries.yard import Seen, changed_at, seen
from backend.api.services import Services
from backend.telemetry.store import StoreAway
from backend.web.figures import Figures, figures
from backend.web.plan_view import busiest, frame, grounds
from backend.web.standing import Standing, aged, standing
from backend.web.yard_plan import Plan, draw, summary, tail, zone_name
from models.assets.asset import ACTIVE
from models.declared import Zone
from models.register import Register

ROWS = 20
TAIL_US, TAIL_POINTS, MOST_TAILS = 300_000_000, 100, 12
FRESH_US = 15_000_000
"""What is shown is made anew after this, though nothing was heard: "not heard" comes with time alone."""
GRAVITY = {"critical": 0, "warning": 1}
Standings = Sequence[tuple[Seen, Standing]]


@dataclass(slots=True)
class Line:
    """One asset of the list."""

    seen: Seen
    standing: Standing
    zone: str | None
    aged: str | None
    figures: Figures
    alerts: list[items.Alert] = field(default_factory=list[items.Alert])


def token(tx: Connection, services: Services) -> str:
    """What the section shows is the same as long as this is."""
    return ".".join(str(part) for part in (*changed_at(tx), services.clock() // FRESH_US))


def yard(tx: Connection, services: Services, ask: Mapping[str, str]) -> dict[str, Any]:
    """The plan of the place with most assets, and a page of the list: those with alerts first."""
    now = services.clock()
    register = services.registers.current(tx)
    names = zone_names(register, now)
    assets = [(each, standing(each, now)) for each in seen(tx, register, now)]
    alerts = inbox.of_assets(tx)
    ordered = sorted(assets, key=lambda one: (_rank(one[0], alerts.get(one[0].id, ())), one[0].id))
    pages = max(1, -(-len(ordered) // ROWS))
    page = min(max(1, _number(ask.get("assets"))), pages)
    shown = ordered[(page - 1) * ROWS : page * ROWS]
    known = figures(tx, register, [one.id for one, _ in shown], now)
    lines = [
        Line(one, how, zone_name(one, names), aged(one, now), known[one.id], alerts.get(one.id, []))
        for one, how in shown
    ]
    plan = _plan(services, register, assets, names)
    return {
        "plan": plan,
        "lines": lines,
        "count": len(assets),
        "summary": summary(how for _, how in assets),
        "page": page,
        "pages": pages,
        "token": token(tx, services),
    }


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004 - pages are fewer


def _rank(seen: Seen, alerts: Sequence[items.Alert]) -> int:
    """Those with the gravest alerts first, those that are no longer used last."""
    if seen.asset.state not in ACTIVE:
        return len(GRAVITY) + 2
    return min((GRAVITY.get(alert.severity, len(GRAVITY)) for alert in alerts), default=len(GRAVITY) + 1)


def _plan(services: Services, register: Register, assets: Standings, names: Mapping[str, str]) -> Plan | None:
    now = services.clock()
    spots = [point for each, _ in assets if (point := each.point) is not None]
    ground = busiest(grounds(register, now), spots)
    if ground is None:
        return None
    plan = draw(frame(ground), assets, names)
    add_tails(services, register, plan)
    return plan


def add_tails(services: Services, register: Register, plan: Plan) -> None:
    """Where those that move were in the last minutes, from the telemetry store; it may be some seconds behind."""
    moving = [mark for mark in plan.marks if mark.standing.kind == "moving"]
    if services.telemetry is None or not moving or len(plan.marks) > MOST_TAILS:
        return
    now = services.clock()
    for mark in moving:
        try:
            track = fleet.track(services.telemetry, register, mark.seen.id, (now - TAIL_US, now), TAIL_POINTS)
        except StoreAway:
            return
        spots = [(each.lat, each.lon) for each in track]
        mark.tail = tail(plan.frame, [*spots, *([mark.seen.point] if mark.seen.point else [])])


def zone_names(register: Register, now: int) -> dict[str, str]:
    """The names of the zones by id."""
    return {ident: body.name for ident, body in register.all("zones", now).items() if isinstance(body, Zone)}
