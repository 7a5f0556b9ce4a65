"""Running hours and counters of one asset from what its tracker says, in event time, as sums of whole units.

An input's state holds from one report to the next; a silence longer than the tracker's limit is not observed: it may
have been on for none or all of it, and both bounds are kept (models.motion.engine). A counter tells what happened in a
silence as well, but may jump (models.motion.counter).
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from models.ids import derived_id
from models.motion import counter, engine, noted
from models.motion.counter import Counter, Kind
from models.motion.engine import Engine
from models.motion.gain import MS, Gain, Heard
from models.motion.noted import Note

RULE = "hours-2"
RUNTIME, ENGINE_HOURS, ODOMETER, TRACKER_ODOMETER = "runtime", "engine_hours", "odometer", "tracker_odometer"
PTO, HOIST = "pto", "hoist"
STARTS, CYCLES = "starts", "cycles"
WORK = (PTO, HOIST)
"""Inputs that say that a machine works, and the meters of how long they were on."""
COUNTERS: Mapping[str, Kind] = {
    ENGINE_HOURS: counter.HOURS,
    ODOMETER: counter.DISTANCE,
    TRACKER_ODOMETER: counter.DISTANCE,
    STARTS: counter.STARTS,
    CYCLES: counter.CYCLES,
}
DISTANCES = (ODOMETER, TRACKER_ODOMETER)
"""In millimetres; the machine's own and what a tracker adds up by GPS are kept apart."""
COUNTS = (STARTS, CYCLES)
"""In thousandths."""
EACH = {ENGINE_HOURS: 3_600_000, ODOMETER: 1_000_000, TRACKER_ODOMETER: 1_000_000, STARTS: 1000, CYCLES: 1000}
"""Milliseconds in an hour, millimetres in a kilometre, thousandths in a start or cycle."""
_HOURS, _KM = {"h": 3_600_000.0, "min": 60_000.0, "s": 1000.0}, {"km": 1_000_000.0, "m": 1000.0}
UNITS = {ENGINE_HOURS: _HOURS, ODOMETER: _KM, TRACKER_ODOMETER: _KM, STARTS: {"1": 1000.0}, CYCLES: {"1": 1000.0}}
"""Milliseconds, millimetres or thousandths in one of what a meter says, by its UCUM unit."""
MOST = 10**14
"""Beyond it no counter is believed: 31 centuries, 100 million km."""
MOST_US = 1 << 62


class Metering(Struct, frozen=True):
    """What a tracker is mounted on, which input says that the engine runs, and how long a silence is observed.

    `rolls_over_at`: by counter, the milliseconds or millimetres at which it begins at 0 again. `until`: when it is
    taken off the asset. `notes`: what people say of its counters from when no other tracker was on the asset, by time;
    those of before `since` say where a counter begins.
    """

    asset: str
    runs_by: str
    silent_on_us: int
    silent_off_us: int
    rolls_over_at: dict[str, int] = {}
    until: int | None = None
    since: int = 0
    notes: tuple[Note, ...] = ()


class Metered(Struct):
    """The state: everything of one asset that is not over."""

    asset: str
    first_at: int
    last_at: int
    engine: Engine | None = None
    work: dict[str, Engine] = {}
    counters: dict[str, Counter] = {}


