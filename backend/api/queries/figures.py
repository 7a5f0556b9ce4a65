"""The figures of /metrics that the book has, all of them cheap: marks, ends of indexes, and counts that have a bound.

Nothing here reads through the journal, crossings, runs or travels, however many rows a book has. Names and meanings
are in deploy/README.md.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from backend.book.schema import (
    alert,
    changed,
    crossing,
    dirty,
    event,
    gap,
    gateway,
    journal,
    ledger_head,
    proposal,
    quarantine,
    refused_count,
    stream,
)
from backend.book.status import stored_status, waiting

COUNTED = 100_000
"""Where a table may be long, no more than so many of its rows are counted."""
QUOTA = "outbox quota"
MICROS = 1_000_000


class Figure(NamedTuple):
    """One metric: its name, what it says, label names, values by label, and whether it only rises."""

    name: str
    text: str
    labels: Sequence[str]
    values: Sequence[tuple[Sequence[str], float]]
    rises: bool = False


def figures(tx: Connection) -> list[Figure]:
    """Every figure."""
    return [*_gateways(tx), *_states(tx), *_work(tx), *_totals(tx)]


def _gateways(tx: Connection) -> list[Figure]:
    rows = tx.execute(select(gateway).order_by(gateway.c.name)).all()
    said = {row.name: stored_status(row.status) for row in rows}
    names = {row.id: row.name for row in rows}
    streams = [row for row in tx.execute(_streams_listed()) if row.gateway_id in names]
    listed = {(name, each.epoch): each for name, status in said.items() for each in status.streams or []}
    marks, depth = _of_streams(names, streams, listed)
    name, device = ["gateway"], ["gateway", "device"]
    devices = [(row.name, each) for row in rows for each in said[row.name].devices or []]
    return [
        Figure(
            "stockyard_committed_readings", "Numbers committed, over all epochs", name, _sums(tx, names), rises=True
        ),
        Figure(
            "stockyard_stream_mark", "Committed up to this number, of epochs that wait", ["gateway", "epoch"], marks
        ),
        Figure("stockyard_outbox_depth", "Readings that wait at the edge", name, depth),
        Figure("stockyard_gateway_online", "1 while connected", name, [([r.name], float(r.online)) for r in rows]),
        Figure(
            "stockyard_gateway_last_seen_seconds",
            "Unix time of the last status",
            name,
            [([row.name], row.last_seen / MICROS) for row in rows if row.last_seen is not None],
        ),
        Figure(
            "stockyard_device_state",
            "1 for the state a device is in",
            [*device, "state"],
            [([of, each.name, each.state], 1.0) for of, each in devices],
        ),
        Figure(
            "stockyard_device_bad_frames",
            "Frames skipped by the driver",
            device,
            [([of, each.name], float(each.bad_frames)) for of, each in devices],
            rises=True,
        ),
    ]


def _streams_listed() -> Select[Any, Any, Any, Any]:
    """Streams that a gateway's newest status may list: of each, where it stands."""
    return select(stream.c.gateway_id, stream.c.epoch, stream.c.mark, stream.c.listed_next_seq).where(
        stream.c.listed_at.is_not(None)
    )


def _of_streams(
    names: dict[int, str], streams: Sequence[Row[Any, Any, Any, Any]], listed: dict[tuple[str, str], Any]
) -> tuple[list[tuple[list[str], float]], list[tuple[list[str], float]]]:
    """Marks of the streams that the last status lists, and how much waits of each gateway."""
    marks: list[tuple[list[str], float]] = []
    depth = dict.fromkeys(names.values(), 0.0)
    for row in streams:
        name = names[row.gateway_id]
        if (each := listed.get((name, row.epoch))) is not None:
            marks.append(([name, row.epoch], float(row.mark)))
            depth[name] += waiting(each, row.mark)
    return marks, [([name], value) for name, value in depth.items()]


def _sums(tx: Connection, names: dict[int, str]) -> list[tuple[list[str], float]]:
    query = select(stream.c.gateway_id, func.sum(stream.c.mark)).group_by(stream.c.gateway_id)
    sums = {owner: float(total) for owner, total in tx.execute(query)}
    return [([name], sums.get(ident, 0.0)) for ident, name in names.items()]


