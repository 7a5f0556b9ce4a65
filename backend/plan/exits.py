"""Exits of assets, as soon as they are known: from passes that go on at doors, crossings, and zones that keep."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import select

from backend.asset_tags import asset_of, states
from backend.book import alerts, places, relocations, schema
from backend.dock_step import DOCK, portal_of
from backend.dock_verdict import is_broken
from backend.plan.news import heard, name_of, told_at
from backend.plan.permits import must_be_held, permit
from backend.plan.rule import ACTOR, Rule, View
from backend.plan.tags import received_at
from backend.registers import register_name
from backend.step import Key
from models.assets.leaving import NAME, Exit, Going, unauthorised
from models.declared import Device, Door, Location, Zone
from models.dock.leaving import leaving
from models.place import VIRTUAL
from models.register import Register

BY_PEOPLE = frozenset({"scan", "sweep", "custody", "dock"})
"""Sources that bring an asset back wherever they see it; others only where it had left from."""


def load(view: View, assets: Sequence[str]) -> list[tuple[str, Going]]:
    """The newest exit of each of these assets, and what speaks for it; of others with an alert that none is known."""
    standing = {*alerts.open_subjects(view.tx, NAME)}
    found: list[tuple[str, Going]] = []
    for asset in assets:
        subject = f"asset:{asset}"
        went = _newest(view, asset)
        if went is not None:
            found.append((subject, _going(view, went, is_standing=subject in standing)))
        elif subject in standing:
            found.append((subject, Going(None)))
    return found


def _newest(view: View, asset: str) -> Exit | None:
    exits = [*_left_zone(view, asset)]
    if must_be_held(view.register, asset, view.now):
        exits += [*_crossed(view, asset), *_passing(view, asset)]
    return max(exits, key=lambda each: (each.at, each.id), default=None)


def _going(view: View, went: Exit, *, is_standing: bool) -> Going:
    why = permit(view.tx, view.register, went.asset, (went.at, view.now))
    if why is not None:
        return Going(went, why)
    is_answered = _is_answered(view, went)
    return Going(went, None, _is_back(view, went), is_standing, is_answered)


def _passing(view: View, asset: str) -> Iterator[Exit]:
    """A pass that goes on, and is going out as far as it has come."""
    for row in states(view.tx, view.register, DOCK.name, asset):
        state = DOCK.decode(bytes(row.state)) if row.due_at is not None else None
        if state is None or asset_of(view.register, row.subject, state.last_at) != asset:
            continue
        device = register_name(view.tx, row.device_id)
        door = _door(view, device, state.last_at)
        portal = portal_of(view.register, Key(row.device_id, device, row.subject), state.last_at)
        verdict = None if portal is None or door is None else leaving(portal, state)
        span = (state.first_at, state.last_at)
        if verdict is not None and door is not None and _is_through(view, row.device_id, door, span):
            yield Exit(
                asset=asset,
                name=name_of(view, asset),
                at=state.last_at,
                begin_at=state.first_at,
                received_at=row.received_at,
                door=device,
                called=device,
                id=f"tag:{row.subject}",
                evidence=state.head + state.tail,
                reasons=verdict.reasons,
                goes_on=True,
            )


def _is_through(view: View, device_id: int, door: Door, span: tuple[int, int]) -> bool:
    """Whether the door's photo-eye, if it has one, saw anything go through."""
    return door.photo_eye is None or is_broken(view.tx, (device_id, door.photo_eye), span)


def _crossed(view: View, asset: str) -> Iterator[Exit]:
    """Its last crossing, if that went out of a door to where nobody keeps it."""
    at = schema.crossing.c
    rows = select(schema.crossing).where(at.asset == asset, at.direction != "none")
    row = view.tx.execute(rows.order_by(at.closed_at.desc(), at.n.desc()).limit(1)).one_or_none()
    if row is None or row.direction != "out":
        return
    device = register_name(view.tx, row.device_id)
    if _door(view, device, row.last_at) is not None:
        yield Exit(
            asset=asset,
            name=name_of(view, asset),
            at=row.last_at,
            begin_at=row.first_at,
            received_at=received_at(view, row),
            door=device,
            called=device,
            id=f"crossing:{row.id}",
            evidence=json.loads(row.evidence),
            reasons=json.loads(row.reasons),
        )


def _door(view: View, device: str, at: int) -> Door | None:
    """The door at a time, if what goes out of it is gone: out to another real place is no exit."""
    body = view.register.get("devices", device, at)
    door = body.door if isinstance(body, Device) else None
    outside = None if door is None else view.register.get("locations", door.outside_out, at)
    is_real = isinstance(outside, Location) and not outside.is_virtual
    return None if door is None or (is_real and door.outside_out not in VIRTUAL) else door


def _left_zone(view: View, asset: str) -> Iterator[Exit]:
    """The last visit of a zone that keeps what is in it, if the asset has left it since."""
    keeping = _keeping(view.register, view.register.period(view.now))
    at = schema.travel.c
    rows = select(schema.travel).where(at.asset == asset, at.what == "visit", at.zone.in_(keeping))
    row = None if not keeping else view.tx.execute(rows.order_by(at.end_at.desc()).limit(1)).one_or_none()
    if row is not None and places.was_left(view.tx, view.register, row):
        _, came_at = heard(view, row.device_id, row.closed_at, "fix", "input")
        yield Exit(
            asset=asset,
            name=name_of(view, asset),
            at=row.closed_at,
            begin_at=row.end_at,
            received_at=came_at,
            door=f"zone:{row.zone}",
            called=keeping[row.zone].name,
            id=f"visit:{row.id}",
            evidence=json.loads(row.evidence),
            reasons=[f"its tracker was clearly outside of {keeping[row.zone].name}"],
        )


@lru_cache(maxsize=8)
def _keeping(register: Register, at: int) -> dict[str, Zone]:
    zones = register.all("zones", at).items()
    return {ident: body for ident, body in zones if isinstance(body, Zone) and body.keeps}


def _is_back(view: View, went: Exit) -> bool:
    """Whether it was seen where it had left, or a person or a door has it elsewhere, since."""
    kind, _, zone = went.door.partition(":")
    if kind == "zone":
        stays = places.visits(view.tx, view.register, went.asset, (went.at, view.now), view.now)
        if any(stay.zone == zone and stay.begin_at > went.at for stay in stays):
            return True
    place = relocations.place_of(view.tx, view.register, went.asset, view.now)
    if place is None or place.place is None or place.seen_at <= went.at:
        return False
    return place.source in BY_PEOPLE or place.place in _left_from(view, went)


def _left_from(view: View, went: Exit) -> set[str]:
    door = _door(view, went.door, went.at)
    return set() if door is None else relocations.places_of(view.register, f"location:{door.inside}", went.at)


def _is_answered(view: View, went: Exit) -> bool:
    """Whether a person has closed the last alert, and that told this exit."""
    at, step = schema.alert.c, schema.alert_event.c
    last = select(at.id, at.state, at.detail).where(at.rule == NAME, at.subject == f"asset:{went.asset}")
    row = view.tx.execute(last.order_by(at.n.desc()).limit(1)).one_or_none()
    if row is None or row.state != "closed" or told_at(row.detail) < went.begin_at:
        return False
    closed = select(step.actor).where(step.alert_id == row.id, step.what == "closed").order_by(step.n.desc())
    return view.tx.scalar(closed.limit(1)) != ACTOR


EXIT = Rule(NAME, "asset", load, unauthorised, is_urgent=True)
