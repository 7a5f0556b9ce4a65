"""A tag that crossed a door and is nothing that the register knows: told per company, or per door if it has no code.

A tag with an asset's code is told by the rule of unregistered assets.

Each crossing is told once and counts; `crossing` in an alert's detail is the newest that was told.
"""

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Row, func, select

from backend.book import alerts, schema
from backend.book.journal import short
from backend.plan.rule import DAY_US, SECOND_US, Rule, View
from models import epc
from models.alert import Alert
from models.errors import BadCode

LATE_US = 300 * SECOND_US
NEWS_US = DAY_US
"""However long the planner was away."""


class Stranger(Struct, frozen=True):
    """The newest crossing of an unknown tag for one alert, with how many there were since the last one told."""

    epc: str
    door: str
    """gateway/door."""
    direction: str
    closed_at: int
    received_at: int
    why: str
    n: int = 0
    times: int = 1


def load_strangers(view: View, epcs: Sequence[str]) -> list[tuple[str, Stranger]]:
    """Crossings in or out of these tags, not late nor told yet, that name no item; one for each subject.

    A pallet's own code carries no stock by itself, and a tag that the register says to ignore is known.
    """
    table = schema.crossing.c
    rows = (
        select(schema.crossing, schema.gateway.c.name.label("gateway"))
        .join(schema.device, schema.device.c.id == table.device_id, isouter=True)
        .join(schema.gateway, schema.gateway.c.id == schema.device.c.gateway_id, isouter=True)
        .where(table.subject.in_(epcs), table.closed_at >= view.now - NEWS_US, table.direction != "none")
        .where(table.sku.is_(None), table.kind != "asset")
        .order_by(table.n)
    )
    found: dict[str, list[Stranger]] = {}
    for row in view.tx.execute(rows):
        door = row.door if row.gateway is None else f"{row.gateway}/{row.door}"
        subject = _subject(row.subject, door)
        if subject is not None and view.register.get("tags", row.subject, row.closed_at) is None:
            times = (row.closed_at, received_at(view, row))
            found.setdefault(subject, []).append(Stranger(row.subject, door, row.direction, *times, row.why, row.n))
    told = alerts.last_details(view.tx, "unknown_tag", found)
    return [
        (subject, replace(new[-1], times=len(new)))
        for subject, each in found.items()
        if (new := [one for one in each if one.n > _told(told.get(subject)) and not _is_late(one)])
    ]


def received_at(view: View, row: Row[Any]) -> int:
    """When the last of the readings behind a crossing came; now, if the journal has none of them."""
    evidence = [short(bytes.fromhex(content)) for content in json.loads(row.evidence)]
    where = (schema.journal.c.content.in_(evidence), schema.journal.c.device_id == row.device_id)
    came = select(func.min(schema.journal.c.received_at)).where(*where).group_by(schema.journal.c.content)
    return max(view.tx.scalars(came), default=view.now)


def _told(detail: str | None) -> int:
    n = 0 if detail is None else json.loads(detail).get("crossing", 0)
    return n if isinstance(n, int) else 0


def _is_late(stranger: Stranger) -> bool:
    return stranger.closed_at < stranger.received_at - LATE_US


def unknown(facts: Stranger, _now: int) -> Alert | None:
    """What was received more than five minutes after it was is in the crossings and raises nothing."""
    subject = _subject(facts.epc, facts.door)
    if subject is None or _is_late(facts):
        return None
    code = _code(facts.epc)
    title = f"Unknown tag went {facts.direction} at {facts.door}: {facts.why}"
    if code is None:
        title = f"Tags without a readable code pass {facts.door}"
    detail = {"epc": facts.epc, "uri": None if code is None else code.uri, "door": facts.door, "why": facts.why}
    counted = {"crossing": facts.n, "times": facts.times}
    return Alert("unknown_tag", subject, "info", title, json.dumps(detail | counted))


def _subject(epc_hex: str, door: str) -> str | None:
    code = _code(epc_hex)
    if code is None:
        return f"door:{door}"
    return None if code.scheme == "sscc" else f"company:{code.company}"


def _code(epc_hex: str) -> epc.Epc | None:
    try:
        return epc.decode(epc_hex)
    except BadCode:
        return None


UNKNOWN_TAG = Rule("unknown_tag", "tag", load_strangers, unknown, is_state=False)
