"""Orders to be picked, and the tasks of the warehouse: pick, cross-dock, put away, replenish.

Put-away, cross-docking and replenishment are made by the planner from where goods are; picks by releasing an order.
"""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items, items_warehouse
from backend.api import items_tasks as shapes
from backend.api.answers import Ask, Body, Paged, answer, documented, documented_body, page, parse_body
from backend.api.confirming import in_hand
from backend.api.queries import tasks as queries
from backend.api.routes.warehouse import Ident, declared, moment, named, stamp
from backend.api.services import Use
from backend.book import entries, outbound, picks, tasks
from backend.book.db import read, write
from models.stock.picking import Given
from models.units import parse_quantity

router = APIRouter(tags=["warehouse"])
_order = documented(shapes.OutboundOrder)
_task = documented(shapes.WorkTaskWhole)
_why = documented_body(items_warehouse.WorkReasonBody)


@router.get("/outbound", responses=documented(items.Page[shapes.OutboundOrder]))
def list_outbound(services: Use, ask: Annotated[queries.OutboundAsk, Query()]) -> Response:
    """Orders to be picked, by n."""
    with read(services.book) as tx:
        found = queries.order_list(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/outbound/{ident}", responses=_order)
def get_outbound(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One order, and how far each line is."""
    with read(services.book) as tx:
        return answer(queries.one_order(tx, ident))


@router.put(
    "/outbound/{ident}", responses=documented(items.Declared, 201), openapi_extra=documented_body(shapes.OutboundBody)
)
def put_outbound(services: Use, ident: Ident, body: Body) -> Response:
    """What a customer waits for; the same id again is harmless, with other content 409."""
    said = parse_body(body, shapes.OutboundBody)
    lines = [
        outbound.OrderLine(
            line=each.line,
            sku=each.sku,
            quantity=parse_quantity(each.quantity),
            lot=each.lot,
            price=None if each.price is None else Decimal(each.price),
        )
        for each in sorted(said.lines, key=lambda each: each.line)
    ]
    due_at = moment("due", said.due)
    order = outbound.Order(id=named(ident), customer=said.customer, stage=said.stage, due_at=due_at, lines=lines)
    with write(services.book) as tx:
        outcome = outbound.put(tx, services.registers.current(tx), order, stamp(services, said.by))
    return declared(ident, outcome)


@router.post(
    "/outbound/{ident}/release",
    responses=_order,
    openapi_extra=documented_body(shapes.PickReleaseBody, required=False),
)
def release_outbound(services: Use, ident: Ident, body: Body) -> Response:
    """Put what is on no pick list yet on one, and reserve it. What is short stays left, for the next time."""
    said = parse_body(body or b"{}", shapes.PickReleaseBody)
    with write(services.book) as tx:
        picks.release(tx, services.registers.current(tx), ident, said.rule, stamp(services, said.by))
        return answer(queries.one_order(tx, ident))


@router.post("/outbound/{ident}/cancel", responses=_order, openapi_extra=_why)
def cancel_outbound(services: Use, ident: Ident, body: Body) -> Response:
    """The customer waits no more; what was picked stays at the stage. Harmless when repeated."""
    said = parse_body(body, items_warehouse.WorkReasonBody)
    with write(services.book) as tx:
        outbound.end(tx, ident, "cancelled", said.reason, stamp(services, said.by))
        return answer(queries.one_order(tx, ident))


@router.post("/outbound/{ident}/close", responses=_order, openapi_extra=_why)
def close_outbound(services: Use, ident: Ident, body: Body) -> Response:
    """What has left is all that the customer gets; open tasks of it end. Harmless when repeated."""
    said = parse_body(body, items_warehouse.WorkReasonBody)
    with write(services.book) as tx:
        outbound.end(tx, ident, "closed", said.reason, stamp(services, said.by))
        return answer(queries.one_order(tx, ident))


@router.get("/tasks", responses=documented(items.Page[shapes.WorkTask]))
def list_tasks(services: Use, ask: Annotated[queries.TaskAsk, Query()]) -> Response:
    """Tasks by n: of a place, in a state, of a kind, of an order."""
    with read(services.book) as tx:
        found = queries.task_list(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/tasks/{ident}", responses=_task)
def get_task(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One task with its confirmations and its life."""
    with read(services.book) as tx:
        return answer(queries.one_task(tx, ident))


@router.post(
    "/tasks/{ident}/take",
    responses=_task,
    openapi_extra=documented_body(items_warehouse.WorkDecisionBody, required=False),
)
def take_task(services: Use, ident: Ident, body: Body) -> Response:
    """Somebody does it. Harmless when repeated; 409 if another does."""
    said = parse_body(body or b"{}", items_warehouse.WorkDecisionBody)
    with write(services.book) as tx:
        tasks.take(tx, ident, stamp(services, said.by))
        return answer(queries.one_task(tx, ident))


@router.put(
    "/tasks/{ident}/confirmations/{confirmation}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.ConfirmationBody),
)
def put_confirmation(services: Use, ident: Ident, confirmation: Ident, body: Body) -> Response:
    """So much of it was done, by scan or tag: it moves. Other goods or places are refused with what is expected.

    The same id again is harmless, with other content 409.
    """
    said, who = parse_body(body, shapes.ConfirmationBody), named(confirmation)
    with write(services.book) as tx:
        register = services.registers.current(tx)
        by = stamp(services, said.by)
        done = tasks.confirmed_at(tx, who)
        at = moment("at", said.at) if said.at is not None else by.now if done is None else done
        sku, lot, quantity = in_hand(register, said, at)
        given = Given(
            id=who,
            at=at,
            sku=sku,
            lot=lot,
            quantity=quantity,
            location=said.location,
            epc=said.epc,
            evidence=said.evidence,
        )
        if done is None and said.sku is not None:
            entries.check_covered(tx, register, [tasks.moved(tx, ident, given)], by.now)
        outcome = tasks.confirm(tx, register, ident, given, by)
    return declared(confirmation, outcome)


@router.post("/tasks/{ident}/short", responses=_task, openapi_extra=_why)
def short_task(services: Use, ident: Ident, body: Body) -> Response:
    """There is less than the pick list says: the rest is put on it from other places, as far as there is."""
    said = parse_body(body, items_warehouse.WorkReasonBody)
    with write(services.book) as tx:
        picks.short_pick(tx, services.registers.current(tx), ident, said.reason, stamp(services, said.by))
        return answer(queries.one_task(tx, ident))


@router.post("/tasks/{ident}/cancel", responses=_task, openapi_extra=_why)
def cancel_task(services: Use, ident: Ident, body: Body) -> Response:
    """It is not done, or not gone on with. Harmless when repeated."""
    said = parse_body(body, items_warehouse.WorkReasonBody)
    with write(services.book) as tx:
        tasks.end(tx, ident, "cancelled", said.reason, stamp(services, said.by))
        return answer(queries.one_task(tx, ident))


@router.get("/cross-docks", responses=documented(items.Page[shapes.CrossDocked]))
def list_cross_docks(services: Use, ask: Annotated[Paged, Query()]) -> Response:
    """Goods that went from receiving to an order, and how long they stood between the doors; `after` is a task's n."""
    with read(services.book) as tx:
        found = queries.cross_docked(tx, ask)
    return page(found, len(found) + 1, None)
