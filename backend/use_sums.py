"""What many assets used, each over its own spans, by a handful of queries: what `backend.usage` answers one by one.

The spans go to the database as one JSON text, so that a statement is compiled once however many they are. Rows that
lie within a span are added up there; those that reach over an edge of it are clipped here. Any number may do so: where
two things counted a meter, one may have many short stretches while the other has a long one.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from backend import registers, usage
from backend.book import places
from backend.hours_step import HOURS
from backend.identities import devices_of
from models.maintenance.forecast import DAY_US, MOST_WEEKS, WEEK, Daily
from models.motion.meter import RUNTIME, Bounds, Metered, Usage, clipped
from models.register import Register

ASKED_AT_ONCE = 20_000
LATEST = 2**62
HARDLY = 4
"""A day of which more than one part in so many was not observed says nothing of the others."""
_ASK = """WITH ask AS MATERIALIZED (
    SELECT CAST({k} AS bigint) AS k, value->>0 AS asset, value->>1 AS meter,
           CAST(value->>2 AS bigint) AS since, CAST(value->>3 AS bigint) AS until
    FROM {source}
) """
_FROM = {
    "sqlite": _ASK.format(k="key", source="json_each(:asks)"),
    "postgresql": _ASK.format(
        k="number - 1", source="jsonb_array_elements(CAST(:asks AS jsonb)) WITH ORDINALITY AS each(value, number)"
    ),
}
_OF = "run.asset = ask.asset AND run.meter = ask.meter"
_WITHIN = f"""SELECT ask.k, (
        SELECT CAST(SUM(run.least) AS text) || ' ' || CAST(SUM(run.most) AS text) FROM run
        WHERE {_OF} AND run.end_at > ask.since AND run.end_at <= ask.until AND run.begin_at >= ask.since
    ) FROM ask"""  # noqa: S608 - all of it is written here
"""Both sums as one text: a join would be sorted by its groups, and a value for each would be a scan for each."""
_ACROSS = f"""SELECT ask.k, run.n, run.begin_at, run.end_at, run.least, run.most FROM ask CROSS JOIN run
    WHERE {_OF} AND run.end_at > ask.since AND run.end_at <= ask.until AND run.begin_at < ask.since"""  # noqa: S608 - as above
_FIRST = f"""SELECT ask.k, (SELECT run.begin_at FROM run WHERE {_OF} ORDER BY run.end_at LIMIT 1) FROM ask"""  # noqa: S608 - as above
_DAYS = f"""SELECT ask.k, run.end_at / {DAY_US}, MIN(run.begin_at), MAX(run.end_at), SUM(run.least), SUM(run.most)
    FROM ask CROSS JOIN run WHERE {_OF} AND run.end_at > ask.since AND run.end_at <= ask.until
    GROUP BY ask.k, run.end_at / {DAY_US}, CASE WHEN run.end_at - run.begin_at > {DAY_US} THEN run.n ELSE 0 END"""  # noqa: S608 - as above


class Ask(NamedTuple):
    """A meter of an asset, and a span (since, until) of microseconds."""

    asset: str
    meter: str
    since: int
    until: int


Stands = dict[str, list[tuple[str, Metered]]]


def stands(tx: Connection, register: Register, assets: Iterable[str]) -> Stands:
    """What the trackers of these assets stand at, by the asset that each was heard on last."""
    devices = devices_of(register)
    names = [name for asset in assets for name in devices.get(asset, ())]
    found: defaultdict[str, list[tuple[str, Metered]]] = defaultdict(list)
    for name, _, encoded in registers.states(tx, HOURS.name, names):
        state = HOURS.decode(encoded)
        if state is not None:
            found[state.asset].append((name, state))
    return found


def first_heard(
    tx: Connection, register: Register, stand: Stands, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """When each (asset, meter) was heard first, of those that ever were: its first row or state; GPS is not known."""
    asks = [Ask(asset, meter, 0, 0) for asset, meter in pairs]
    found: dict[tuple[str, str], int] = {}
    for number, (begin_at,) in _ask(tx, _FIRST, asks):
        ask = asks[number]
        known = [] if begin_at is None else [begin_at]
        known += [state.first_at for _, state in stand.get(ask.asset, ()) if _knows(state, ask.meter)]
        known += [row.begin_at for row in usage.read_off(tx, register, ask.asset, ask.meter) or ()]
        if known:
            found[ask.asset, ask.meter] = min(known)
    return found


def sums(tx: Connection, register: Register, stand: Stands, asks: Sequence[Ask], now: int) -> list[Bounds]:
    """What was counted in each span: milliseconds, millimetres or counts; 0 of a meter that was never heard."""
    found = [[0, 0] for _ in asks]
    stored = [k for k, ask in enumerate(asks) if ask.meter != usage.DISTANCE]
    for number, (both,) in _ask(tx, _WITHIN, [asks[k] for k in stored]):
        if both is not None:
            found[stored[number]] = [int(each) for each in both.split()]
    edges = _across(tx, [asks[k] for k in stored], now)
    opened = {asset: usage.open_in(register, stood, now) for asset, stood in stand.items()}
    read = {pair: usage.read_off(tx, register, *pair) or () for pair in {(ask.asset, ask.meter) for ask in asks}}
    for k in stored:
        ask = asks[k]
        parts = edges.get((ask.asset, ask.meter, ask.since), {}) | edges.get((ask.asset, ask.meter, ask.until), {})
        for each in (*parts.values(), *opened.get(ask.asset, ()), *read[ask.asset, ask.meter]):
            if each.meter == ask.meter:
                share = clipped(each, ask.since, ask.until)
                found[k][0] += share.least
                found[k][1] += share.most
    for k, ask in enumerate(asks):
        if ask.meter == usage.DISTANCE:
            found[k] = [places.driven(tx, register, ask.asset, (ask.since, ask.until)) or 0] * 2
    return [Bounds(least, most) for least, most in found]


def daily(
    tx: Connection, register: Register, stand: Stands, pairs: Sequence[tuple[str, str, int]], now: int
) -> dict[tuple[str, str], Daily]:
    """What each (asset, meter, first heard) counted on whole days until it was heard last, at most MOST_WEEKS of them.

    A stretch of less than a day counts on the day that it ended; a longer one evenly on each.
    """
    asks: list[Ask] = []
    for asset, meter, heard in pairs:
        until = _heard_to(stand, asset, now) // DAY_US
        begin = max(until - MOST_WEEKS * WEEK, heard // DAY_US + 1)
        if begin < until and meter != usage.DISTANCE:
            asks.append(Ask(asset, meter, begin * DAY_US, until * DAY_US))
    days: dict[Ask, dict[int, list[float]]] = {ask: {} for ask in asks}
    spans: dict[Ask, list[tuple[int, int]]] = {ask: [] for ask in asks}
    for number, (day, begin_at, end_at, low, high) in _ask(tx, _DAYS, asks):
        ask = asks[number]
        _spread(days[ask], day, (begin_at, end_at), (int(low), int(high)))
        if low == high and low:
            spans[ask].append((max(0, begin_at - day * DAY_US), end_at - day * DAY_US))
    for ask in asks:
        read = usage.read_off(tx, register, ask.asset, ask.meter) or ()
        for tail in (*usage.open_in(register, stand.get(ask.asset, ()), now), *read):
            if tail.meter == ask.meter:
                _spread(days[ask], min(tail.end_at, ask.until - 1) // DAY_US, _span(tail), (tail.least, tail.most))
    return {
        (ask.asset, ask.meter): _daily(ask, counted, spans[ask], _heard_to(stand, ask.asset, now))
        for ask, counted in days.items()
    }


def _span(tail: Usage) -> tuple[int, int]:
    return tail.begin_at, tail.end_at


def _spread(days: dict[int, list[float]], day: int, span: tuple[int, int], bounds: tuple[int, int]) -> None:
    begin_at, end_at = span
    if end_at - begin_at <= DAY_US:
        held = days.setdefault(day, [0.0, 0.0])
        held[0] += bounds[0]
        held[1] += bounds[1]
        return
    for each in range(begin_at // DAY_US, end_at // DAY_US + 1):
        part = (min(end_at, (each + 1) * DAY_US) - max(begin_at, each * DAY_US)) / (end_at - begin_at)
        held = days.setdefault(each, [0.0, 0.0])
        held[0] += bounds[0] * part
        held[1] += bounds[1] * part


def _heard_to(stand: Stands, asset: str, now: int) -> int:
    """When the asset was heard last: what it did since then may still come."""
    return min(now, max((state.last_at for _, state in stand.get(asset, ())), default=now))


def _daily(ask: Ask, counted: dict[int, list[float]], spans: Sequence[tuple[int, int]], heard_to: int) -> Daily:
    first, until = ask.since // DAY_US, ask.until // DAY_US
    use: list[float | None] = []
    for day in range(first, until):
        least, most = counted.get(day, (0.0, 0.0))
        use.append(None if (most - least) * HARDLY > most else (least + most) / 2)
    return Daily(first, tuple(use), _hours(spans), heard_to)


def _hours(spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Between which hours of a day it is used, but for one day in twenty at either end."""
    begins, ends = sorted(begin for begin, _ in spans), sorted(end for _, end in spans)
    if not spans or ends[-1] > DAY_US:
        return 0, DAY_US
    odd = len(spans) // 20
    return begins[odd], max(ends[len(ends) - 1 - odd], begins[odd] + 1)


