"""The dossier of an asset: one call that proves what it is, where it is, how it was used, what it is worth."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api import items_dossier
from backend.api.answers import answer, documented
from backend.api.queries import dossier as queries
from backend.api.queries.custody import AtAsk
from backend.api.routes.fleet import Ident, known_asset
from backend.api.services import Use
from backend.book import proofs
from backend.book.db import read, write
from models.reading import micros

router = APIRouter(tags=["assets"])


@router.get("/assets/{ident:path}/dossier", responses=documented(items_dossier.Dossier))
def get_dossier(services: Use, ident: Ident, ask: Annotated[AtAsk, Query()]) -> Response:
    """An asset as of a date: place, custody, use, value, services and work, each with its evidence and its proof."""
    now = services.clock()
    with read(services.book) as tx:
        is_behind = proofs.is_behind(tx)
    while is_behind:
        with write(services.book) as tx:
            is_behind = proofs.bring_up(tx) > 0
    with read(services.book) as tx:
        register = services.registers.current(tx)
        at = now if ask.at is None else micros(ask.at)
        moment = queries.Moment(at, now, services.complete_to(tx, now))
        return answer(queries.dossier(tx, register, known_asset(register, ident, at), moment))
