"""Custody that is overdue, and transfers that are late or have arrived."""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, select

from backend.book import alerts, bookings, custody, relocations
from backend.book.schema_custody import asset_booking, asset_holder, asset_transfer
from backend.book.work_log import Stamp
from backend.plan.news import name_of
from backend.plan.rule import ACTOR, SECOND_US, Rule, View
from models.alert import Alert
from models.assets.booking import EARLY_US, Booking, Progress, Transfer, progress
from models.assets.custody import Holder
from models.reading import from_micros
from models.register import Register

QUARTER_US = 900 * SECOND_US


class Held(Struct, frozen=True):
    """Who has an asset, and who has booked it and waits."""

    asset: str
    name: str
    held: Holder | None
    waiting: Booking | None


def load_held(view: View, assets: Sequence[str]) -> list[tuple[str, Held]]:
    """Of each of these assets."""
    held = custody.holders(view.tx, assets)
    found: list[tuple[str, Held]] = []
    for asset in assets:
        mine = held.get(asset)
        begun = [each for each in bookings.open_of(view.tx, asset) if each.begin_at <= view.now < each.end_at]
        waiting = next((each for each in begun if mine is not None and each.holder != mine.holder), None)
        found.append((f"asset:{asset}", Held(asset, name_of(view, asset), mine, waiting)))
    return found


def overdue(facts: Held, now: int) -> Alert | None:
    """It is not back in time, or somebody has booked it who has not got it."""
    held = facts.held
    if held is None:
        return None
    is_late = held.due_at is not None and held.due_at < now
    if not is_late and facts.waiting is None:
        return None
    if facts.waiting is not None:
        why = f"{facts.waiting.holder} has booked it"
    else:
        why = f"it was due back {from_micros(held.due_at or now):%Y-%m-%d %H:%M}"
    detail = {
        "asset": facts.asset,
        "holder": held.holder,
        "since": from_micros(held.since).isoformat(),
        "due_at": None if held.due_at is None else from_micros(held.due_at).isoformat(),
        "booking": None if facts.waiting is None else facts.waiting.id,
    }
    title = f"{held.holder} still has {facts.name}: {why}"
    return Alert("custody_overdue", f"asset:{facts.asset}", "warning", title, json.dumps(detail))


def _all_held(view: View) -> list[str]:
    booked = select(asset_booking.c.asset).where(asset_booking.c.state == "open", asset_booking.c.begin_at <= view.now)
    late = select(asset_holder.c.asset).where(asset_holder.c.due_at < view.now)
    return sorted({*view.tx.scalars(late), *view.tx.scalars(booked)})


class Way(Struct, frozen=True):
    """A transfer, and how far it has come, if it is open."""

    order: Transfer
    name: str
    gone: Progress | None


def load_ways(view: View, assets: Sequence[str]) -> list[tuple[str, Way]]:
    """Every open transfer of these assets, and those that are over and were late."""
    told = [subject.partition(":")[2] for subject in alerts.open_subjects(view.tx, "transfer_late")]
    over = select(asset_transfer).where(asset_transfer.c.id.in_(told), asset_transfer.c.state != "open")
    rows = view.tx.execute(over.where(asset_transfer.c.asset.in_(assets)))
    done = [Way(bookings.transfer_of(row), "", None) for row in rows]
    ways = [_way(view, order) for asset in assets for order in bookings.open_transfers(view.tx, asset)]
    return [(f"transfer:{each.order.id}", each) for each in (*ways, *done)]


def _way(view: View, order: Transfer) -> Way:
    return Way(order, name_of(view, order.asset), way_of(view.tx, view.register, order, view.now))


def way_of(tx: Connection, register: Register, order: Transfer, until: int) -> Progress:
    """How far a transfer had come by a time."""
    moved = relocations.moved_until(tx, register, order.asset, (order.begin_at - EARLY_US, until))
    source = set[str]() if order.source is None else relocations.places_of(register, order.source, until)
    return progress(order, moved, source, relocations.places_of(register, order.target, until))


def note_arrival(view: View, facts: Way) -> None:
    """It was seen at its target: the transfer is done."""
    if facts.gone is not None and facts.gone.arrived_at is not None:
        bookings.arrived(view.tx, facts.order.id, facts.gone.arrived_at, Stamp(ACTOR, view.now))


def late(facts: Way, now: int) -> Alert | None:
    """Its time is over, and it was not seen at its target."""
    order, gone = facts.order, facts.gone
    if gone is None or gone.arrived_at is not None or now <= order.end_at:
        return None
    has_left = "it has left" if gone.departed_at is not None else "it was not seen to leave"
    title = f"{facts.name} has not arrived at {order.target}: {has_left}"
    detail = {
        "asset": order.asset,
        "transfer": order.id,
        "target": order.target,
        "end": from_micros(order.end_at).isoformat(),
        "departed_at": None if gone.departed_at is None else from_micros(gone.departed_at).isoformat(),
    }
    return Alert("transfer_late", f"transfer:{order.id}", "warning", title, json.dumps(detail))


def _all_transfers(view: View) -> list[str]:
    mine = select(asset_transfer.c.asset).where(asset_transfer.c.state == "open", asset_transfer.c.end_at < view.now)
    return sorted({*view.tx.scalars(mine)})


OVERDUE = Rule("custody_overdue", "asset", load_held, overdue, everything=_all_held, every_us=QUARTER_US)
TRANSFER_LATE = Rule(
    "transfer_late", "asset", load_ways, late, everything=_all_transfers, every_us=QUARTER_US, settle=note_arrival
)