def _states(tx: Connection) -> list[Figure]:
    """What asks for a person: by state, of what is not over; a partial index has exactly these."""
    found: list[Figure] = []
    for name, text, column, is_open in (
        ("stockyard_alerts", "Alerts that are not closed, by state", alert.c.state, alert.c.state != "closed"),
        ("stockyard_proposals", "Reorder proposals that wait", proposal.c.state, proposal.c.state == "open"),
    ):
        rows = tx.execute(select(column, func.count()).where(is_open).group_by(column).order_by(column))
        found.append(Figure(name, text, ["state"], [([state], float(count)) for state, count in rows]))
    return found


def _work(tx: Connection) -> list[Figure]:
    """How far those who follow the journal are behind; the projector's lag is the store's to say."""
    newest = tx.scalar(select(func.max(event.c.n))) or 0
    oldest = tx.execute(select(event.c.n, event.c.at).where(~event.c.published).order_by(event.c.n).limit(1)).first()
    since = tx.scalar(select(func.min(dirty.c.since)))
    at_mark = select(journal.c.received_at).where(journal.c.stream_id == stream.c.id, journal.c.seq == stream.c.mark)
    committed = tx.scalar(select(func.max(at_mark.correlate(stream).scalar_subquery())).select_from(stream))
    unpublished = 0 if oldest is None else newest - oldest.n + 1
    waits_since: int | None = None if oldest is None else oldest.at
    times = {
        "stockyard_last_commit_seconds": ("Unix time at which the newest committed reading was received", committed),
        "stockyard_dirty_oldest_seconds": ("Unix time from which on the oldest dirty key is folded anew", since),
        "stockyard_event_oldest_seconds": ("Unix time of the oldest event that waits for MQTT", waits_since),
    }
    return [
        one("stockyard_dirty_keys", "Keys that wait for the deriver", _count(tx, dirty)),
        one("stockyard_changed_subjects", "Subjects that wait for the planner", _count(tx, changed)),
        one("stockyard_events_unpublished", "Events that wait for MQTT", unpublished),
        *(Figure(name, text, [], [] if at is None else [([], at / MICROS)]) for name, (text, at) in times.items()),
    ]


def _totals(tx: Connection) -> list[Figure]:
    refused = select(refused_count.c.gateway, refused_count.c.sort, func.sum(refused_count.c.count))
    refusals = tx.execute(refused.group_by(refused_count.c.gateway, refused_count.c.sort)).all()
    dropped = (
        select(gateway.c.name, gap.c.reason == QUOTA, func.count(), func.sum(gap.c.to_seq - gap.c.from_seq + 1))
        .join(stream, stream.c.id == gap.c.stream_id)
        .join(gateway, gateway.c.id == stream.c.gateway_id)
        .group_by(gateway.c.name, gap.c.reason == QUOTA)
    )
    gaps = tx.execute(dropped).all()
    ranges: dict[str, float] = {}
    for name, _, count, _ in gaps:
        ranges[name] = ranges.get(name, 0.0) + count
    lost = [([name], float(numbers)) for name, by_quota, _, numbers in gaps if by_quota]
    by_gateway = ["gateway"]
    return [
        Figure(
            "stockyard_gaps",
            "Ranges of numbers that no reading fills",
            by_gateway,
            [([n], c) for n, c in ranges.items()],
        ),
        Figure(
            "stockyard_quota_dropped_readings", "Readings that an outbox quota forced out", by_gateway, lost, rises=True
        ),
        Figure(
            "stockyard_refused_payloads",
            "What was refused and not kept: envelope (unreadable), stream (too many), pruned (too old)",
            ["gateway", "sort"],
            [([name, sort], float(count)) for name, sort, count in refusals],
            rises=True,
        ),
        one("stockyard_quarantined", "What could not be used and was kept", _last(tx, quarantine.c.id), rises=True),
        one("stockyard_crossings", "Crossings decided, anew too", _last(tx, crossing.c.n), rises=True),
        one("stockyard_events", "Domain events told", _last(tx, event.c.n), rises=True),
        one("stockyard_ledger_entries", "Entries of the stock ledger", _last(tx, ledger_head.c.n), rises=True),
    ]


def one(name: str, text: str, value: float, *, rises: bool = False) -> Figure:
    """A figure without labels."""
    return Figure(name, text, [], [([], float(value))], rises=rises)


def _last(tx: Connection, column: Any) -> int:  # noqa: ANN401 - a column
    """The highest number given out: a counter, by the end of an index."""
    return tx.scalar(select(func.max(column))) or 0


def _count(tx: Connection, table: Any) -> int:  # noqa: ANN401 - a table
    """How many rows, at most COUNTED."""
    some = select(table.primary_key.columns.values()[0]).limit(COUNTED).subquery()
    return tx.scalar(select(func.count()).select_from(some)) or 0
