"""An asset came to a zone or left it, where the zone says that somebody is to be told: once, and only as news."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select

from backend.book import alerts, places, schema
from backend.book.places import Told
from backend.hours_step import tracker_of
from backend.plan.news import LATE_US, NEWS_US, Times, detail, heard, last_good, name_of, newest, told_at
from backend.plan.rule import Rule, View
from backend.registers import register_name
from models.alert import Alert
from models.declared import Zone
from models.motion import track
from models.motion.travel import Travel

NAME = "zone_alert"
Way = Literal["enter", "exit"]


class Move(Struct, frozen=True):
    """An asset came to a zone, or left it; `name` and `place` are what they are called."""

    asset: str
    name: str
    zone: str
    place: str
    way: Way
    times: Times
    visit: str

    @property
    def subject(self) -> str:
        return f"asset:{self.asset}/{self.zone}/{self.way}"


def load_moves(view: View, assets: Sequence[str]) -> list[tuple[str, Move]]:
    """The newest coming and going of these assets that is news, of zones that want it told."""
    bodies = view.register.all("zones", view.now)
    zones = {ident: body for ident, body in bodies.items() if isinstance(body, Zone) and body.alert is not None}
    if not zones:
        return []
    here = [*places.told(view.tx, view.register, assets)]
    times = newest([(each.state.asset, min(each.state.last_at, view.now)) for each in here])
    moves = [move for each in here for move in _coming(view, each, zones)] + [*_gone(view, times, zones)]
    found = {move.subject: move for move in sorted(moves, key=lambda move: move.times.at) if move.times.is_news}
    said = alerts.last_details(view.tx, NAME, found)
    return [
        (subject, replace(move, times=replace(move.times, told_at=told_at(said.get(subject)))))
        for subject, move in found.items()
    ]


def moved(facts: Move, _now: int) -> Alert | None:
    """What was received late, or is older than what is known, is in the visits and raises nothing."""
    if not facts.times.is_news:
        return None
    title = f"{facts.name} {'came to' if facts.way == 'enter' else 'left'} {facts.place}"
    figures: dict[str, object] = {
        "asset": facts.asset,
        "zone": facts.zone,
        "way": facts.way,
        "visit": facts.visit,
    }
    return Alert(NAME, facts.subject, "info", title, detail(facts.times, figures))


def _coming(view: View, told: Told, zones: Mapping[str, Zone]) -> Iterator[Move]:
    """Visits that last. A coming is known by the fix that showed it, which may be long after the visit's first."""
    for each in track.close(told.state, None):
        zone = zones.get(each.zone or "")
        if each.what != "visit" or zone is None or zone.alert == "exit":
            continue
        if _was_elsewhere(view, told.device_id, told.name, each):
            at, received_at = heard(view, told.device_id, told.state.visits[each.zone or ""].entered_at, "fix")
            times = Times(each.begin_at, at, received_at, min(told.state.last_at, view.now))
            yield _move(view, "enter", each, zone, times)


def _was_elsewhere(view: View, device_id: int, device: str, visit: Travel | Any) -> bool:  # noqa: ANN401 - or a row
    """Whether it came: a zone that is declared around it, or a tracker that is put on it there, brings nobody."""
    at = last_good(view, device_id, (visit.version, visit.begin_at))
    tracker = None if at is None else tracker_of(view.register, device, at)
    return tracker is not None and tracker.asset == visit.asset


def _gone(view: View, times: Mapping[str, int], zones: Mapping[str, Zone]) -> Iterator[Move]:
    """Visits that ended lately: what was left, and what was come to so shortly before that it was never seen open."""
    table = schema.travel.c
    since = max(view.now - NEWS_US, min(times.values(), default=0) - LATE_US)
    over = (table.asset.in_(times), table.what == "visit", table.zone.in_(zones), table.closed_at >= since)
    rows = select(schema.travel).where(*over, table.end_at >= view.now - NEWS_US).order_by(table.closed_at)
    for row in view.tx.execute(rows):
        device = register_name(view.tx, row.device_id)
        if row.closed_at < times[row.asset] - LATE_US or not places.was_left(view.tx, view.register, row):
            continue
        _, received_at = heard(view, row.device_id, row.closed_at, "fix", "input")
        known = Times(row.begin_at, row.closed_at, received_at, times[row.asset])
        zone = zones[row.zone]
        if zone.alert != "enter":
            yield _move(view, "exit", row, zone, known)
        is_short = row.begin_at >= row.closed_at - LATE_US
        if zone.alert != "exit" and is_short and _was_elsewhere(view, row.device_id, device, row):
            yield _move(view, "enter", row, zone, known)


def _move(view: View, way: Way, visit: Travel | Any, zone: Zone, times: Times) -> Move:  # noqa: ANN401 - or a row
    return Move(visit.asset, name_of(view, visit.asset), visit.zone or "", zone.name, way, times, visit.id)


ZONE_ALERT = Rule(NAME, "asset", load_moves, moved, is_state=False)
