"""The figures of /metrics, all of them cheap: marks and counters, never a count over the journal."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from backend.api.queries.intake import gateways
from backend.book.schema import alert, crossing, dirty, event, gap, ledger_head, proposal, quarantine, refused_count


class Figure(NamedTuple):
    """One metric: its name, what it says, label names, values by label, and whether it only rises."""

    name: str
    text: str
    labels: Sequence[str]
    values: Sequence[tuple[Sequence[str], float]]
    rises: bool = False


def figures(tx: Connection) -> list[Figure]:
    """Every figure."""
    return [*_gateways(tx), *_counted(tx), *_totals(tx)]


def _gateways(tx: Connection) -> list[Figure]:
    found = gateways(tx)
    committed = [([g.name], float(sum(s.committed for s in g.streams))) for g in found]
    depth = [([g.name], float(sum(s.outbox_depth or 0 for s in g.streams))) for g in found]
    marks = [([g.name, s.epoch], float(s.committed)) for g in found for s in g.streams]
    seen = [([g.name], g.last_seen.timestamp()) for g in found if g.last_seen is not None]
    devices = [([g.name, d.name, d.state], 1.0) for g in found for d in g.devices]
    bad = [([g.name, d.name], float(d.bad_frames)) for g in found for d in g.devices]
    online = [([g.name], float(g.online)) for g in found]
    name, device = ["gateway"], ["gateway", "device"]
    return [
        Figure("stockyard_committed_readings", "Numbers committed, over all epochs", name, committed, rises=True),
        Figure("stockyard_stream_mark", "Committed up to this number", ["gateway", "epoch"], marks),
        Figure("stockyard_outbox_depth", "Readings that wait at the edge", name, depth),
        Figure("stockyard_gateway_online", "1 while connected", name, online),
        Figure("stockyard_gateway_last_seen_seconds", "Unix time of the last status", name, seen),
        Figure("stockyard_device_state", "1 for the state a device is in", [*device, "state"], devices),
        Figure("stockyard_device_bad_frames", "Frames skipped by the driver", device, bad, rises=True),
    ]


def _counted(tx: Connection) -> list[Figure]:
    groups = [
        ("stockyard_alerts", "Alerts by state", alert.c.state),
        ("stockyard_proposals", "Reorder proposals by state", proposal.c.state),
        ("stockyard_quarantined", "What could not be used and is kept", quarantine.c.sort),
        ("stockyard_crossings", "Crossings decided, by direction", crossing.c.direction),
    ]
    found: list[Figure] = []
    for name, text, column in groups:
        rows = tx.execute(select(column, func.count()).group_by(column).order_by(column))
        found.append(Figure(name, text, [column.name], [([str(key)], float(count)) for key, count in rows]))
    return found


def _totals(tx: Connection) -> list[Figure]:
    unpublished = select(func.count()).select_from(event).where(~event.c.published)
    totals = [
        ("stockyard_ledger_entries", "Entries of the stock ledger", select(func.max(ledger_head.c.n)), True),
        ("stockyard_refused_payloads", "Unreadable payloads", select(func.sum(refused_count.c.count)), True),
        ("stockyard_gaps", "Ranges that outbox quotas forced out", select(func.count()).select_from(gap), False),
        ("stockyard_dirty_keys", "Keys waiting for the deriver", select(func.count()).select_from(dirty), False),
        ("stockyard_events_unpublished", "Events that wait for MQTT", unpublished, False),
    ]
    return [
        Figure(name, text, [], [([], float(tx.scalar(query) or 0))], rises=rises) for name, text, query, rises in totals
    ]
