"""Planned maintenance as iCalendar feeds, of a team or of an asset, to be subscribed to."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api.answers import Ask
from backend.api.services import Services, Use
from backend.book.db import read
from backend.exchange import icalendar, maintenance_feed
from models.declared import Asset
from models.declared_alerts import Team
from models.errors import NotFound
from models.register import Register

Ident = Annotated[str, Path(max_length=64)]
router = APIRouter(tags=["maintenance"])
_ICS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/calendar": {}}}}


@router.get("/calendars/assets/{ident:path}.ics", response_class=Response, responses=_ICS)
def asset_calendar(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What is planned of one asset in the next 180 days."""
    now, register = services.clock(), _register(services)
    asset = register.get("assets", ident, now)
    if not isinstance(asset, Asset):
        msg = f"assets: nothing of id {ident!r}"
        raise NotFound(msg)
    found = maintenance_feed.entries(services.book, register, [ident], now)
    return Response(icalendar.encode(f"{asset.name}: maintenance", found), media_type=icalendar.MEDIA_TYPE)


@router.get("/calendars/teams/{ident:path}.ics", response_class=Response, responses=_ICS)
def team_calendar(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What is planned in the next 180 days of a team's assets, but for other teams' orders; and its own orders."""
    now, register = services.clock(), _register(services)
    team = register.get("teams", ident, now)
    if not isinstance(team, Team):
        msg = f"teams: nothing of id {ident!r}"
        raise NotFound(msg)
    own = {each for each, body in register.all("assets", now).items() if _is_of(team, body)}
    with read(services.book) as tx:
        wanted = sorted(own | {*maintenance_feed.assets_of_orders(tx, ident)})
    found = maintenance_feed.of_team(maintenance_feed.entries(services.book, register, wanted, now), ident, own)
    return Response(icalendar.encode(f"{team.name}: maintenance", found), media_type=icalendar.MEDIA_TYPE)


def _is_of(team: Team, body: object) -> bool:
    return isinstance(body, Asset) and (not team.fleets or body.fleet in team.fleets)


def _register(services: Services) -> Register:
    with read(services.book) as tx:
        return services.registers.current(tx)
