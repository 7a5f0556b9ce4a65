"""What the book has of lots, reservations, write-offs and capitalised spares, as the API answers it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, Select, select

from backend.api import items_lots as items
from backend.api.answers import Ask, Paged
from backend.book import lots, recall, register, reservations, virtual
from backend.book.schema import balance
from backend.book.schema_lots import capitalisation, reservation, write_off
from models.declared import Lot
from models.reading import from_micros
from models.stock.ledger import Movement
from models.stock.lot import Known, lot_id, standing
from models.stock.trace import At
from models.units import quantity_text

Named = Annotated[str | None, Field(max_length=128)]


class LotAsk(Ask, frozen=True):
    """Which lots on hand: of an item, of a standing, that expire before so many days from today."""

    sku: Named = None
    standing: Literal["available", "quarantined", "recalled", "expired"] | None = None
    within_days: Annotated[int | None, Field(ge=-36_500, le=36_500)] = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


class ReservationAsk(Paged, frozen=True):
    """Which reservations."""

    sku: Named = None
    state: Literal["open", "fulfilled", "cancelled"] | None = None
    reference: Named = None


class WriteOffAsk(Paged, frozen=True):
    """Which write-offs."""

    sku: Named = None
    state: Literal["requested", "approved", "rejected"] | None = None


def on_hand(tx: Connection, ask: LotAsk, now: int) -> list[items.LotOnHand]:
    """Lots at real places, those that expire first first."""
    query = select(balance).where(balance.c.lot != "", balance.c.on_hand != "0")
    if ask.sku is not None:
        query = query.where(balance.c.sku == ask.sku)
    rows = tx.execute(query).all()
    outside = virtual.kinds(tx, {row.location for row in rows}, now)
    rows = [row for row in rows if row.location not in outside]
    by_sku: dict[str, set[str]] = {}
    for row in rows:
        by_sku.setdefault(row.sku, set()).add(row.lot)
    known = {(sku, lot): each for sku, of in by_sku.items() for lot, each in lots.known(tx, sku, of, now).items()}
    promised = reservations.allocated(tx, by_sku)
    found = [_on_hand(row, known[row.sku, row.lot], promised, now) for row in rows]
    if ask.standing is not None:
        found = [each for each in found if each.standing == ask.standing]
    if ask.within_days is not None:
        found = [each for each in found if each.days_left is not None and each.days_left <= ask.within_days]
    return sorted(found, key=lambda each: (each.days_left is None, each.days_left, each.sku, each.lot, each.location))


def _on_hand(row: Row[Any], known: Known, promised: dict[reservations.Place, Decimal], now: int) -> items.LotOnHand:
    today = lots.day_of(now)
    return items.LotOnHand(
        sku=row.sku,
        lot=row.lot,
        standing=standing(known, today),
        expires=known.expires,
        received=known.received,
        days_left=None if known.expires is None else (known.expires - today).days,
        location=row.location,
        on_hand=row.on_hand,
        allocated=quantity_text(promised.get((row.sku, row.location, row.lot), Decimal(0))),
    )


def traced(tx: Connection, sku: str, lot: str, now: int) -> items.Traced | None:
    """A lot's trace, both ways; None if nobody ever declared it and nothing of it moved."""
    found = recall.traced(tx, sku, lot, now)
    declared = register.held(tx, "lots", [lot_id(sku, lot)], now).get(lot_id(sku, lot))
    if declared is None and not (found.receipts or found.moves or found.issues):
        return None
    body = declared if isinstance(declared, Lot) else Lot()
    return items.Traced(
        sku=sku,
        lot=lot,
        status=body.status,
        expires=body.expires,
        supplier=body.supplier,
        received=quantity_text(found.received),
        present=_places(found.present),
        gone=_places(found.gone),
        unaccounted=quantity_text(found.unaccounted),
        why=found.why,
        unlotted=recall.unlotted(tx, sku, {each.location for each in found.present}),
        receipts=_moves(found.receipts),
        moves=_moves(found.moves),
        issues=_moves(found.issues),
        carried=[
            items.Carried(each["child"], each["parent"], from_micros(each["at"]), each["act"], each["evidence"])
            for each in recall.carried(tx, sku, lot)
        ],
    )


def _places(places: Iterable[At]) -> list[items.LotPlace]:
    return [items.LotPlace(at.location, at.kind, quantity_text(at.quantity)) for at in places]


def _moves(movements: Iterable[Movement]) -> list[items.LotMove]:
    return [
        items.LotMove(m.id, from_micros(m.at), quantity_text(m.quantity), m.source, m.target, m.reason, m.evidence)
        for m in movements
    ]


def reserved(tx: Connection, ask: ReservationAsk) -> list[items.Reservation]:
    """Reservations by n, also those that are over."""
    wanted = {"sku": ask.sku, "state": ask.state, "reference": ask.reference}
    return [_reserved(row) for row in tx.execute(_page(reservation, ask, wanted))]


def one_reservation(tx: Connection, ident: str) -> items.Reservation:
    """One reservation that is there."""
    return _reserved(tx.execute(select(reservation).where(reservation.c.id == ident)).one())


def _reserved(row: Row[Any]) -> items.Reservation:
    fields = ("id", "n", "sku", "quantity", "lot", "location", "purpose", "reference", "state", "allocation", "actor")
    return items.Reservation(
        **{field: getattr(row, field) for field in fields},
        left=quantity_text(reservations.held(row).left),
        need_at=from_micros(row.need_at),
        made_at=from_micros(row.made_at),
    )


def write_offs(tx: Connection, ask: WriteOffAsk) -> list[items.WriteOff]:
    """Write-offs by n."""
    return [_write_off(row) for row in tx.execute(_page(write_off, ask, {"sku": ask.sku, "state": ask.state}))]


def one_write_off(tx: Connection, ident: str) -> items.WriteOff:
    """One write-off that is there."""
    return _write_off(tx.execute(select(write_off).where(write_off.c.id == ident)).one())


def _write_off(row: Row[Any]) -> items.WriteOff:
    fields = ("id", "n", "sku", "lot", "location", "quantity", "reason", "state", "asked_by", "decided_by", "note")
    return items.WriteOff(
        **{field: getattr(row, field) for field in fields},
        asked_at=from_micros(row.asked_at),
        decided_at=None if row.decided_at is None else from_micros(row.decided_at),
        movement=row.movement,
    )


def capitalised(tx: Connection, ask: Paged) -> list[items.Capitalisation]:
    """Capitalised spares by n."""
    return [
        items.Capitalisation(
            **{field: getattr(row, field) for field in ("id", "n", "sku", "lot", "location", "asset", "movement")},
            at=from_micros(row.at),
            actor=row.actor,
            recorded_at=from_micros(row.recorded_at),
        )
        for row in tx.execute(_page(capitalisation, ask, {}))
    ]


def _page(table: Any, ask: Paged, wanted: dict[str, str | None]) -> Select[Any]:  # noqa: ANN401 - a table
    query = select(table).where(table.c.n > ask.after)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return query.order_by(table.c.n).limit(ask.limit)
