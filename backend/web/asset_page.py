"""What each part of an asset's page shows: where it is, its hours, where it stayed, what asks for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from backend.api.queries import fleet
from backend.api.queries.yard import Seen, seen
from backend.api.services import Services
from backend.book import places
from backend.motion_step import fences_at
from backend.plan.risk import DAYS
from backend.step import DAY_US
from backend.web import asset_hours, asset_risk, inbox, upkeep
from backend.web.charts import bars, ceiling
from backend.web.plan_view import ALONE_M, Ground, around, frame, grounds, is_at
from backend.web.rendering import TEMPLATES
from backend.web.standing import aged, standing
from backend.web.yard import add_tails, token, zone_names
from backend.web.yard_plan import Plan as Drawing
from backend.web.yard_plan import draw
from models.declared import Asset, Plan
from models.errors import NotFound
from models.motion.travel import Travel
from models.reading import from_micros
from models.register import Register

VISIT_DAYS, MOST_VISITS = 7, 30
TRIP_DAYS, MOST_TRIPS = 2, 40
GOOD_HDOP, FAIR_HDOP = 2.0, 5.0
DOUBTS = {
    "no_position": "what came after had no good position",
    "suspect": "newer positions are too far away to be believed yet",
}
"""What a position's flags mean."""
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Of:
    """Which asset is shown, as of when."""

    services: Services
    register: Register
    ident: str
    asset: Asset
    now: int


def find(tx: Connection, services: Services, ident: str) -> Of | None:
    """An asset of the register, or None."""
    now = services.clock()
    register = services.registers.current(tx)
    body = register.get("assets", ident, now)
    return Of(services, register, ident, body, now) if isinstance(body, Asset) else None


def part_html(tx: Connection, services: Services, name: str, ident: str, notice: str | None = None) -> str:
    """One part as it is now; `notice` says what went wrong with what a person did. Raises NotFound."""
    of = find(tx, services, ident)
    if of is None:
        msg = f"assets: nothing of id {ident[:64]!r}"
        raise NotFound(msg)
    return TEMPLATES.get_template(f"asset/{name}.html").render(PARTS[name](tx, of), ident=ident, notice=notice)


def place(tx: Connection, of: Of) -> Context:
    """Where it is and what it does, its hours since new and its odometer."""
    (seen_now,) = seen(tx, of.register, of.now, of.ident)
    (figures,) = fleet.fleet(tx, of.register, of.now, [of.ident])
    names = zone_names(of.register, of.now)
    midnight = of.now // DAY_US * DAY_US
    driven = places.driven(tx, of.register, of.ident, (midnight, of.now))
    return {
        "seen": seen_now,
        "standing": standing(seen_now, of.now),
        "aged": aged(seen_now, of.now),
        "figures": figures,
        "zones": [names.get(zone, zone) for zone in seen_now.place.zones] if seen_now.place else [],
        "quality": _quality(seen_now),
        "doubts": [DOUBTS[flag] for flag in seen_now.place.flags if flag in DOUBTS] if seen_now.place else [],
        "driven_today": None if driven is None else fleet.amount(driven, "km"),
        "plan": _plan(of, seen_now, names),
        "token": token(tx, of.services),
    }


def _quality(of: Seen) -> str | None:
    """What a receiver says of its own precision, in words."""
    hdop = of.place.hdop if of.place is not None else None
    if hdop is None:
        return None
    return "good" if hdop <= GOOD_HDOP else "fair" if hdop <= FAIR_HDOP else "poor"


def _plan(of: Of, asset: Seen, names: dict[str, str]) -> Drawing | None:
    """The zones that it is among, or the land around it."""
    point = asset.point
    if point is None:
        return None
    found = next((each for each in grounds(of.register, of.now) if is_at(each, point)), None)
    ground = Ground(point, point).widened(ALONE_M)
    if found is not None:
        ground = around([found.low, found.high, point], *found.outlines)
    plan = draw(frame(ground), [(asset, standing(asset, of.now))], names)
    add_tails(of.services, of.register, plan)
    return plan


def hours(tx: Connection, of: Of) -> Context:
    """A bar for each of the last days."""
    found = asset_hours.days(tx, of.register, of.ident, of.now)
    top = ceiling(max(day.hours[1] for day in found))
    return {
        "days": found,
        "bars": bars([day.hours for day in found], top),
        "top": top,
        "total": asset_hours.total(found),
    }


def visits(tx: Connection, of: Of) -> Context:
    """Its stays in zones in the last days, the newest first."""
    span = (of.now - VISIT_DAYS * DAY_US, of.now)
    found = places.visits(tx, of.register, of.ident, span, of.now)[::-1]
    return {
        "visits": found[:MOST_VISITS],
        "more": max(0, len(found) - MOST_VISITS),
        "days": VISIT_DAYS,
        "names": zone_names(of.register, of.now),
        "now": of.now,
    }


def trips(tx: Connection, of: Of) -> Context:
    """Its trips, stops and transports in the last days, the newest first, and which zone it stood in."""
    span = (of.now - TRIP_DAYS * DAY_US, of.now)
    found = places.journeys(tx, of.register, of.ident, span, of.now, "trip", "stop", "transported")[::-1]
    names, fences = zone_names(of.register, of.now), fences_at(of.register, of.now)
    shown: list[tuple[Travel, str | None]] = []
    for each in found[:MOST_TRIPS]:
        around = [] if each.lat is None or each.lon is None else fences.at(each.lat, each.lon)
        inner = min(around, key=lambda shape: (shape.area_m2, shape.zone), default=None)
        shown.append((each, None if inner is None else names.get(inner.zone, inner.zone)))
    return {"trips": shown, "more": max(0, len(found) - MOST_TRIPS), "days": TRIP_DAYS, "now": of.now}


def due(tx: Connection, of: Of) -> Context:
    """How its plans stand, and what was done."""
    plans = of.register.all("plans", of.now)
    return {
        "plans": upkeep.plans(tx, of.register, of.ident, of.now),
        "done": upkeep.done(tx, of.register, of.ident, of.now),
        "names": {ident: body.name for ident, body in plans.items() if isinstance(body, Plan)},
        "now_text": from_micros(of.now).isoformat(),
    }


def risk(tx: Connection, of: Of) -> Context:
    """How likely it fails and why, and what its sensors showed beside what is normal for it."""
    found = asset_risk.newest(tx, of.ident)
    why = asset_risk.reasons_of(found)
    return {
        "risk": found,
        "is_high": found is not None and asset_risk.is_high(found),
        "course": asset_risk.course(tx, of.ident, of.now, found.threshold if found is not None else None),
        "horizon_days": DAYS,
        "charts": asset_risk.charts(of.services, of.register, of.ident, of.now, why),
        "signal_days": asset_risk.SIGNAL_DAYS,
    }


def behind_visit(tx: Connection, services: Services, ident: str, visit: str) -> list[str] | None:
    """The content hashes that a stay rests on; None if it is unknown."""
    now = services.clock()
    register = services.registers.current(tx)
    found = places.visits(tx, register, ident, (now - VISIT_DAYS * DAY_US, now), now)
    return next(([*each.evidence] for each in found if each.id == visit), None)


def alerts(tx: Connection, of: Of) -> Context:
    """What asks for a person, and what did last."""
    return inbox.of_asset(tx, of.ident)


PARTS: dict[str, Callable[[Connection, Of], Context]] = {
    "place": place,
    "alerts": alerts,
    "due": due,
    "risk": risk,
    "hours": hours,
    "trips": trips,
    "visits": visits,
}
"""Every part of the page, by its id and the name of its template."""
