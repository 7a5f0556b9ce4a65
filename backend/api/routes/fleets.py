"""Many assets at once: where they are, what is low or heavy, who drove how long, means, activity and breakdowns."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api import items_fleets as shapes
from backend.api.answers import Ask, When, documented, page
from backend.api.queries import fleets
from backend.api.queries.fleets import Fleet, Rated, Trait
from backend.api.queries.followed import Reliable, reliable
from backend.api.services import Services, Use
from backend.book.db import read
from backend.telemetry.fleet_scope import Scope
from backend.telemetry.fleet_sums import Signal
from backend.telemetry.store import StoreAway
from models.errors import Refused
from models.reading import micros

router = APIRouter(tags=["fleets"])
DAY_US = 86_400_000_000
MOST_LATEST_DAYS, MOST_DAYS = 400, 62


class Which(Ask, frozen=True):
    """Which assets, as the register has them at `until`; and from when to when, by default the last day."""

    fleet: str | None = Field(None, max_length=64)
    model: str | None = Field(None, max_length=64)
    asset: list[str] | None = Field(None, max_length=1000, description="ids; may be repeated")
    since: When | None = None
    until: When | None = None


class SignalAsk(Which, frozen=True):
    """And of which signal; the same name in another unit is another signal."""

    signal: str = Field(max_length=64, description="such as fuel_level")
    unit: str = Field(max_length=64, description="a UCUM code, such as %")


class LatestAsk(SignalAsk, frozen=True):
    """And which values: below or at least a bound; of `rated`, if that is given."""

    below: float | None = None
    at_least: float | None = None
    rated: Rated | None = Field(None, description="judge the value as a part of this figure of the asset")


class DrivingAsk(Which, frozen=True):
    """And who: slower on the mean than, or for more hours than."""

    mean_below: float | None = Field(None, description="m/s: who stood still")
    hours_above: float | None = Field(None, description="who drove for long")


class GroupedAsk(SignalAsk, frozen=True):
    """And by what to group."""

    by: list[Trait] = Field(default=[], max_length=3, description="fleet, model, driver; may be repeated")


class MeansAsk(GroupedAsk, frozen=True):
    """And whether only while driving, and which rated figure to put beside."""

    driving: bool = False
    rated: Rated | None = None


class ActivityAsk(GroupedAsk, frozen=True):
    """And below which mean ten minutes are active."""

    below: float


@router.get("/fleet/positions", responses=documented(items.Page[shapes.Position]))
def list_positions(services: Use, ask: Annotated[Which, Query()]) -> Response:
    """Where each asset was last, as it was sent."""
    fleet, whole = _fleet(services, ask, MOST_LATEST_DAYS)
    return _page(fleets.positions(fleet), whole)


@router.get("/fleet/latest", responses=documented(items.Page[shapes.Latest]))
def list_latest(services: Use, ask: Annotated[LatestAsk, Query()]) -> Response:
    """The newest value of a signal of each asset: who is low on fuel, who carries too much."""
    fleet, whole = _fleet(services, ask, MOST_LATEST_DAYS)
    found = fleets.latest(fleet, Signal(ask.signal, ask.unit), ask.rated)
    return _page([each for each in found if _is_asked(each, ask)], whole)


def _is_asked(each: shapes.Latest, ask: LatestAsk) -> bool:
    figure = each.value if ask.rated is None else each.share
    if figure is None:
        return ask.below is None and ask.at_least is None
    return (ask.below is None or figure < ask.below) and (ask.at_least is None or figure >= ask.at_least)


@router.get("/fleet/driving", responses=documented(items.Page[shapes.Drove]))
def list_driving(services: Use, ask: Annotated[DrivingAsk, Query()]) -> Response:
    """How each asset drove in the whole window: who stood still, who drove for long."""
    fleet, whole = _fleet(services, ask)
    return _page(_chosen(fleets.driving(fleet), ask), whole)


@router.get("/fleet/driving/days", responses=documented(items.Page[shapes.Drove]))
def list_driving_days(services: Use, ask: Annotated[DrivingAsk, Query()]) -> Response:
    """How each asset drove on each UTC day on which it did."""
    fleet, whole = _fleet(services, ask)
    return _page(_chosen(fleets.driving_days(fleet), ask), whole)


def _chosen(found: Sequence[shapes.Drove], ask: DrivingAsk) -> list[shapes.Drove]:
    return [
        each
        for each in found
        if (ask.mean_below is None or each.mean_mps < ask.mean_below)
        and (ask.hours_above is None or each.hours > ask.hours_above)
    ]


@router.get("/fleet/means", responses=documented(items.Page[shapes.GroupMean]))
def list_means(services: Use, ask: Annotated[MeansAsk, Query()]) -> Response:
    """The mean of a signal by group: load against what may be carried, fuel while driving against what is said."""
    fleet, whole = _fleet(services, ask)
    return _page(fleets.means(fleet, Signal(ask.signal, ask.unit, ask.driving), ask.rated, ask.by), whole)


@router.get("/fleet/activity", responses=documented(items.Page[shapes.Activity]))
def list_activity(services: Use, ask: Annotated[ActivityAsk, Query()]) -> Response:
    """How long assets were active on each UTC day, by group."""
    fleet, whole = _fleet(services, ask)
    return _page(fleets.activity(fleet, Signal(ask.signal, ask.unit), ask.below, ask.by), whole)


@router.get("/fleet/breakdowns", responses=documented(items.Page[shapes.Breakdowns]))
def list_breakdowns(services: Use, ask: Annotated[GroupedAsk, Query()]) -> Response:
    """How often assets broke down, by group: a signal that is 0 while they are."""
    fleet, whole = _fleet(services, ask)
    return _page(fleets.breakdowns(fleet, Signal(ask.signal, ask.unit), ask.by), whole)


def _fleet(services: Services, ask: Which, most_days: int = MOST_DAYS) -> tuple[Fleet, Reliable]:
    """Whom it is about, and from when to when the answer rests on everything."""
    now = services.clock()
    until = now if ask.until is None else micros(ask.until)
    since = until - DAY_US if ask.since is None else micros(ask.since)
    if not until - most_days * DAY_US <= since < until:
        msg = f"since: at most {most_days} days before until expected, and before it"
        raise Refused(msg)
    reader = services.telemetry
    if reader is None:
        raise StoreAway("there is no telemetry store")
    with read(services.book) as tx:
        register = services.registers.current(tx)
        whole = reliable(tx, reader, now)
        whole = whole._replace(complete_to=min(whole.complete_to, services.complete_to(tx, now)))
    scope = Scope(ask.fleet, ask.model, None if ask.asset is None else tuple(ask.asset))
    return Fleet.of(reader, register, scope, (since, until), whole.rolled_to), whole


def _page(found: Sequence[Any], whole: Reliable) -> Response:
    return page(found, len(found) + 1, None, whole.complete_to, whole.complete_from)
