"""Running hours and counters of one asset from what its tracker says, in event time, as sums of whole units.

An engine's state holds from one report to the next; a silence longer than the tracker's limit is not observed: it may
have run for none or all of it, and both bounds are kept. A counter tells what happened in a silence as well, but may
jump: what it says is believed when it could be true of the time that passed, or when its next value confirms it.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from models.ids import derived_id

RULE = "hours-1"
RUNTIME, ENGINE_HOURS, ODOMETER = "runtime", "engine_hours", "odometer"
HOUR_US = 3_600_000_000
MS = 1000
UNITS = {
    (ENGINE_HOURS, "h"): 3_600_000.0,
    (ENGINE_HOURS, "min"): 60_000.0,
    (ENGINE_HOURS, "s"): 1000.0,
    (ODOMETER, "km"): 1_000_000.0,
    (ODOMETER, "m"): 1000.0,
}
"""Milliseconds or millimetres in one of what a meter says, by its UCUM unit."""
MOST = 10**14
"""Beyond it no counter is believed: 31 centuries, 100 million km."""
SLACK = {ENGINE_HOURS: 3_600_000, ODOMETER: 1_000_000}
"""How far a counter may be ahead of time: some count whole hours, or kilometres."""
FASTEST_MM_PER_MS = 70


class Metering(Struct, frozen=True):
    """What a tracker is mounted on, which input says that the engine runs, and how long a silence is observed."""

    asset: str
    runs_by: str
    silent_on_us: int
    silent_off_us: int


class Heard(Struct, frozen=True):
    """One fact: an input's state, or a counter's value in whole milliseconds or millimetres."""

    at: int
    name: str
    evidence: str
    on: bool | None = None
    value: int | None = None


class Engine(Struct):
    """Whether it runs, since when, and when that was last heard."""

    on: bool
    since: int
    last_at: int
    first: str
    last: str


class Counter(Struct):
    """A stretch of a counter within an hour, and a value that waits to be confirmed."""

    begin_at: int
    begin: int
    last_at: int
    value: int
    first: str
    last: str
    odd_at: int | None = None
    odd: int = 0


class Metered(Struct):
    """The state: everything of one asset that is not over."""

    asset: str
    first_at: int
    last_at: int
    engine: Engine | None = None
    counters: dict[str, Counter] = {}


class Usage(Struct, frozen=True):
    """A stretch of use: `least` to `most` milliseconds (odometer: millimetres) of a meter between two moments.

    `closed_at` is when that became known: None if nothing of this asset came after it.
    """

    id: str
    asset: str
    meter: str
    begin_at: int
    end_at: int
    closed_at: int | None
    least: int
    most: int
    evidence: list[str]


class Bounds(Struct, frozen=True):
    """What a meter counted: surely `least`, possibly `most`."""

    least: int
    most: int


def counted(name: str, value: float, unit: str) -> int | None:
    """A meter's value in whole milliseconds or millimetres; None for one that is not counted here.

    >>> counted("engine_hours", 4810.25, "h")
    17316900000
    """
    each = UNITS.get((name, unit))
    if each is None or not 0 <= value * each <= MOST:
        return None
    return round(value * each)


def fold(params: Metering, state: Metered | None, facts: Sequence[Heard]) -> tuple[Metered | None, list[Usage]]:
    """Take in facts of one tracker, in fold order and each once. The given state is left as it was."""
    rows: list[Usage] = []
    now = None if state is None else _copy(state)
    for fact in facts:
        if now is not None and now.asset != params.asset:
            rows += close(now, fact.at)
            now = None
        if now is None:
            now = Metered(params.asset, fact.at, fact.at)
        if fact.on is not None and fact.name == params.runs_by:
            rows += _switch(params, now, fact)
        elif fact.value is not None and fact.name in SLACK:
            rows += _count(now, fact, fact.value)
        now.last_at = max(now.last_at, fact.at)
    return now, rows


def due(_params: Metering, _state: Metered | None) -> int | None:
    """Silence ends nothing: it is bounded when something is heard again."""
    return None


def close(state: Metered, closed_at: int | None) -> list[Usage]:
    """Everything that is open, up to when it was last heard: the tracker goes to another asset, or away."""
    rows: list[Usage] = []
    engine = state.engine
    if engine is not None and engine.on and engine.last_at > engine.since:
        ran = (engine.last_at - engine.since) // MS
        rows.append(_usage(state.asset, RUNTIME, (engine.since, engine.last_at, closed_at), (ran, ran), [engine.first]))
    for meter, counter in sorted(state.counters.items()):
        rows += _segment(state.asset, meter, counter, closed_at)
    return rows


def open_usage(params: Metering, state: Metered, now: int) -> list[Usage]:
    """What the state adds to the rows at `now`: what is open, and the time since the tracker was last heard.

    That time is surely not counted, and possibly all of it: unless the engine was off and the silence is no longer
    than a parked tracker's may be.
    """
    rows = close(state, None)
    engine = state.engine
    if engine is not None and now > engine.last_at and (engine.on or now - engine.last_at > params.silent_off_us):
        tail = (engine.last_at, now, None)
        rows.append(_usage(state.asset, RUNTIME, tail, (0, (now - engine.last_at) // MS), [engine.last]))
    return rows


def clipped(row: Usage, since: int, until: int) -> Bounds:
    """What of a row falls between two moments. Exact for time that ran throughout or not at all; distance by share."""
    inside = min(row.end_at, until) - max(row.begin_at, since)
    whole = row.end_at - row.begin_at
    if inside >= whole:
        return Bounds(row.least, row.most)
    if inside <= 0:
        return Bounds(0, 0)
    if row.meter == ODOMETER:
        return Bounds(row.least * inside // whole, -(-row.most * inside // whole))
    outside_ms = (whole - inside + MS - 1) // MS
    return Bounds(max(0, row.least - outside_ms), min(row.most, -(-inside // MS)))


def _switch(params: Metering, now: Metered, fact: Heard) -> list[Usage]:
    """The engine's state, said again or changed."""
    on = bool(fact.on)
    engine = now.engine
    if engine is None:
        now.engine = Engine(on, fact.at, fact.at, fact.evidence, fact.evidence)
        return []
    silent = fact.at - engine.last_at
    rows: list[Usage] = []
    limit = params.silent_on_us if engine.on else params.silent_off_us
    if silent > limit:
        if engine.on:
            rows += _ran(now.asset, engine, engine.last_at, fact)
        span = (engine.last_at, fact.at, fact.at)
        rows.append(_usage(now.asset, RUNTIME, span, (0, silent // MS), [engine.last, fact.evidence]))
        now.engine = Engine(on, fact.at, fact.at, fact.evidence, fact.evidence)
        return rows
    if engine.on and not on:
        rows += _ran(now.asset, engine, fact.at, fact)
    if engine.on != on:
        engine.on, engine.since, engine.first = on, fact.at, fact.evidence
    engine.last_at, engine.last = fact.at, fact.evidence
    return rows


def _ran(asset: str, engine: Engine, until: int, fact: Heard) -> list[Usage]:
    ran = (until - engine.since) // MS
    if until <= engine.since:
        return []
    return [_usage(asset, RUNTIME, (engine.since, until, fact.at), (ran, ran), [engine.first, fact.evidence])]


def _count(now: Metered, fact: Heard, value: int) -> list[Usage]:
    """A counter's value: within reach of the last one, confirming an odd one, or odd itself."""
    counter = now.counters.get(fact.name)
    if counter is None:
        now.counters[fact.name] = _begin(fact.at, value, fact.evidence)
        return []
    if _follows(fact.name, (counter.last_at, counter.value), (fact.at, value)):
        rows: list[Usage] = []
        if fact.at // HOUR_US > counter.begin_at // HOUR_US and counter.last_at > counter.begin_at:
            rows = _segment(now.asset, fact.name, counter, fact.at)
            counter.begin_at, counter.begin, counter.first = counter.last_at, counter.value, counter.last
        counter.last_at, counter.value, counter.last, counter.odd_at = fact.at, value, fact.evidence, None
        return rows
    if counter.odd_at is None or not _follows(fact.name, (counter.odd_at, counter.odd), (fact.at, value)):
        counter.odd_at, counter.odd = fact.at, value
        return []
    rows = _segment(now.asset, fact.name, counter, fact.at)
    span = (counter.last_at, counter.odd_at, fact.at)
    elapsed = (counter.odd_at - counter.last_at) // MS
    most = elapsed * (FASTEST_MM_PER_MS if fact.name == ODOMETER else 1)
    if most:
        rows.append(_usage(now.asset, fact.name, span, (0, most), [counter.last, fact.evidence]))
    now.counters[fact.name] = replace(
        _begin(counter.odd_at, counter.odd, fact.evidence), last_at=fact.at, value=value, last=fact.evidence
    )
    return rows


def _follows(meter: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a counter can have got from one (at, value) to the other in the time between."""
    elapsed = (after[0] - before[0]) // MS
    furthest = elapsed * FASTEST_MM_PER_MS if meter == ODOMETER else elapsed + elapsed // 50
    return 0 <= after[1] - before[1] <= furthest + SLACK[meter]


def _begin(at: int, value: int, evidence: str) -> Counter:
    return Counter(at, value, at, value, evidence, evidence)


def _segment(asset: str, meter: str, counter: Counter, closed_at: int | None) -> list[Usage]:
    gained = counter.value - counter.begin
    span = (counter.begin_at, counter.last_at, closed_at)
    return [_usage(asset, meter, span, (gained, gained), [counter.first, counter.last])] if gained else []


def _usage(
    asset: str,
    meter: str,
    span: tuple[int, int, int | None],
    amount: tuple[int, int],
    evidence: list[str],
) -> Usage:
    begin_at, end_at, closed_at = span
    ident = derived_id(RULE, asset, meter, str(begin_at), str(end_at), *evidence)
    return Usage(ident, asset, meter, begin_at, end_at, closed_at, *amount, list(dict.fromkeys(evidence)))


def _copy(state: Metered) -> Metered:
    engine = None if state.engine is None else replace(state.engine)
    return replace(state, engine=engine, counters={name: replace(each) for name, each in state.counters.items()})
