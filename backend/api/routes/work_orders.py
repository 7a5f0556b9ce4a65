"""Work orders: asked for, planned, worked on, done and closed; made of an alert or of a plan in one call.

Until there is sign-in a body's `by` says who acts; without it, it is the API's own actor.
"""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from msgspec import UNSET
from sqlalchemy import Connection
from starlette.responses import Response

from backend import dues
from backend.api import items
from backend.api import items_work as shapes
from backend.api import items_work_bodies as bodies
from backend.api.answers import Ask, Body, answer, documented, documented_body, page, parse_body
from backend.api.queries import work_orders as queries
from backend.api.routes.warehouse import Ident, declared, moment, named
from backend.api.services import Services, Use
from backend.book import work_life, work_orders
from backend.book.db import read, write
from backend.book.work_steps import Bench
from models.errors import Refused
from models.ids import is_derived
from models.maintenance.due import judge
from models.maintenance.failure_codes import CODES
from models.maintenance.work_order import What, WorkOrder
from models.maintenance.work_task import Task

router = APIRouter(tags=["work orders"])
_whole = documented(shapes.WorkWhole)
_take = documented_body(bodies.WorkTakeBody, required=False)


def bench(services: Services, tx: Connection, by: str | None = None) -> Bench:
    """What work on an order needs."""
    register = services.registers.current(tx)
    return Bench(tx, register, by or services.actor, services.clock(), "stock" in services.modules)


def at_of(field: str, at: Any) -> int | None:  # noqa: ANN401 - a time, or none
    """Microseconds of a time that may be left out."""
    return None if at is None else moment(field, at)


@router.get("/work-orders", responses=documented(items.Page[shapes.WorkHead]))
def list_work_orders(services: Use, ask: Annotated[queries.WorkAsk, Query()]) -> Response:
    """Work orders by n."""
    with read(services.book) as tx:
        found = queries.listed(tx, ask, services.clock())
    return page(found, ask.limit, found[-1].n if found else None)


@router.get("/work-orders/figures", responses=documented(shapes.WorkFigures))
def get_work_figures(services: Use, ask: Annotated[queries.FiguresAsk, Query()]) -> Response:
    """The backlog, and how long corrective work took on the mean: of an asset, a site, a team, or all."""
    with read(services.book) as tx:
        return answer(queries.work_figures(tx, ask, services.clock()))


@router.get("/failure-codes", responses=documented(items.Page[shapes.WorkCode]))
def list_failure_codes(services: Use, _ask: Annotated[Ask, Query()]) -> Response:
    """How failures are coded: what is built in, and what the register adds."""
    with read(services.book) as tx:
        known = CODES | work_life.own_codes(bench(services, tx))
    found = [
        shapes.WorkCode(code, each.aspect, each.name, [*each.kinds], code in CODES) for code, each in known.items()
    ]
    return page(found, len(found) + 1, None)


