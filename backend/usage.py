"""How much an asset was used between two moments: the stretches of use in the book, and what is still open.

Where no tracker was on it, that is what people read off its meters, or counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, and_, bindparam, case, func, select

from backend import registers
from backend.book import meter_notes, places
from backend.book.schema import Big, run
from backend.hours_step import HOURS, all_mounts, moved_at, noted_metering, tracker_of
from backend.identities import devices_of
from models.assets.duty import Contact
from models.declared import Device, Tracker
from models.motion.meter import (
    COUNTERS,
    ENGINE_HOURS,
    HOIST,
    ODOMETER,
    RUNTIME,
    TRACKER_ODOMETER,
    WORK,
    Bounds,
    Metered,
    Usage,
    by_notes,
    clipped,
    open_usage,
)
from models.motion.noted import Note
from models.register import Register

DISTANCE = "distance"
"""By GPS; the other meters are of models.motion.meter."""
METERS = (RUNTIME, *WORK, *COUNTERS)
"""Of which the book has stretches of use."""
NAMED = {"hours": ENGINE_HOURS, "km": ODOMETER}
"""What people call a meter that they read themselves."""
ODOMETERS = (ODOMETER, TRACKER_ODOMETER, DISTANCE)
"""What counts an asset's kilometres, the best first: the machine, its tracker, the fixes."""
_SINCE, _UNTIL = bindparam("since", type_=Big), bindparam("until", type_=Big)
_OF_ASSET = run.c.asset == bindparam("asset")
_OF_METER = (_OF_ASSET, run.c.meter == bindparam("meter"))
_OVER = (run.c.end_at > _SINCE, run.c.begin_at < _UNTIL)
_COUNTED = (
    select(func.min(run.c.begin_at), func.max(run.c.end_at), func.sum(run.c.least), func.sum(run.c.most))
    .where(*_OF_METER, run.c.end_at > _SINCE, run.c.begin_at <= _UNTIL)
    .group_by(case((and_(run.c.begin_at >= _SINCE, run.c.end_at <= _UNTIL), 0), else_=run.c.n))
)
_ROWS = (
    select(run)
    .where(_OF_ASSET, run.c.meter.in_(bindparam("meters", expanding=True)), *_OVER)
    .order_by(run.c.meter, run.c.begin_at)
)
_noted_by: WeakKeyDictionary[Register, frozenset[tuple[str, str]]] = WeakKeyDictionary()
_ANY = select(run.c.n).where(*_OF_METER).limit(1)


def hours_meter(register: Register, asset: str, at: int) -> str:
    """The meter that an asset's hours are from: `engine_hours` if its tracker says so, else `runtime`."""
    known = (tracker_of(register, device, at) for device in devices_of(register).get(asset, ()))
    tracker = next((each for each in known if each is not None and each.asset == asset), None)
    return ENGINE_HOURS if tracker is not None and tracker.hours_from == ENGINE_HOURS else RUNTIME


def trackers(register: Register, at: int) -> Iterator[tuple[str, Tracker]]:
    """Every tracker that is mounted at a time, by its device's id in the register."""
    for ident, body in register.all("devices", at).items():
        if isinstance(body, Device) and body.tracker is not None:
            yield ident, body.tracker


def used(tx: Connection, register: Register, asset: str, meter: str, span: tuple[int, int]) -> Bounds | None:
    """What a meter of an asset counted in a span (since, until) of microseconds; None if nothing was ever heard of it.

    `meter` is one of METERS, `distance`, or `hours` or `km`: whichever of them the asset has. Milliseconds; millimetres
    for odometers and distance; thousandths of a start or cycle. Hours that nobody observed are in `most` only.
    """
    return used_beside(tx, register, [] if meter == DISTANCE else states(tx, register, asset), (asset, meter), span)


def meters_of(register: Register, asset: str, meter: str, at: int) -> Sequence[str]:
    """What `hours` and `km` are of an asset at a time, the best first; any other meter is what it is called."""
    if meter == "hours":
        return (hours_meter(register, asset, at),)
    return ODOMETERS if meter == "km" else (meter,)


def used_beside(
    tx: Connection, register: Register, stand: Sequence[tuple[str, Metered]], of: tuple[str, str], span: tuple[int, int]
) -> Bounds | None:
    """The same of (asset, meter), by whom its `states` are known."""
    asset = of[0]
    for meter in meters_of(register, asset, of[1], span[1]):
        if (counted := _used(tx, register, stand, (asset, meter), span)) is not None:
            return counted
    return None


def _used(
    tx: Connection, register: Register, stand: Sequence[tuple[str, Metered]], of: tuple[str, str], span: tuple[int, int]
) -> Bounds | None:
    (asset, meter), (since, until) = of, span
    if meter == DISTANCE:
        driven = places.driven(tx, register, asset, span)
        return None if driven is None else Bounds(driven, driven)
    tails = [each for each in open_in(register, stand, until) if each.meter == meter]
    read = read_off(tx, register, asset, meter)
    parts = [*_counted(tx, asset, meter, since, until), *tails, *(read or ())]
    if read is None and not parts and not _heard(tx, stand, asset, meter):
        return None
    shares = [clipped(each, since, until) for each in parts]
    return Bounds(sum(each.least for each in shares), sum(each.most for each in shares))


