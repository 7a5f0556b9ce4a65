"""Histories of assets from the telemetry store: whichever trackers were on them, each while it was."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, func, literal_column, select

from backend.book.risks import Repair
from backend.hours_step import tracker_of
from backend.identities import devices_of
from backend.telemetry.schema import point, series
from models.predict.history import BIN_US, METER, UNITS, History, collect
from models.register import Register


@dataclass(frozen=True, slots=True)
class Mounted:
    """A tracker while it was on an asset: from `since` to before `until`, microseconds."""

    device: str
    since: int
    until: int


def mounted(register: Register, asset: str, until: int) -> list[Mounted]:
    """The trackers of an asset up to a time."""
    found: list[Mounted] = []
    for device in devices_of(register).get(asset, ()):
        changes = [at for at in register.changes("devices", device) if at < until]
        for since, end in zip(changes, [*changes[1:], until], strict=True):
            tracker = tracker_of(register, device, since)
            if tracker is not None and tracker.asset == asset:
                found.append(Mounted(device, since, end))
    return found


def history(
    telemetry: Connection, trackers: Sequence[Mounted], repairs: Sequence[Repair], signals_since: int = 0
) -> History:
    """What the store has of an asset: its signals since a time, its meter since the last repair or that time.

    `signals_since` 0 is everything, its meter too.
    """
    repaired = [each.at for each in repairs]
    meter_since = max([0, *repaired]) // BIN_US * BIN_US if signals_since else 0
    times: defaultdict[str, list[int]] = defaultdict(list)
    values: defaultdict[str, list[float]] = defaultdict(list)
    for tracker in trackers:
        for name, ident in _series(telemetry, tracker.device):
            since = meter_since if name == METER else signals_since
            for at, value in _first(telemetry, ident, max(since, tracker.since), tracker.until):
                times[name].append(at)
                values[name].append(value)
    return collect({name: (times[name], values[name]) for name in times}, repaired)


def _series(telemetry: Connection, device: str) -> Iterator[tuple[str, int]]:
    rows = select(series.c.name, series.c.unit, series.c.id).where(series.c.device == device)
    for name, unit, ident in telemetry.execute(rows.order_by(series.c.id)):
        if UNITS.get(name) == unit:
            yield name, ident


def _first(telemetry: Connection, ident: int, since: int, until: int) -> list[tuple[int, float]]:
    """The first point of each twenty minutes; of several at that time the least, as `collect` takes them."""
    within = (point.c.series == ident, point.c.at >= since, point.c.at < until)
    bins = point.c.at // literal_column(str(BIN_US), BigInteger)
    first = select(func.min(point.c.at)).where(*within).group_by(bins)
    rows = select(point.c.at, func.min(point.c.value)).where(point.c.series == ident, point.c.at.in_(first))
    return [(at, value) for at, value in telemetry.execute(rows.group_by(point.c.at))]
