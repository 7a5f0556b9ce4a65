"""What the book has of where an asset was seen, from every source, as sightings: the only place that knows them all."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, and_, select

from backend.asset_tags import asset_of, states, tags_of
from backend.book import places
from backend.book.schema import crossing, presence, scan_act, travel
from backend.book.schema_custody import audit_stay, custody_event
from backend.motion_step import tracking
from backend.registers import register_name
from models.assets.sighting import Sighting, Stay, of_stays
from models.declared import Device, Location
from models.dock.presence import Presence
from models.motion import track
from models.place import VIRTUAL
from models.register import Register

SURE = 0.8
"""The score from which on a crossing is sure."""
Span = tuple[int, int]
"""(since, until), microseconds, both included."""


@dataclass(frozen=True)
class Of:
    """One asset in a book, as of what is in it."""

    tx: Connection
    register: Register
    asset: str

    @cached_property
    def tags(self) -> list[str]:
        """Every tag that may have been on it."""
        return sorted(tags_of(self.register, self.asset))


def sightings(of: Of, span: Span) -> list[Sighting]:
    """All of a span, in no order; a stay in a zone that reaches into it is whole."""
    return [each for source in SOURCES for each in source(of, span) if span[0] <= each.at <= span[1]]


def last_claim(of: Of, at: int) -> int:
    """A time up to `at` from which on all sightings say where the asset was then; 0: all of them are needed."""
    seen = [
        (crossing, crossing.c.last_at, and_(crossing.c.asset == of.asset, crossing.c.direction != "none")),
        (scan_act, scan_act.c.at, and_(scan_act.c.asset == of.asset, scan_act.c.action == "seen")),
        (
            custody_event,
            custody_event.c.at,
            and_(custody_event.c.asset == of.asset, custody_event.c.place.is_not(None)),
        ),
        (audit_stay, audit_stay.c.at, and_(audit_stay.c.asset == of.asset, audit_stay.c.what == "seen")),
        (presence, presence.c.closed_at, and_(presence.c.subject.in_(of.tags), presence.c.what != "depart")),
    ]
    newest = [0, *(_newest(of, table, time, where, at) or 0 for table, time, where in seen)]
    visit = select(travel.c.begin_at).where(travel.c.asset == of.asset, travel.c.what == "visit")
    begun = of.tx.scalar(visit.where(travel.c.begin_at <= at).order_by(travel.c.end_at.desc()).limit(1))
    return max(*newest, begun or 0)


def _newest(of: Of, table: Table, time: Column[int], where: ColumnElement[bool], at: int) -> int | None:
    return of.tx.scalar(select(time).select_from(table).where(where, time <= at).order_by(time.desc()).limit(1))


def _doors(of: Of, span: Span) -> Iterator[Sighting]:
    """In to the place inside of the door; out to the place outside, if that is a real one."""
    at = crossing.c
    rows = _rows(of, select(crossing).where(at.asset == of.asset, at.direction != "none"), at.last_at, span)
    for row in rows:
        device = of.register.get("devices", register_name(of.tx, row.device_id), row.last_at)
        door = device.door if isinstance(device, Device) else None
        place = None if door is None else door.inside if row.direction == "in" else _real(of, door.outside_out, row)
        where = None if place is None else f"location:{place}"
        sure, evidence = row.score >= SURE, tuple(json.loads(row.evidence))
        yield Sighting(row.last_at, "dock", f"crossing:{row.id}", "seen", where, evidence, sure)


def _real(of: Of, location: str, row: Row[Any]) -> str | None:
    body = of.register.get("locations", location, row.last_at)
    is_outside = location in VIRTUAL or not isinstance(body, Location) or body.is_virtual
    return None if is_outside else location


def _readers(of: Of, span: Span) -> Iterator[Sighting]:
    """Where readers of presence heard its tag, of the time in which it was on the asset; and where it is heard now."""
    if not of.tags:
        return
    for row in _rows(of, select(presence).where(presence.c.subject.in_(of.tags)), presence.c.closed_at, span):
        if asset_of(of.register, row.subject, row.closed_at) == of.asset:
            what, evidence = "left" if row.what == "depart" else "seen", tuple(json.loads(row.evidence))
            ident, place = f"presence:{row.id}", f"location:{row.place}"
            yield Sighting(row.closed_at, "presence", ident, what, place, evidence)  # type: ignore[arg-type]
    for row in states(of.tx, of.register, "presence", of.asset):
        now = msgspec.msgpack.decode(row.state, type=Presence | None)
        if now is not None and now.departed_at is None and asset_of(of.register, now.epc, now.last_at) == of.asset:
            place, evidence = f"location:{now.place}", (now.evidence,)
            yield Sighting(now.last_at, "presence", f"tag:{now.epc}", "still", place, evidence)


def _trackers(of: Of, span: Span) -> Iterable[Sighting]:
    """Stays in zones, with those that last."""
    since, until = span
    of_asset = (travel.c.asset == of.asset, travel.c.what == "visit")
    over = select(travel).where(*of_asset, travel.c.end_at >= since, travel.c.begin_at <= until)
    stays = [
        _stay(of, row, until, row.closed_at if places.was_left(of.tx, of.register, row) else None)
        for row in of.tx.execute(over)
    ]
    found: list[Sighting] = []
    for told in places.told(of.tx, of.register, [of.asset]):
        found.append(Sighting(told.state.last_at, "gps", f"tracker:{told.name}", "heard"))
        for each in track.close(told.state, None):
            if each.what == "visit" and each.begin_at <= until:
                stays.append(_stay(of, each, until, None, told.name))  # noqa: PERF401 - a generator would be as long
    return [*found, *of_stays(stays)]


def _stay(of: Of, row: Any, until: int, closed_at: int | None, device: str | None = None) -> Stay:  # noqa: ANN401
    """`row` is one of `travel`, or what goes on."""
    name = device or register_name(of.tx, row.device_id)
    params = tracking(of.register, name, row.begin_at)
    shape = None if params is None else params.fences.shapes.get(row.zone)
    evidence = json.loads(row.evidence) if isinstance(row.evidence, str) else row.evidence
    area = 0.0 if shape is None else shape.area_m2
    return Stay(row.zone, row.begin_at, min(row.end_at, until), closed_at, row.id, tuple(evidence), area)


def _scanners(of: Of, span: Span) -> Iterator[Sighting]:
    """Where its label was scanned."""
    mine = select(scan_act).where(scan_act.c.asset == of.asset, scan_act.c.action == "seen")
    for row in _rows(of, mine, scan_act.c.at, span):
        place = f"location:{row.location}"
        yield Sighting(row.at, "scan", f"scan:{row.id}", "seen", place, tuple(json.loads(row.evidence)))


def _people(of: Of, span: Span) -> Iterator[Sighting]:
    """Where it was given or brought back."""
    at = custody_event.c
    mine = select(custody_event).where(at.asset == of.asset, at.place.is_not(None))
    for row in _rows(of, mine, at.at, span):
        yield Sighting(row.at, "custody", f"custody:{row.id}", "seen", row.place, tuple(json.loads(row.evidence)))


def _audits(of: Of, span: Span) -> Iterator[Sighting]:
    """Where approved audits found or missed it."""
    mine = select(audit_stay).where(audit_stay.c.asset == of.asset)
    for row in _rows(of, mine, audit_stay.c.at, span):
        evidence = tuple(json.loads(row.evidence))
        yield Sighting(row.at, "sweep", f"audit:{row.audit_id}", row.what, row.place, evidence)


def _rows(of: Of, query: Select[Any], time: Column[int], span: Span) -> Iterable[Row[Any]]:
    return of.tx.execute(query.where(time.between(*span)).order_by(time))


SOURCES: tuple[Callable[[Of, Span], Iterable[Sighting]], ...] = (
    _doors,
    _readers,
    _trackers,
    _scanners,
    _people,
    _audits,
)
