"""How much an asset was used between two moments: the stretches of use in the book, and what is still open."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, func, or_, select

from backend.book import places
from backend.book.schema import device, fold_state, gateway, run
from backend.hours_step import HOURS, metering, moved_at, tracker_of
from backend.identities import devices_of
from backend.registers import register_id
from models.declared import Device, Tracker
from models.motion.meter import (
    ENGINE_HOURS,
    ODOMETER,
    RUNTIME,
    TRACKER_ODOMETER,
    Bounds,
    Metered,
    Usage,
    clipped,
    open_usage,
)
from models.register import Register
from models.wire import is_global

DISTANCE = "distance"
"""By GPS; the other meters are of models.motion.meter."""
ODOMETERS = (ODOMETER, TRACKER_ODOMETER, DISTANCE)
"""What counts an asset's kilometres, the best first: the machine, its tracker, the fixes."""


def hours_meter(register: Register, asset: str, at: int) -> str:
    """The meter that an asset's hours are from: `engine_hours` if its tracker says so, else `runtime`."""
    tracker = next((body for _, body in trackers(register, at) if body.asset == asset), None)
    return ENGINE_HOURS if tracker is not None and tracker.hours_from == ENGINE_HOURS else RUNTIME


def trackers(register: Register, at: int) -> Iterator[tuple[str, Tracker]]:
    """Every tracker that is mounted at a time, by its device's id in the register."""
    for ident, body in register.all("devices", at).items():
        if isinstance(body, Device) and body.tracker is not None:
            yield ident, body.tracker


def used(tx: Connection, register: Register, asset: str, meter: str, span: tuple[int, int]) -> Bounds | None:
    """What a meter of an asset counted in a span (since, until) of microseconds; None if it was never heard.

    Milliseconds, or millimetres for odometer and distance. Hours that nobody observed are in `most` only.
    """
    since, until = span
    if meter == DISTANCE:
        driven = places.driven(tx, register, asset, span)
        return None if driven is None else Bounds(driven, driven)
    whole = _whole(tx, asset, meter, since, until)
    tails = [each for each in open_of(tx, register, asset, until) if each.meter == meter]
    parts = [*_cut(tx, asset, meter, since, until), *tails]
    if whole is None and not parts and not _heard(tx, register, asset, meter):
        return None
    shares = [clipped(each, since, until) for each in parts]
    sums = whole or (0, 0)
    return Bounds(sums[0] + sum(each.least for each in shares), sums[1] + sum(each.most for each in shares))


def odometers(tx: Connection, register: Register, asset: str, span: tuple[int, int]) -> dict[str, Bounds]:
    """Millimetres in a span by each odometer of an asset that was ever heard, the best first: see ODOMETERS.

    They are to be compared over a span in which all of them were heard: one that begins later has counted less.
    """
    counted = {meter: used(tx, register, asset, meter, span) for meter in ODOMETERS}
    return {meter: bounds for meter, bounds in counted.items() if bounds is not None}


def _whole(tx: Connection, asset: str, meter: str, since: int, until: int) -> tuple[int, int] | None:
    """The sums over rows that lie within."""
    within = (run.c.asset == asset, run.c.meter == meter, run.c.end_at <= until, run.c.begin_at >= since)
    rows, least, most = tx.execute(
        select(func.count(), func.sum(run.c.least), func.sum(run.c.most)).where(*within)
    ).one()
    return (least, most) if rows else None


def _cut(tx: Connection, asset: str, meter: str, since: int, until: int) -> list[Usage]:
    """Rows that reach over one end or both."""
    over = (run.c.asset == asset, run.c.meter == meter, run.c.end_at > since, run.c.begin_at < until)
    outside = or_(run.c.begin_at < since, run.c.end_at > until)
    return [_usage(row) for row in tx.execute(select(run).where(*over, outside))]


def rows_of(tx: Connection, asset: str, since: int, until: int) -> list[Usage]:
    """Every stretch of use, of all meters, that reaches into a window; by meter and time."""
    over = (run.c.asset == asset, run.c.end_at > since, run.c.begin_at < until)
    return [_usage(row) for row in tx.execute(select(run).where(*over).order_by(run.c.meter, run.c.begin_at))]


def _usage(row: Any) -> Usage:  # noqa: ANN401 - a row of `run`
    span = (row.begin_at, row.end_at, row.closed_at)
    return Usage(row.id, row.asset, row.meter, *span, row.least, row.most, msgspec.json.decode(row.evidence), row.why)


def open_of(tx: Connection, register: Register, asset: str, now: int) -> list[Usage]:
    """What is open of an asset, on whichever tracker it was heard last: up to `now`, or until that went elsewhere."""
    found: list[Usage] = []
    for name, state in states(tx, register, asset):
        tracker = tracker_of(register, name, state.last_at)
        if tracker is not None:
            gone = moved_at(register, name, state.last_at)
            found += open_usage(metering(tracker, gone), state, now if gone is None else min(now, gone))
    return found


def states(tx: Connection, register: Register, asset: str | None = None) -> list[tuple[str, Metered]]:
    """What trackers stand at that were last heard on this asset, or on any, by their ids in the register."""
    query = (
        select(device.c.name, gateway.c.name, fold_state.c.state)
        .join(device, device.c.id == fold_state.c.device_id)
        .outerjoin(gateway, gateway.c.id == device.c.gateway_id)
        .where(fold_state.c.step == HOURS.name)
    )
    names = devices_of(register).get(asset, []) if asset is not None else None
    if names is not None:
        query = query.where(device.c.name.in_([name if is_global(name) else name.partition("/")[2] for name in names]))
    found: list[tuple[str, Metered]] = []
    for name, owner, encoded in tx.execute(query):
        state, ident = HOURS.decode(bytes(encoded)), register_id(owner, name)
        if state is not None and (names is None or (ident in names and state.asset == asset)):
            found.append((ident, state))
    return found


def _heard(tx: Connection, register: Register, asset: str, meter: str) -> bool:
    """Whether a meter was ever heard, though it counted nothing."""
    for _, state in states(tx, register, asset):
        if (meter == RUNTIME and state.engine is not None) or meter in state.counters or meter in state.work:
            return True
    return tx.execute(select(run.c.n).where(run.c.asset == asset, run.c.meter == meter).limit(1)).first() is not None