def _across(tx: Connection, asks: Sequence[Ask], now: int) -> dict[tuple[str, str, int], dict[int, Usage]]:
    """By asset, meter and moment, the rows that reach over it, by their n: of every edge of these spans before now."""
    edges: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for ask in asks:
        edges[ask.asset, ask.meter].update(edge for edge in (ask.since, ask.until) if edge < now)
    between = [Ask(*of, *span) for of, some in edges.items() for span in pairwise([*sorted(some), LATEST])]
    found: defaultdict[tuple[str, str, int], dict[int, Usage]] = defaultdict(dict)
    for number, (n, begin_at, end_at, low, high) in _ask(tx, _ACROSS, between):
        asset, meter = between[number][:2]
        row = Usage("", asset, meter, begin_at, end_at, end_at, low, high, [])
        for edge in edges[asset, meter]:
            if begin_at < edge < end_at:
                found[asset, meter, edge][n] = row
    return found


def _knows(state: Metered, meter: str) -> bool:
    return (meter == RUNTIME and state.engine is not None) or meter in state.counters or meter in state.work


def _ask(tx: Connection, statement: str, asks: Sequence[Ask]) -> Iterator[tuple[int, Sequence[Any]]]:
    """The statement's rows, each with the number of the ask that it is of."""
    made = text(_FROM[tx.dialect.name] + statement)
    for k in range(0, len(asks), ASKED_AT_ONCE):
        page = json.dumps(asks[k : k + ASKED_AT_ONCE])
        for number, *row in tx.execute(made, {"asks": page}).all():
            yield k + number, row
