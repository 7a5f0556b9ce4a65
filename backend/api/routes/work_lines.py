"""What is written down of the work on an order: answers, labour and other costs, parts, notes, photos and files.

A file is taken in as bytes and given out to be saved: it is never looked at, and no browser may show or run it.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from backend.api import items
from backend.api import items_work as shapes
from backend.api import items_work_bodies as bodies
from backend.api.answers import Ask, Body, answer, documented, documented_body, parse_body
from backend.api.queries import work_orders as queries
from backend.api.routes.warehouse import Ident, declared, moment, named
from backend.api.routes.work_orders import bench
from backend.api.services import Services, Use
from backend.book import entries, locks, work_files, work_issues, work_lines, work_parts
from backend.book.db import read, write
from backend.book.work_files import MEDIA, MOST_BYTES, File
from backend.book.work_lines import Spent
from backend.book.work_parts import Part
from backend.book.work_steps import Bench
from models.units import parse_quantity

router = APIRouter(tags=["work orders"])
Number = Annotated[int, Path(ge=1, le=200)]
_whole = documented(shapes.WorkWhole)
_declared = documented(items.Declared, 201)
_why = documented_body(bodies.WorkTakeBody)
_bytes = {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA}
HARMLESS = {"content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff"}


class FileAsk(Ask, frozen=True):
    """What a file is called where it came from."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    by: Annotated[str, Field(min_length=1, max_length=64)] | None = None


async def _read_file(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"body: at most {MOST_BYTES} bytes expected")
    return bytes(body)


FileBody = Annotated[bytes, Depends(_read_file)]


def _done(services: Services, ident: str, by: str | None, work: Callable[[Bench], object]) -> Response:
    """Do something to an order; the whole of it."""
    with write(services.book) as tx:
        at = bench(services, tx, by)
        work(at)
        return answer(queries.whole(at, ident))


@router.put("/work-orders/{ident}/tasks/{line}", responses=_whole, openapi_extra=documented_body(bodies.WorkAnswerBody))
def put_answer(services: Use, ident: Ident, line: Number, body: Body) -> Response:
    """What was found at a task; another answer takes its place until the order is done.

    What is not right, or out of its limits, becomes a request for corrective work, once.
    """
    said = parse_body(body, bodies.WorkAnswerBody)
    with write(services.book) as tx:
        if work_lines.is_reading(tx, ident, line):
            locks.own_register(tx)  # before it is read: two that share it would wait for each other
        at = bench(services, tx, said.by)
        work_lines.answer(at, ident, line, said.said, said.note)
        return answer(queries.whole(at, ident))


@router.put(
    "/work-orders/{ident}/costs/{cost}", responses=_declared, openapi_extra=documented_body(bodies.WorkCostBody)
)
def put_work_cost(services: Use, ident: Ident, cost: Ident, body: Body) -> Response:
    """Labour or another cost; the same id again is harmless, with other content 409."""
    said = parse_body(body, bodies.WorkCostBody)
    figures = {name: None if (v := getattr(said, name)) is None else Decimal(v) for name in ("hours", "rate", "amount")}
    spent = Spent(id=named(cost), kind=said.kind, what=said.what, at=moment("at", said.at), **figures)
    with write(services.book) as tx:
        outcome = work_lines.spend(bench(services, tx, said.by), ident, spent)
    return declared(cost, outcome)


@router.post("/work-orders/{ident}/costs/{cost}/withdraw", responses=_whole, openapi_extra=_why)
def withdraw_work_cost(services: Use, ident: Ident, cost: Ident, body: Body) -> Response:
    """It was written down by mistake and counts no more; `reason` says why."""
    said = parse_body(body, bodies.WorkTakeBody)
    return _done(services, ident, said.by, lambda at: work_lines.withdraw(at, ident, cost, said.reason or "mistake"))


