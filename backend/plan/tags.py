"""A tag that crossed a door and is nothing that the register knows: told once per company, while it is news."""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import select

from backend.book import schema
from backend.plan.rule import SECOND_US, Rule, View
from models import epc
from models.alert import Alert
from models.errors import BadCode

LATE_US = 300 * SECOND_US


class Stranger(Struct, frozen=True):
    """A crossing of an unknown tag."""

    epc: str
    door: str
    direction: str
    closed_at: int
    why: str


def load_strangers(view: View, epcs: Sequence[str]) -> list[tuple[str, Stranger]]:
    """Crossings in or out of these tags, not late, that name no item and no asset; one for each alert's subject.

    A pallet's own code carries no stock by itself, and a tag that the register says to ignore is known.
    """
    table = schema.crossing.c
    rows = (
        select(table.subject, table.door, table.direction, table.closed_at, table.why)
        .where(table.subject.in_(epcs), table.closed_at >= view.now - LATE_US, table.direction != "none")
        .where(table.sku.is_(None), table.asset.is_(None))
        .order_by(table.closed_at)
    )
    found: dict[str, Stranger] = {}
    for row in view.tx.execute(rows):
        subject = _subject(row.subject)
        if subject is not None and view.register.get("tags", row.subject, row.closed_at) is None:
            facts = Stranger(row.subject, row.door, row.direction, row.closed_at, row.why)
            found.setdefault(subject, facts)
    return list(found.items())


def unknown(facts: Stranger, now: int) -> Alert | None:
    """News for five minutes; what is heard of later is in the crossings and raises nothing."""
    subject = _subject(facts.epc)
    if subject is None or facts.closed_at < now - LATE_US:
        return None
    title = f"Unknown tag went {facts.direction} at {facts.door}: {facts.why}"
    code = _code(facts.epc)
    detail = {"epc": facts.epc, "uri": None if code is None else code.uri, "door": facts.door, "why": facts.why}
    return Alert("unknown_tag", subject, "info", title, json.dumps(detail))


def _subject(epc_hex: str) -> str | None:
    code = _code(epc_hex)
    if code is None:
        return f"epc:{epc_hex}"
    return None if code.scheme == "sscc" else f"company:{code.company}"


def _code(epc_hex: str) -> epc.Epc | None:
    try:
        return epc.decode(epc_hex)
    except BadCode:
        return None


UNKNOWN_TAG = Rule("unknown_tag", "tag", load_strangers, unknown, is_state=False)
