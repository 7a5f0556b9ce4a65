"""Gateways that have fallen silent, and outboxes that are gone with readings in them."""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import case, func, select

from backend.book import schema
from backend.plan.rule import SECOND_US, Rule, View
from models.alert import Alert

SILENT_US = 90 * SECOND_US
UNLISTED_US = 120 * SECOND_US
EVERY_US = 10 * SECOND_US


class Contact(Struct, frozen=True):
    """When a gateway last said anything of itself, and whether it said that it is there."""

    name: str
    online: bool
    last_seen: int


class Backlog(Struct, frozen=True):
    """A stream as its outbox last listed it; `heard_at` is the last online status, which may list it no more."""

    gateway: str
    epoch: str
    mark: int
    listed_next_seq: int
    listed_at: int
    heard_at: int


def load_contacts(view: View, names: Sequence[str]) -> list[tuple[str, Contact]]:
    """The gateways that have ever sent a status."""
    table = schema.gateway.c
    rows = select(table.name, table.online, table.last_seen).where(table.name.in_(names), table.status.is_not(None))
    return [(f"gateway:{name}", Contact(name, online, seen or 0)) for name, online, seen in view.tx.execute(rows)]


def load_backlogs(view: View, names: Sequence[str]) -> list[tuple[str, Backlog]]:
    """Their streams that an outbox has ever listed.

    An offline gateway's last online status is the last that listed any stream; the will that came since says nothing.
    """
    gateway, stream, other = schema.gateway.c, schema.stream.c, schema.stream.alias().c
    heard = select(func.max(other.listed_at)).where(other.gateway_id == gateway.id).scalar_subquery()
    last_online = case((gateway.online, gateway.last_seen), else_=heard)
    rows = (
        select(schema.stream, gateway.name, last_online.label("heard_at"))
        .join(schema.gateway, gateway.id == stream.gateway_id)
        .where(gateway.name.in_(names), stream.listed_next_seq.is_not(None), stream.listed_at.is_not(None))
    )
    return [
        (
            f"stream:{row.name}/{row.epoch}",
            Backlog(row.name, row.epoch, row.mark, row.listed_next_seq, row.listed_at, row.heard_at or 0),
        )
        for row in view.tx.execute(rows)
    ]


def every_gateway(view: View) -> list[str]:
    """All gateways."""
    return list(view.tx.scalars(select(schema.gateway.c.name).order_by(schema.gateway.c.name)))


def offline(facts: Contact, now: int) -> Alert | None:
    """It said goodbye, or its broker did for it, or nothing came for 90 s (a status is due every 30 s)."""
    if facts.online and now - facts.last_seen < SILENT_US:
        return None
    why = "no status for 90 s" if facts.online else "it went offline"
    detail = json.dumps({"gateway": facts.name, "why": why, "last_seen_us": facts.last_seen})
    return Alert("gateway_offline", f"gateway:{facts.name}", "critical", f"Gateway {facts.name}: {why}", detail)


def lost(facts: Backlog, _now: int) -> Alert | None:
    """An online gateway has not listed, for two minutes, a stream whose last readings never came.

    That outbox was deleted or replaced (contract, "Streams"); that the gateway goes offline does not bring it back.
    """
    missing = facts.listed_next_seq - 1 - facts.mark
    if missing <= 0 or facts.heard_at - facts.listed_at < UNLISTED_US:
        return None
    title = f"{missing} readings of {facts.gateway} are gone: its outbox no longer has epoch {facts.epoch}"
    detail = {"gateway": facts.gateway, "epoch": facts.epoch, "from_seq": facts.mark + 1, "readings": missing}
    return Alert("lost_outbox", f"stream:{facts.gateway}/{facts.epoch}", "critical", title, json.dumps(detail))


GATEWAY_OFFLINE = Rule(
    "gateway_offline", "gateway", load_contacts, offline, everything=every_gateway, every_us=EVERY_US
)
LOST_OUTBOX = Rule("lost_outbox", "gateway", load_backlogs, lost, everything=every_gateway, every_us=EVERY_US)
