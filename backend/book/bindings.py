"""What scans say that tags are on, in the register: a dated entry for each ASSIGN that stands, in its transaction.

The entries follow from the acts alone, whatever order they came in: an act that later readings take away, or that is
taken back by UNDO, is withdrawn by a further entry of the same time, as if nothing had been declared there. What a
person declared of the same moment holds.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from backend.book import locks, schema
from backend.book.register import BY_SCAN, append
from models.declared import TagBinding, decode_body

WITHDRAWN = TagBinding("before")
_ACTS = schema.scan_act.c
_UNDO = schema.scan_act.alias()


class _Held(NamedTuple):
    """The entry that counts of one moment."""

    actor: str
    body: TagBinding


def tags_of(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The tags that these rows of acts say something of."""
    return {row["epc"] for row in rows if row["epc"] is not None}


def follow(tx: Connection, tags: Iterable[str], now: int) -> None:
    """Bring the register entries of these tags in line with the acts of the book."""
    wanted = sorted(tags)
    if wanted:
        locks.own_register(tx)  # before what others said of them is looked at
    for tag in wanted:
        for at, actor, body in missing(tx, tag):
            append(tx, "tags", tag, body, valid_from=at, actor=actor, now=now)


def missing(tx: Connection, tag: str) -> list[tuple[int, str, TagBinding]]:
    """The entries (valid_from, actor, body) that the acts of the book call for and the register does not have."""
    wanted, held = _wanted(tx, tag), _held(tx, tag)
    found: list[tuple[int, str, TagBinding]] = []
    for at in sorted({*wanted, *(at for at, entry in held.items() if entry.actor.startswith(BY_SCAN))}):
        entry = held.get(at)
        actor, body = wanted.get(at) or (entry.actor if entry is not None else BY_SCAN, WITHDRAWN)
        if entry is None or (entry.actor.startswith(BY_SCAN) and entry.body != body):
            found.append((at, actor, body))
    return found


def _wanted(tx: Connection, tag: str) -> dict[int, tuple[str, TagBinding]]:
    """By time, who said and what; of two acts of one moment always the same one."""
    undone = select(_UNDO.c.id).where(_UNDO.c.undoes == _ACTS.id).exists()
    acts = select(schema.scan_act).where(_ACTS.epc == tag, _ACTS.action == "assign", ~undone)
    return {row.at: (f"{BY_SCAN}{row.device}"[:64], _binding(row)) for row in tx.execute(acts.order_by(_ACTS.id))}


def _binding(row: Row[Any]) -> TagBinding:
    if row.asset is not None:
        return TagBinding("asset", asset=row.asset)
    return TagBinding("stock", sku=row.sku, quantity=Decimal(row.quantity))


def _held(tx: Connection, tag: str) -> dict[int, _Held]:
    entry = schema.register_entry.c
    rows = select(entry.valid_from, entry.actor, entry.body).where(entry.kind == "tags", entry.id == tag)
    held: dict[int, _Held] = {}
    for at, actor, text in tx.execute(rows.order_by(entry.n)):
        body = decode_body("tags", text)
        assert isinstance(body, TagBinding)  # noqa: S101 - the kind's struct
        held[at] = _Held(actor, body)
    return held