class Usage(Struct, frozen=True):
    """A stretch of use: `least` to `most` ms (odometers: mm; counts: thousandths) of a meter between two moments.

    `closed_at` is when that became known: None if nothing of this asset came after it. `why` it is not simply what was
    counted: unobserved, reset, replaced, rollover, baseline, corrected (models.motion.gain, noted).
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
    why: str | None = None


class Bounds(Struct, frozen=True):
    """What a meter counted: surely `least`, possibly `most`."""

    least: int
    most: int


def counted(name: str, value: float, unit: str) -> int | None:
    """A meter's value in whole milliseconds, millimetres or thousandths; None for one that is not counted here.

    >>> counted("engine_hours", 4810.25, "h")
    17316900000
    """
    each = UNITS.get(name, {}).get(unit)
    if each is None or not 0 <= value * each <= MOST:
        return None
    return round(value * each)


def fold(params: Metering, state: Metered | None, facts: Sequence[Heard]) -> tuple[Metered | None, list[Usage]]:
    """Take in facts of one tracker, in fold order and each once. The given state is left as it was."""
    rows: list[Usage] = []
    now = None if state is None else _copy(state)
    gone = noted.gone(params.notes)
    for fact in facts:
        if now is not None and now.asset != params.asset:
            rows += close(now, fact.at)
            now = None
        if now is None:
            now = Metered(params.asset, fact.at, fact.at)
            rows += _begun(params, now, fact.at)
        elif params.notes:
            rows += _told(params, now, (now.last_at, fact.at), fact.at)
        now.last_at = fact.at
        if fact.on is None:
            if (fact.name, fact.at) not in gone:
                _counter(params, now, fact, rows)
            continue
        if fact.name in WORK:
            _work(params, now, fact, rows)
        if fact.name == params.runs_by:
            _engine(params, now, fact, rows)
    return now, rows


def due(_params: Metering, _state: Metered | None) -> int | None:
    """Silence ends nothing: it is bounded when something is heard again."""
    return None


def expire(params: Metering, state: Metered | None, now: int) -> tuple[Metered | None, list[Usage]]:
    """Only the register ends a state: what is open ends when the tracker is taken off, observed up to then or not."""
    if state is None or params.until is None or now < params.until:
        return state, []
    return None, [replace(row, closed_at=params.until) for row in open_usage(params, state, params.until)]


def close(state: Metered, closed_at: int | None) -> list[Usage]:
    """Everything that is open, up to when it was last heard: the tracker goes to another asset, or away."""
    rows: list[Usage] = []
    if state.engine is not None:
        rows += _usages(state.asset, RUNTIME, closed_at, engine.close(state.engine))
    for meter, each in sorted(state.work.items()):
        rows += _usages(state.asset, meter, closed_at, engine.close(each))
    for meter, kept in sorted(state.counters.items()):
        rows += _usages(state.asset, meter, closed_at, counter.close(kept))
    return rows


def open_usage(params: Metering, state: Metered, now: int) -> list[Usage]:
    """What the state adds to the rows at `now`: what is open, and the time since the inputs were last heard.

    That time is surely not counted, and possibly all of it: unless the engine was off and the silence is no longer
    than a parked tracker's may be.
    """
    rows: list[Usage] = []
    if params.notes:
        state = _copy(state)
        rows += _told(params, state, (state.last_at, now + 1), None)
    rows += close(state, None)
    if state.engine is not None:
        limit = params.silent_on_us if state.engine.on else params.silent_off_us
        rows += _usages(state.asset, RUNTIME, None, engine.tail(state.engine, now, limit))
    for meter, each in sorted(state.work.items()):
        rows += _usages(state.asset, meter, None, engine.tail(each, now, _work_limit(params, state, each, now)))
    return rows


def clipped(row: Usage, since: int, until: int) -> Bounds:
    """What of a row falls between two moments. Exact for time that ran throughout or not at all; else by share."""
    inside = min(row.end_at, until) - max(row.begin_at, since)
    whole = row.end_at - row.begin_at
    if inside >= whole and row.end_at > since:
        return Bounds(row.least, row.most)
    if inside <= 0:
        return Bounds(0, 0)
    if row.meter in DISTANCES or row.meter in COUNTS:
        return Bounds(row.least * inside // whole, -(-row.most * inside // whole))
    outside_ms = (whole - inside + MS - 1) // MS
    ahead_ms = max(0, row.most - whole // MS)  # a counter of whole hours gains one in a minute
    return Bounds(max(0, row.least - outside_ms - ahead_ms), min(row.most, -(-inside // MS) + ahead_ms))


def _engine(params: Metering, now: Metered, fact: Heard, rows: list[Usage]) -> None:
    runs = now.engine
    if runs is None:
        now.engine = engine.begin(fact)
    elif gains := engine.hear(runs, fact, params.silent_on_us if runs.on else params.silent_off_us):
        rows += _usages(now.asset, RUNTIME, fact.at, gains)


def _work(params: Metering, now: Metered, fact: Heard, rows: list[Usage]) -> None:
    work = now.work.get(fact.name)
    if work is None:
        now.work[fact.name] = engine.begin(fact)
    elif gains := engine.hear(work, fact, _work_limit(params, now, work, fact.at)):
        rows += _usages(now.asset, fact.name, fact.at, gains)


def _work_limit(params: Metering, now: Metered, work: Engine, at: int) -> int:
    """A tracker reports as often as it does while the engine runs, whether the machine works or not."""
    runs = work.on or (now.engine is not None and engine.held(now.engine, at))
    return params.silent_on_us if runs else params.silent_off_us


def by_notes(asset: str, name: str, notes: Sequence[Note]) -> list[Usage]:
    """What a counter has counted by what people say of it alone: of an asset that no tracker is on."""
    params, state = Metering(asset, "", 0, 0, notes=(*notes,)), Metered(asset, 0, 0)
    rows = _told(params, state, (0, MOST_US), None)
    return [*rows, *(each for each in close(state, None) if each.meter == name)]


def _begun(params: Metering, now: Metered, at: int) -> list[Usage]:
    """Take in the notes of before the first fact; of before the tracker came, only where a counter stood."""
    since = min(params.since, at)
    _told(params, now, (0, since), at)
    for each in now.counters.values():
        each.begin_at, each.begin, each.first = each.last_at, each.value, each.last
    return _told(params, now, (since, at), at)


def _told(params: Metering, now: Metered, span: tuple[int, int], closed_at: int | None) -> list[Usage]:
    """Take in the notes from a moment on and before another."""
    rows: list[Usage] = []
    for note in params.notes:
        if span[0] <= note.at < span[1]:
            kind, width = COUNTERS[note.meter], params.rolls_over_at.get(note.meter)
            after, gains = noted.tell(now.counters.get(note.meter), kind, width, note)
            if after is not None:
                now.counters[note.meter] = after
            rows += _usages(now.asset, note.meter, closed_at, gains)
    return rows


def _counter(params: Metering, now: Metered, fact: Heard, rows: list[Usage]) -> None:
    kind, before = COUNTERS.get(fact.name), now.counters.get(fact.name)
    if kind is None or fact.value is None:
        return
    if before is None:
        now.counters[fact.name] = counter.begin(fact.at, fact.value, fact.evidence)
    elif gains := counter.hear(before, kind, params.rolls_over_at.get(fact.name), fact):
        rows += _usages(now.asset, fact.name, fact.at, gains)


def _usages(asset: str, meter: str, closed_at: int | None, gains: Iterable[Gain]) -> list[Usage]:
    return [_usage(asset, meter, closed_at, gain) for gain in gains]


def _usage(asset: str, meter: str, closed_at: int | None, gain: Gain) -> Usage:
    span = (gain.begin_at, gain.end_at)
    ident = derived_id(RULE, asset, meter, str(gain.begin_at), str(gain.end_at), *gain.evidence)
    evidence = list(dict.fromkeys(gain.evidence))
    return Usage(ident, asset, meter, *span, closed_at, gain.least, gain.most, evidence, gain.why)


def _copy(state: Metered) -> Metered:
    return replace(
        state,
        engine=None if state.engine is None else replace(state.engine),
        work={name: replace(each) for name, each in state.work.items()},
        counters={name: replace(each) for name, each in state.counters.items()},
    )
