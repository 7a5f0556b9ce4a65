"""Purchase orders: placed, listed with what came of them, cancelled."""

from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api import items, items_purchases
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body, time_of
from backend.api.queries import purchases as queries
from backend.api.services import Use
from backend.book import purchases as book
from backend.book.db import read, write
from backend.book.purchases import Order, OrderLine
from models.declared import Id
from models.errors import NotFound, Refused
from models.register import Register
from models.units import parse_quantity

router = APIRouter(tags=["purchases"])
Ident = Annotated[str, Path(max_length=64)]


@router.get("/purchase-orders", responses=documented(items.Page[items_purchases.Purchase]))
def list_purchases(services: Use, ask: Annotated[queries.PurchaseAsk, Query()]) -> Response:
    """Purchase orders by n, each line with what has come of it."""
    with read(services.book) as tx:
        found = queries.purchases(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/purchase-orders/{ident:path}", responses=documented(items_purchases.Purchase))
def get_purchase(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One purchase order."""
    with read(services.book) as tx:
        return answer(_found(tx, ident))


@router.put(
    "/purchase-orders/{ident:path}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(items_purchases.PurchaseBody),
)
def put_purchase(services: Use, ident: Ident, body: Body) -> Response:
    """An order that went out; the same id again is harmless, with other content 409. Receipts fill its lines."""
    order = _order(ident, parse_body(body, items_purchases.PurchaseBody))
    now = services.clock()
    with write(services.book) as tx:
        _check_names(services.registers.current(tx), order, now)
        outcome = book.put(tx, order, services.actor, now)
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.post(
    "/purchase-orders/{ident:path}/cancel",
    responses=documented(items_purchases.Purchase),
    openapi_extra=documented_body(items_purchases.Cancellation),
)
def cancel_purchase(services: Use, ident: Ident, body: Body) -> Response:
    """What has not come, of a line or of the order, is expected no more. Harmless when repeated."""
    asked = parse_body(body, items_purchases.Cancellation)
    with write(services.book) as tx:
        book.cancel(tx, ident, asked.line, asked.reason, (services.actor, services.clock()))
        return answer(_found(tx, ident))


def _found(tx: Connection, ident: str) -> items_purchases.Purchase:
    found = queries.one_purchase(tx, ident)
    if found is None:
        msg = f"purchase orders: nothing of id {ident!r}"
        raise NotFound(msg)
    return found


def _order(ident: str, body: items_purchases.PurchaseBody) -> Order:
    try:
        msgspec.convert(ident, Id)
    except msgspec.ValidationError as error:
        msg = f"id: letters, digits and ._:/- expected, got {ident!r}"
        raise Refused(msg) from error
    lines = [
        OrderLine(
            sku=line.sku,
            quantity=parse_quantity(line.quantity),
            price=None if line.price is None else Decimal(line.price),
            expected_at=None if line.expected_at is None else time_of("expected_at", line.expected_at),
        )
        for line in body.lines
    ]
    ordered_at = time_of("ordered_at", body.ordered_at)
    return Order(id=ident, supplier=body.supplier, ordered_at=ordered_at, lines=lines, note=body.note)


def _check_names(register: Register, order: Order, now: int) -> None:
    for line in order.lines:
        if register.get("items", line.sku, now) is None:
            msg = f"sku: one of the items of the register expected, got {line.sku!r}"
            raise Refused(msg)
    if order.supplier is not None and register.get("suppliers", order.supplier, now) is None:
        msg = f"supplier: one of the suppliers of the register expected, got {order.supplier!r}"
        raise Refused(msg)
