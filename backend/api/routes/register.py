"""The register: sites, locations, devices, items, assets, tags; dated declarations, never overwritten.

A PUT that changes something is a further entry from `valid_from` on; the same body again is "same".
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api import items
from backend.api.answers import Ask, Body, Dated, When, answer, documented, documented_body, page
from backend.api.queries.stock import registered
from backend.api.services import Services, Use
from backend.book import locks, references, references_assets, register
from backend.book.db import read, write
from models import modules
from models.declared import KINDS, Id, LotId, decode_body
from models.errors import Clash, NotFound, Refused
from models.reading import micros

router = APIRouter(tags=["register"])
Ident = Annotated[str, Path(max_length=128)]
Named = Annotated[str | None, Field(max_length=64)]


class Since(Ask, frozen=True):
    """The time from which a declaration holds; default now."""

    valid_from: When | None = None


class AssetsAsk(Dated, frozen=True):
    """And which assets: those of a site, business unit, project, category, state, or components of one."""

    site: Named = None
    unit: Named = None
    project: Named = None
    category: Named = None
    state: Named = None
    parent: Named = None


def list_assets(services: Use, ask: Annotated[AssetsAsk, Query()]) -> Response:
    """Assets as they are at a time."""
    at = _at(services, ask.as_of)
    wanted = ask.model_dump(exclude={"as_of"}, exclude_none=True)
    with read(services.book) as tx:
        found = [
            each
            for each in registered(tx, "assets", at)
            if all(getattr(decode_body("assets", bytes(each.body)), name) == value for name, value in wanted.items())
        ]
    return page(found, len(found) + 1, None)


def _at(services: Services, when: datetime | None) -> int:
    return services.clock() if when is None else micros(when)


def _list(kind: str) -> Any:  # noqa: ANN401 - a route's function
    def list_kind(services: Use, ask: Annotated[Dated, Query()]) -> Response:
        at = _at(services, ask.as_of)
        with read(services.book) as tx:
            found = registered(tx, kind, at)
        return page(found, len(found) + 1, None)

    return list_kind


def _get(kind: str) -> Any:  # noqa: ANN401 - a route's function
    def get_one(services: Use, ident: Ident, ask: Annotated[Dated, Query()]) -> Response:
        at = _at(services, ask.as_of)
        with read(services.book) as tx:
            found = registered(tx, kind, at, _ident(kind, ident))
        if not found:
            msg = f"{kind}: nothing of id {ident!r} at that time"
            raise NotFound(msg)
        return answer(found[0])

    return get_one


def _put(kind: str) -> Any:  # noqa: ANN401 - a route's function
    def put_one(services: Use, ident: Ident, body: Body, since: Annotated[Since, Query()]) -> Response:
        outcome = _declare(services, kind, _ident(kind, ident), body, since)
        return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)

    return put_one


def _declare(services: Services, kind: str, ident: str, body: bytes, since: Since) -> register.Outcome:
    now = services.clock()
    at = now if since.valid_from is None else micros(since.valid_from)
    declared = decode_body(kind, body)
    modules.check(kind, ident, declared, services.modules)
    with write(services.book) as tx:
        locks.own_register(tx)
        before = _problems(tx, at, now)
        outcome = register.put(tx, kind, ident, declared, valid_from=at, actor=services.actor, now=now)
        if new := sorted(_problems(tx, at, now) - before):
            taken = {*references_assets.numbers(register.load(tx), at)}
            raise (Clash if taken.issuperset(new) else Refused)("; ".join(new))
    return outcome


def _problems(tx: Connection, *times: int) -> set[str]:
    loaded = register.load(tx)
    return {problem for at in times for problem in references.problems(loaded, at)}


def _ident(kind: str, text: str) -> str:
    ident = text.lower() if kind == "tags" else text
    try:
        return msgspec.convert(ident, LotId if kind == "lots" else Id)
    except msgspec.ValidationError as error:
        expected = "ITEM/LOT" if kind == "lots" else "letters, digits and ._:/-"
        msg = f"id: {expected} expected, got {text[:64]!r}"
        raise Refused(msg) from error


for _kind, _shape in KINDS.items():
    _one = f"/{_kind}/{{ident:path}}"
    _name = _kind.removesuffix("s")
    router.get(f"/{_kind}", name=f"list_{_kind}", responses=documented(items.Page[items.Registered]))(
        list_assets if _kind == "assets" else _list(_kind)
    )
    router.get(_one, name=f"get_{_name}", responses=documented(items.Registered))(_get(_kind))
    router.put(
        _one, name=f"put_{_name}", responses=documented(items.Declared, 201), openapi_extra=documented_body(_shape)
    )(_put(_kind))