@router.get("/work-orders/{ident}", responses=_whole)
def get_work_order(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """One order with its tasks, parts, costs, files and its whole life."""
    with read(services.book) as tx:
        return answer(queries.whole(bench(services, tx), ident))


@router.put(
    "/work-orders/{ident}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(bodies.WorkOrderBody),
)
def put_work_order(services: Use, ident: Ident, body: Body) -> Response:
    """Ask for work; the same id again is harmless, with other content 409. A plan has at most one open order."""
    said, who = parse_body(body, bodies.WorkOrderBody), named(ident)
    if is_derived(who):
        msg = f"id: no UUID of version 5 expected, which the books make of alerts and plans, got {who}"
        raise Refused(msg)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        wanted = _wanted(who, said, kind=said.kind, approved=said.approved, plan=said.plan)
        outcome = work_orders.make(at, wanted, _covers(at, wanted))
    return declared(ident, outcome)


def _covers(at: Bench, wanted: WorkOrder) -> work_orders.Covers | None:
    """The plan's next occurrence, and all that it stands for."""
    if wanted.plan is None:
        return None
    known = [each for each in dues.facts(at.tx, at.register, [wanted.asset], at.now) if each.plan_id == wanted.plan]
    return work_orders.Covers(known[0].occurrence, judge(known[0], at.now).numbers) if known else None


def _wanted(ident: str, said: bodies.WorkOrderBody | bodies.WorkOfAlertBody, **more: Any) -> WorkOrder:  # noqa: ANN401
    """What a body asks for; `more` is what only one of the two shapes has."""
    return WorkOrder(
        id=ident,
        asset=said.asset or "",
        title=said.title or "",
        text=said.text,
        priority=said.priority,
        component=said.component,
        failed_at=at_of("failed_at", said.failed_at),
        due_at=at_of("due", said.due),
        planned_at=at_of("planned", said.planned),
        assignee=said.assignee,
        team=said.team,
        estimate_h=None if said.estimate_h is None else Decimal(said.estimate_h),
        tasks=[_task(each) for each in said.tasks],
        **more,
    )


def _task(said: bodies.WorkTaskBody) -> Task:
    least, most = (None if each is None else Decimal(each) for each in (said.least, said.most))
    own = {field: getattr(said, field) for field in ("text", "kind", "required", "meter", "unit")}
    return Task(**own, least=least, most=most)


@router.post(
    "/alerts/{ident}/work-order",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(bodies.WorkOfAlertBody, required=False),
)
def post_alert_work_order(services: Use, ident: Ident, body: Body) -> Response:
    """The order of an alert: made now, or the one that there is; of a plan that is due its open one."""
    said = parse_body(body or b"{}", bodies.WorkOfAlertBody)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        made, is_new = work_orders.from_alert(at, ident, _wanted("", said, kind="corrective"))
    return declared(made, "created" if is_new else "same")


def _taken(services: Services, ident: str, what: What, body: bytes) -> Response:
    said = parse_body(body or b"{}", bodies.WorkTakeBody)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        if what == "reopen":
            work_life.reopen(at, ident, said.reason or "")
        else:
            work_life.take(at, ident, what, said.reason)
        return answer(queries.whole(at, ident))


STEPS: dict[What, str] = {
    "approve": "A request is to be done. Harmless when repeated, as every step is; 409 from another state.",
    "reject": "A request is not to be done; `reason` says why.",
    "start": "Work begins.",
    "hold": "Work waits; `reason` says for what.",
    "resume": "Work goes on.",
    "reopen": "It is not done after all, with a reason: parts are reversed in the ledger, the service is withdrawn.",
    "close": "What was done is accepted, for good.",
    "cancel": "It is not done, or not gone on with; `reason` says why. Reserved parts are released, used ones stay.",
}
"""What is asked of an order with no more than a reason, and what it means."""


def _step(what: What) -> Any:  # noqa: ANN401 - a route's function
    def take(services: Use, ident: Ident, body: Body) -> Response:
        return _taken(services, ident, what, body)

    return take


for _what, _means in STEPS.items():
    router.post(
        f"/work-orders/{{ident}}/{_what}",
        responses=_whole,
        openapi_extra=_take,
        description=_means,
        name=f"{_what}_work_order",
    )(_step(_what))


@router.post("/work-orders/{ident}/plan", responses=_whole, openapi_extra=documented_body(bodies.WorkPlanBody))
def plan_work_order(services: Use, ident: Ident, body: Body) -> Response:
    """When it begins, until when, by whom: it is planned, and its parts are reserved. Later the plan is changed."""
    said = parse_body(body, bodies.WorkPlanBody)
    times = {f"{name}_at": getattr(said, name) for name in ("planned", "due")}
    values: dict[str, Any] = {
        field: at if at is UNSET else at_of(field.removesuffix("_at"), at) for field, at in times.items()
    }
    values |= {field: getattr(said, field) for field in ("assignee", "team", "priority", "estimate_h")}
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        work_life.plan(at, ident, {field: value for field, value in values.items() if value is not UNSET}, said.note)
        return answer(queries.whole(at, ident))


@router.post("/work-orders/{ident}/complete", responses=_whole, openapi_extra=documented_body(bodies.WorkDoneBody))
def complete_work_order(services: Use, ident: Ident, body: Body) -> Response:
    """It is done, all in one: parts leave the stock, the service or repair is recorded, downtime ends, costs stand."""
    said = parse_body(body, bodies.WorkDoneBody)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        ended = work_life.Ended(
            at=at.now if said.at is None else moment("at", said.at),
            component=said.component,
            failed_at=at_of("failed_at", said.failed_at),
            codes={**said.codes},
            hours=None if said.hours is None else Decimal(said.hours),
            used={part: Decimal(quantity) for part, quantity in said.used.items()},
            note=said.note,
            proof=work_life.Proof(
                result=said.result, certificate=said.certificate, as_found=said.as_found, as_left=said.as_left
            ),
        )
        work_life.complete(at, ident, ended)
        return answer(queries.whole(at, ident))


@router.post("/work-orders/{ident}/downtime", responses=_whole, openapi_extra=documented_body(bodies.WorkDownBody))
def post_work_downtime(services: Use, ident: Ident, body: Body) -> Response:
    """The asset cannot be used from a time on, until the order is done. Harmless when repeated."""
    said = parse_body(body, bodies.WorkDownBody)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        begin_at = moment("since", said.since)
        work_life.stand_still(at, ident, begin_at, planned=said.planned, reason=said.reason)
        return answer(queries.whole(at, ident))
