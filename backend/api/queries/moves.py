"""What was decided to have moved: crossings, and the entries of the stock ledger.

`after` is the n of the last row seen; lists are by rising n, except those called latest, which the page shows.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, Select, Table, or_, select

from backend.api import items
from backend.book.schema import crossing, device, gateway, movement
from models.reading import from_micros

_texts = msgspec.json.Decoder(list[str])
_chances = msgspec.json.Decoder(list[float])


def with_device(table: Table) -> Select[Any]:
    """Rows of a derived table with the names of their device and its gateway."""
    return (
        select(table, device.c.name.label("device_name"), gateway.c.name.label("gateway_name"))
        .join(device, device.c.id == table.c.device_id)
        .outerjoin(gateway, gateway.c.id == device.c.gateway_id)
    )


class CrossingAsk(BaseModel, frozen=True, extra="forbid"):
    """Which crossings: above an n, of one device, of one tag."""

    after: int = Field(0, ge=0, lt=2**63)
    device: str | None = Field(None, max_length=128)
    epc: str | None = Field(None, max_length=128)
    limit: int = Field(1000, ge=1, le=1000)


def crossings(tx: Connection, ask: CrossingAsk) -> list[items.Crossing]:
    """Crossings decided, by n."""
    query = with_device(crossing).where(crossing.c.n > ask.after)
    if ask.device is not None:
        query = query.where(device.c.name == ask.device)
    if ask.epc is not None:
        query = query.where(crossing.c.subject == ask.epc.lower())
    return [_crossing(row) for row in tx.execute(query.order_by(crossing.c.n).limit(ask.limit))]


def latest_crossings(tx: Connection, limit: int, kinds: Sequence[str]) -> list[items.Crossing]:
    """The crossings of these kinds that ended last, newest first; each kind is one walk down an index."""
    found: list[Row[Any]] = []
    for kind in kinds:
        of_kind = with_device(crossing).where(crossing.c.kind == kind)
        found += tx.execute(of_kind.order_by(crossing.c.closed_at.desc(), crossing.c.n.desc()).limit(limit))
    return [_crossing(row) for row in sorted(found, key=lambda row: (row.closed_at, row.n), reverse=True)[:limit]]


def one_crossing(tx: Connection, ident: str) -> items.Crossing | None:
    """One crossing."""
    row = tx.execute(with_device(crossing).where(crossing.c.id == ident)).one_or_none()
    return None if row is None else _crossing(row)


def _crossing(row: Row[Any]) -> items.Crossing:
    return items.Crossing(
        id=row.id,
        n=row.n,
        gateway=row.gateway_name,
        device=row.device_name,
        door=row.door,
        epc=row.subject,
        first_at=from_micros(row.first_at),
        last_at=from_micros(row.last_at),
        closed_at=from_micros(row.closed_at),
        direction=row.direction,
        score=row.score,
        reasons=_texts.decode(row.reasons),
        rule=row.rule,
        own_direction=row.own_direction,
        own_score=row.own_score,
        own_reasons=_texts.decode(row.own_reasons),
        chances=_chances.decode(row.chances),
        stray=row.stray,
        evidence=_texts.decode(row.evidence),
        evidence_count=row.evidence_count,
        kind=row.kind,
        sku=row.sku,
        asset=row.asset,
        quantity=row.quantity,
        why=row.why,
        movement=row.movement,
    )


class MovementAsk(BaseModel, frozen=True, extra="forbid"):
    """Which entries: above an n, of an item, from or to a place, of a lot."""

    after: int = Field(0, ge=0, lt=2**63)
    sku: str | None = Field(None, max_length=128)
    location: str | None = Field(None, max_length=128)
    lot: str | None = Field(None, max_length=128)
    limit: int = Field(1000, ge=1, le=1000)


def movements(tx: Connection, ask: MovementAsk) -> list[items.Movement]:
    """Entries of the ledger, by n."""
    query = select(movement).where(movement.c.n > ask.after)
    for column, wanted in ((movement.c.sku, ask.sku), (movement.c.lot, ask.lot)):
        if wanted is not None:
            query = query.where(column == wanted)
    if ask.location is not None:
        query = query.where(or_(movement.c.source == ask.location, movement.c.target == ask.location))
    return [_movement(row) for row in tx.execute(query.order_by(movement.c.n).limit(ask.limit))]


def latest_movements(tx: Connection, limit: int) -> list[items.Movement]:
    """The movements that happened last, newest first."""
    query = select(movement).order_by(movement.c.at.desc(), movement.c.n.desc()).limit(limit)
    return [_movement(row) for row in tx.execute(query)]


def one_movement(tx: Connection, ident: str) -> items.Movement | None:
    """One entry of the ledger."""
    row = tx.execute(select(movement).where(movement.c.id == ident)).one_or_none()
    return None if row is None else _movement(row)


def of_fact(tx: Connection, fact: str) -> list[items.Movement]:
    """The entries of a fact by n: what was posted first, then what took that back, and so on."""
    query = select(movement).where(movement.c.movement_id == fact).order_by(movement.c.n)
    return [_movement(row) for row in tx.execute(query)]


def _movement(row: Row[Any]) -> items.Movement:
    return items.Movement(
        id=row.id,
        n=row.n,
        movement=row.movement_id,
        at=from_micros(row.at),
        recorded_at=from_micros(row.recorded_at),
        sku=row.sku,
        lot=row.lot,
        quantity=row.quantity,
        source=row.source,
        target=row.target,
        reason=row.reason,
        evidence=_texts.decode(row.evidence),
        reverses=row.reverses,
        actor=row.actor,
    )