@router.put(
    "/work-orders/{ident}/parts/{part}", responses=_declared, openapi_extra=documented_body(bodies.WorkPartBody)
)
def put_work_part(services: Use, ident: Ident, part: Ident, body: Body) -> Response:
    """A part that is needed; reserved from when the order is planned. The same id again is harmless."""
    said = parse_body(body, bodies.WorkPartBody)
    with write(services.book) as tx:
        at = bench(services, tx, said.by)
        quantity = parse_quantity(said.quantity)
        if said.sku is not None and at.stock:
            quantity = entries.counted(entries.item_of(at.register, said.sku, at.now), quantity, said.unit)
        wanted = Part(
            id=named(part),
            sku=said.sku,
            what=said.what,
            quantity=quantity,
            location=said.location,
            lot=said.lot,
            price=None if said.price is None else Decimal(said.price),
        )
        outcome = work_parts.plan(at, ident, wanted)
    return declared(part, outcome)


@router.post(
    "/work-orders/{ident}/parts/{part}/issue", responses=_whole, openapi_extra=documented_body(bodies.WorkMoveBody)
)
def issue_work_part(services: Use, ident: Ident, part: Ident, body: Body) -> Response:
    """So much of it is handed out before the order is done. Not harmless when repeated: so much more is."""
    said = parse_body(body, bodies.WorkMoveBody)
    quantity = parse_quantity(said.quantity)

    def issue(at: Bench) -> None:
        work_issues.issue(at, ident, part, quantity, at.now if said.at is None else moment("at", said.at))

    return _done(services, ident, said.by, issue)


@router.post(
    "/work-orders/{ident}/parts/{part}/return", responses=_whole, openapi_extra=documented_body(bodies.WorkMoveBody)
)
def return_work_part(services: Use, ident: Ident, part: Ident, body: Body) -> Response:
    """So much that was issued is back, where it was taken or at `location`."""
    said = parse_body(body, bodies.WorkMoveBody)
    quantity = parse_quantity(said.quantity)

    def give_back(at: Bench) -> None:
        when = at.now if said.at is None else moment("at", said.at)
        work_issues.give_back(at, ident, part, quantity, (said.location, when))

    return _done(services, ident, said.by, give_back)


@router.post("/work-orders/{ident}/parts/{part}/drop", responses=_whole, openapi_extra=_why)
def drop_work_part(services: Use, ident: Ident, part: Ident, body: Body) -> Response:
    """It is not needed after all: nothing is reserved for it any more. Harmless when repeated."""
    said = parse_body(body, bodies.WorkTakeBody)
    return _done(services, ident, said.by, lambda at: work_parts.drop(at, ident, part, said.reason))


@router.put(
    "/work-orders/{ident}/notes/{note}", responses=_declared, openapi_extra=documented_body(bodies.WorkNoteBody)
)
def put_work_note(services: Use, ident: Ident, note: Ident, body: Body) -> Response:
    """What somebody has to say; the same id again is harmless, with other words 409."""
    said = parse_body(body, bodies.WorkNoteBody)
    with write(services.book) as tx:
        outcome = work_lines.note(bench(services, tx, said.by), ident, named(note), said.text)
    return declared(note, outcome)


@router.put(
    "/work-orders/{ident}/files/{file}",
    responses=_declared,
    openapi_extra={"requestBody": {"required": True, "content": _bytes}},
)
def put_work_file(  # noqa: PLR0913, PLR0917 - path, query, body and header
    services: Use, ident: Ident, file: Ident, ask: Annotated[FileAsk, Query()], body: FileBody, request: Request
) -> Response:
    """A photo or paper, as bytes of at most 4 MiB; the same id again is harmless, with other content 409."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kept = File(id=named(file), name=ask.name, media=media, content=body)
    with write(services.book) as tx:
        outcome = work_files.keep(bench(services, tx, ask.by), ident, kept)
    return declared(file, outcome)


@router.get("/work-orders/{ident}/files/{file}", responses=documented(items.Declared) | {200: {"content": _bytes}})
def get_work_file(services: Use, ident: Ident, file: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """A file's bytes, to be saved."""
    with read(services.book) as tx:
        found = work_files.one(bench(services, tx), ident, file)
    headers = {**HARMLESS, "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"}
    return Response(found.content, media_type=found.media, headers=headers)
