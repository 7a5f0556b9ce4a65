"""The days of an asset: what it did from midnight to midnight of a time zone, and what says so."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from backend import usage
from backend.api import items_fleet as items
from backend.api.queries.fleet import amount
from backend.book import places, schema
from backend.hours_step import metering, mounts, tracker_of
from backend.identities import devices_of
from models import wire
from models.motion import day
from models.motion.day import CELLS, MOVING, OFF, TRANSPORTED, Cell, Stretch
from models.motion.gain import UNOBSERVED
from models.motion.meter import RUNTIME, WORK, Metered, Usage
from models.reading import Input, from_micros
from models.register import Register
from models.units import quantity_text
from models.wire import is_global

MOST_CELL_DAYS = 62
"""Days whose cells are told at once."""
MOST_INPUTS = 1000
"""How many are looked through for the first of an engine."""
Span = tuple[int, int]
WHAT = {"trip": MOVING, "transported": TRANSPORTED}
RUNS = (RUNTIME, *WORK)
"""The meters that say when; counters do not."""


def days(tx: Connection, register: Register, asset: str, span: Span, of: tuple[str, int]) -> list[items.Day]:
    """The local days that a span reaches into, up to now; `of` is the time zone and now. Raises Refused."""
    tz, now = of
    bounds = [*_local(span, tz, now)]
    if not bounds:
        return []
    known, behind = stretches(tx, register, asset, (bounds[0][1], min(now, bounds[-1][2])))
    beside = _Beside(known, behind)
    return [_day(name, (begin, min(end, now)), (tz, now), known, beside) for name, begin, end in bounds]


def stretches(tx: Connection, register: Register, asset: str, span: Span) -> tuple[list[Stretch], dict[str, list[str]]]:
    """Everything that is known of what an asset did in a span that is over; and the readings behind each row of it."""
    behind: dict[str, list[str]] = {}
    stand = usage.states(tx, register, asset)
    used = usage.rows_of(tx, asset, *span, RUNS) + usage.open_in(register, stand, span[1])
    known = [*_used(register, used, behind), *_moved(tx, register, asset, span, behind)]
    seen = _seen(tx, register, (asset, dict(stand)), span)
    known += [Stretch(*each, UNOBSERVED, ()) for each in _unseen(seen, span)]
    return known, behind


def _local(span: Span, tz: str, now: int) -> Iterator[tuple[date, int, int]]:
    since, until = span[0], min(span[1], now)
    day.local_day(from_micros(since).date(), tz)  # refuses what is no time zone
    name = from_micros(since).astimezone(ZoneInfo(tz)).date()
    while (bounds := day.local_day(name, tz))[0] < until:
        yield name, *bounds
        name += timedelta(days=1)


def _used(register: Register, rows: Iterable[Usage], behind: dict[str, list[str]]) -> Iterator[Stretch]:
    for row in rows:
        made = day.stretch_of(row, _version(register, row.asset, row.begin_at))
        if made is not None:
            behind[row.id] = row.evidence
            yield made


def _moved(
    tx: Connection, register: Register, asset: str, span: Span, behind: dict[str, list[str]]
) -> Iterator[Stretch]:
    for row in places.journeys(tx, register, asset, span, span[1], *WHAT):
        behind[row.id] = row.evidence
        yield Stretch(row.begin_at, row.end_at, WHAT[row.what], (row.id,), row.version)


def _version(register: Register, asset: str, at: int) -> int | None:
    """From when the entry holds of the tracker that is on an asset at a time."""
    for device in devices_of(register).get(asset, ()):
        tracker = tracker_of(register, device, at)
        if tracker is not None and tracker.asset == asset:
            return max(since for since in register.changes("devices", device) if since <= at)
    return None


def _unseen(seen: Iterable[Span], span: Span) -> Iterator[Span]:
    """When no tracker was on it, or none had said yet whether its engine runs."""
    at = span[0]
    for begin, end in sorted(seen):
        if at < begin:
            yield at, begin
        at = max(at, end)
    if at < span[1]:
        yield at, span[1]


def _seen(tx: Connection, register: Register, of: tuple[str, dict[str, Metered]], span: Span) -> Iterator[Span]:
    """When a tracker was on it that had said whether its engine runs; `of`: the asset, and what trackers stand at."""
    asset, states = of
    for device in devices_of(register).get(asset, ()):
        for begin, end in mounts(register, device, asset):
            until = min(end, span[1])
            if begin >= until or end <= span[0]:
                continue
            state = states.get(device)
            if state is not None and begin <= state.last_at < end:
                said = None if state.engine is None else state.engine.heard_from
            else:
                said = _said(tx, register, device, (begin, end))
            if said is not None and said < until:
                yield max(begin, said), until


def _said(tx: Connection, register: Register, device: str, span: Span) -> int | None:
    """When a tracker that went elsewhere since had first said whether the engine runs: no state says it any more."""
    owner, _, name = ("", "", device) if is_global(device) else device.partition("/")
    ids = select(schema.device.c.id).outerjoin(schema.gateway, schema.gateway.c.id == schema.device.c.gateway_id)
    ids = ids.where(schema.device.c.name == name, func.coalesce(schema.gateway.c.name, "") == owner)
    table = schema.journal.c
    mine = (table.device_id.in_(ids), table.kind == "input", table.at >= span[0], table.at < span[1])
    for row in tx.execute(select(table.at, table.body).where(*mine).order_by(table.at).limit(MOST_INPUTS)):
        reading, tracker = wire.decode(row.body), tracker_of(register, device, row.at)
        if isinstance(reading, Input) and tracker is not None and reading.name == metering(tracker).runs_by:
            return int(row.at)
    return None


class _Beside:
    """The readings behind cells: that it was off, say the last one before and the first one after."""

    def __init__(self, known: Iterable[Stretch], behind: dict[str, list[str]]) -> None:
        self._behind = behind
        said = [each for each in known if each.evidence]
        self._by_begin = sorted(said, key=lambda each: each.begin_at)
        self._by_end = sorted(said, key=lambda each: each.end_at)

    def evidence(self, cell: Cell) -> list[str]:
        """The first and the last of them, by content hash."""
        hashes = [each for row in cell.evidence for each in self._behind.get(row, ())]
        if cell.what == OFF:
            before = bisect_right(self._by_end, cell.begin_at, key=lambda each: each.end_at) - 1
            after = bisect_left(self._by_begin, cell.end_at, key=lambda each: each.begin_at)
            hashes = self._of(self._by_end[before : before + 1], -1) if before >= 0 else []
            hashes += self._of(self._by_begin[after : after + 1], 0)
        return list(dict.fromkeys([hashes[0], hashes[-1]])) if hashes else []

    def _of(self, stretches: Iterable[Stretch], which: int) -> list[str]:
        return [self._behind[each.evidence[which]][which] for each in stretches]


def _day(name: date, bounds: Span, of: tuple[str, int], known: list[Stretch], beside: _Beside) -> items.Day:
    tz, now = of
    found = day.cells(*bounds, known)
    sums = {what: sum(each.end_at - each.begin_at for each in found if each.what == what) // 1000 for what in CELLS}
    hours = {what: Decimal(amount(ms, "h")) for what, ms in sums.items()}
    longest = max(hours, key=lambda what: hours[what])
    hours[longest] += Decimal(amount((bounds[1] - bounds[0]) // 1000, "h")) - sum(hours.values())  # what rounding left
    return items.Day(
        date=name.isoformat(),
        tz=tz,
        begin=from_micros(bounds[0]).astimezone(UTC),
        end=from_micros(bounds[1]).astimezone(UTC),
        hours={what: quantity_text(each) for what, each in hours.items()},
        cells=[_cell(each, now, beside) for each in found],
    )


def _cell(cell: Cell, now: int, beside: _Beside) -> items.Cell:
    return items.Cell(
        what=cell.what,
        begin=from_micros(cell.begin_at),
        end=None if cell.end_at >= now else from_micros(cell.end_at),
        evidence=beside.evidence(cell),
        rows=list(cell.evidence),
        versions=[from_micros(each) for each in cell.versions],
    )