def read_off(tx: Connection, register: Register, asset: str, meter: str) -> list[Usage] | None:
    """What people read off a meter, or counted, while no tracker was on the asset; None where they never did.

    Of `runtime` it is the machine's own hour meter that they read.
    """
    name = ENGINE_HOURS if meter == RUNTIME else meter
    if (asset, name) not in noted(tx, register):
        return None
    notes = meter_notes.standing(tx, asset, name)
    apart: dict[int, list[Note]] = {}
    spans = all_mounts(register, asset)
    for note in notes:
        if not any(begin <= note.at < end for begin, end in spans):
            apart.setdefault(sum(end <= note.at for _, end in spans), []).append(note)
    rows = [row for each in apart.values() for row in by_notes(asset, name, each)]
    return [replace(row, meter=meter) for row in rows] if apart else None


def noted(tx: Connection, register: Register) -> frozenset[tuple[str, str]]:
    """(asset, meter) of what was ever noted; asked once for each state of the register, which every note changes."""
    if (found := _noted_by.get(register)) is None:
        found = _noted_by[register] = meter_notes.noted_meters(tx)
    return found


def odometers(tx: Connection, register: Register, asset: str, span: tuple[int, int]) -> dict[str, Bounds]:
    """Millimetres in a span by each odometer of an asset that was ever heard, the best first: see ODOMETERS.

    They are to be compared over a span in which all of them were heard: one that begins later has counted less.
    """
    counted = {meter: used(tx, register, asset, meter, span) for meter in ODOMETERS}
    return {meter: bounds for meter, bounds in counted.items() if bounds is not None}


def _counted(tx: Connection, asset: str, meter: str, since: int, until: int) -> list[Usage]:
    """What the book has of a span, without evidence: all rows that lie within as one, and each that reaches out."""
    over = {"asset": asset, "meter": meter, "since": since, "until": until}
    return [
        Usage("", asset, meter, begin_at, end_at, end_at, int(least), int(most), [])
        for begin_at, end_at, least, most in tx.execute(_COUNTED, over)
    ]


def rows_of(tx: Connection, asset: str, since: int, until: int, meters: Sequence[str] = METERS) -> list[Usage]:
    """Every stretch of use, of these meters, that reaches into a window; by meter and time."""
    over = {"asset": asset, "meters": meters, "since": since, "until": until}
    return [_usage(row) for row in tx.execute(_ROWS, over)]


def _usage(row: Any) -> Usage:  # noqa: ANN401 - a row of `run`
    span = (row.begin_at, row.end_at, row.closed_at)
    return Usage(row.id, row.asset, row.meter, *span, row.least, row.most, msgspec.json.decode(row.evidence), row.why)


def open_of(tx: Connection, register: Register, asset: str, now: int) -> list[Usage]:
    """What is open of an asset, on whichever tracker it was heard last: up to `now`, or until that went elsewhere."""
    return open_in(register, states(tx, register, asset), now)


def open_in(register: Register, stand: Iterable[tuple[str, Metered]], now: int) -> list[Usage]:
    """The same of what trackers stand at."""
    found: list[Usage] = []
    for name, state in stand:
        tracker = tracker_of(register, name, state.last_at)
        if tracker is not None:
            gone = moved_at(register, name, state.last_at)
            params = noted_metering(register, name, tracker, state.last_at)
            found += open_usage(params, state, now if gone is None else min(now, gone))
    return found


def states(tx: Connection, register: Register, asset: str | None = None) -> list[tuple[str, Metered]]:
    """What trackers stand at that were last heard on this asset, or on any, by their ids in the register."""
    names = None if asset is None else devices_of(register).get(asset, [])
    told = ((name, HOURS.decode(encoded)) for name, _, encoded in registers.states(tx, HOURS.name, names))
    return [(name, state) for name, state in told if state is not None and asset in {None, state.asset}]


def hoist_contact(state: Metered) -> Contact | None:
    """How a hoist stands by what a tracker was heard to say last; None: it says nothing of a hoist."""
    hoist, engine = state.work.get(HOIST), state.engine
    if hoist is None:
        return None
    off_since = engine.since if engine is not None and not engine.on else None
    return Contact(hoist.on, hoist.since, hoist.last_at, off_since)


def _heard(tx: Connection, stand: Iterable[tuple[str, Metered]], asset: str, meter: str) -> bool:
    """Whether a meter was ever heard, though it counted nothing."""
    for _, state in stand:
        if (meter == RUNTIME and state.engine is not None) or meter in state.counters or meter in state.work:
            return True
    return tx.execute(_ANY, {"asset": asset, "meter": meter}).first() is not None
