"""Which tags are where, told by readers of presence: what was last said of each tag at each reader, as of a time."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Connection, case, func, select

from backend.api.answers import When
from backend.api.items import Present
from backend.api.queries.moves import with_device
from backend.book.schema import presence
from models.reading import from_micros, micros


class PresenceAsk(BaseModel, frozen=True, extra="forbid"):
    """Which tags: at one place, one of them, as of a time (else now). Departed tags are at no place."""

    place: Annotated[str | None, Field(max_length=256)] = None
    epc: Annotated[str | None, Field(max_length=128)] = None
    as_of: When | None = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


def present(tx: Connection, ask: PresenceAsk) -> list[Present]:
    """Tags that are present, by EPC and reader; `after` is how many to leave out."""
    at = presence.c
    last = case((at.what == "depart", 0), (at.what == "arrive", 1), else_=2)
    turn = func.row_number().over(
        partition_by=(at.device_id, at.subject), order_by=(at.closed_at.desc(), last.desc(), at.n.desc())
    )
    said = select(at.n, turn.label("turn"))
    if ask.epc is not None:
        said = said.where(at.subject == ask.epc.lower())
    if ask.as_of is not None:
        said = said.where(at.closed_at <= micros(ask.as_of))
    newest = said.subquery()
    query = with_device(presence).join(newest, newest.c.n == at.n).where(newest.c.turn == 1, at.what != "depart")
    if ask.place is not None:
        query = query.where(at.place == ask.place)
    rows = tx.execute(query.order_by(at.subject, at.closed_at, at.n).offset(ask.after).limit(ask.limit))
    return [
        Present(
            row.subject, row.place, from_micros(row.closed_at), row.what, row.was, row.gateway_name, row.device_name
        )
        for row in rows
    ]
