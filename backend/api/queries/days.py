"""The days of an asset: what it did from midnight to midnight of a time zone, and what says so."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from backend import usage
from backend.api import items_fleet as items
from backend.api.queries.fleet import amount
from backend.book import places
from backend.book.schema import run
from backend.hours_step import tracker_of
from backend.identities import devices_of
from models.motion import day
from models.motion.day import CELLS, MOVING, OFF, TRANSPORTED, Cell, Stretch
from models.motion.gain import UNOBSERVED
from models.motion.meter import RUNTIME
from models.reading import from_micros
from models.register import Register

MOST_DAYS = 62
Span = tuple[int, int]
WHAT = {"trip": MOVING, "transported": TRANSPORTED}


def days(tx: Connection, register: Register, asset: str, span: Span, of: tuple[str, int]) -> list[items.Day]:
    """The local days that a span reaches into, up to now; `of` is the time zone and now. Raises Refused."""
    tz, now = of
    bounds = [*_local(span, tz, now)]
    if not bounds:
        return []
    whole = (bounds[0][1], min(now, bounds[-1][2]))
    behind: dict[str, list[str]] = {}
    known = [*_used(tx, register, asset, whole, behind), *_moved(tx, register, asset, whole, behind)]
    known += [Stretch(*each, UNOBSERVED, ()) for each in _unseen(tx, register, asset, whole)]
    beside = _Beside(known, behind)
    return [_day(name, (begin, min(end, now)), (tz, now), known, beside) for name, begin, end in bounds]


def _local(span: Span, tz: str, now: int) -> Iterator[tuple[date, int, int]]:
    since, until = span[0], min(span[1], now)
    day.local_day(from_micros(since).date(), tz)  # refuses what is no time zone
    name = from_micros(since).astimezone(ZoneInfo(tz)).date()
    while (bounds := day.local_day(name, tz))[0] < until:
        yield name, *bounds
        name += timedelta(days=1)


def _used(
    tx: Connection, register: Register, asset: str, span: Span, behind: dict[str, list[str]]
) -> Iterator[Stretch]:
    for row in usage.rows_of(tx, asset, *span) + usage.open_of(tx, register, asset, span[1]):
        made = day.stretch_of(row, _version(register, asset, row.begin_at))
        if made is not None:
            behind[row.id] = row.evidence
            yield made


def _moved(
    tx: Connection, register: Register, asset: str, span: Span, behind: dict[str, list[str]]
) -> Iterator[Stretch]:
    for row in places.journeys(tx, register, asset, span, *WHAT):
        behind[row.id] = row.evidence
        yield Stretch(row.begin_at, row.end_at, WHAT[row.what], (row.id,), row.version)


def _version(register: Register, asset: str, at: int) -> int | None:
    """From when the entry holds of the tracker that is on an asset at a time."""
    for device in devices_of(register).get(asset, ()):
        tracker = tracker_of(register, device, at)
        if tracker is not None and tracker.asset == asset:
            return max(since for since in register.changes("devices", device) if since <= at)
    return None


def _unseen(tx: Connection, register: Register, asset: str, span: Span) -> Iterator[Span]:
    """When no tracker was on it, or none had said yet whether its engine runs."""
    at = span[0]
    for begin, end in sorted(_seen(tx, register, asset, span)):
        if at < begin:
            yield at, begin
        at = max(at, end)
    if at < span[1]:
        yield at, span[1]


def _seen(tx: Connection, register: Register, asset: str, span: Span) -> Iterator[Span]:
    heard = {name: state.first_at for name, state in usage.states(tx, register, asset) if state.engine is not None}
    for device in devices_of(register).get(asset, ()):
        changes = register.changes("devices", device)
        for begin, end in zip(changes, [*changes[1:], span[1]], strict=True):
            tracker = tracker_of(register, device, begin)
            if tracker is None or tracker.asset != asset or begin >= span[1] or end <= span[0]:
                continue
            first = _first(tx, asset, (begin, end))
            known = [at for at in (first, heard.get(device)) if at is not None and at < end]
            if known:
                yield max(begin, min(known)), min(end, span[1])


def _first(tx: Connection, asset: str, span: Span) -> int | None:
    """When the first stretch of its engine or its inputs began while a tracker was on it."""
    within = (run.c.asset == asset, run.c.meter == RUNTIME, run.c.end_at > span[0], run.c.begin_at < span[1])
    first: int | None = tx.scalar(select(func.min(run.c.begin_at)).where(*within))
    return first


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
    return items.Day(
        date=name.isoformat(),
        tz=tz,
        begin=from_micros(bounds[0]).astimezone(UTC),
        end=from_micros(bounds[1]).astimezone(UTC),
        hours={what: amount(ms, "h") for what, ms in sums.items()},
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
