"""Where the books have a tag, and which tags they have at a place: from crossings, presence, tasks and sweeps.

Only tags that stand for goods count: what a crossing moved, what a task moved by its tag, what a sweep saw or missed.
A reader of presence has heard them, which moves nothing in the ledger.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from backend.book.schema import crossing, movement, presence
from backend.book.schema_warehouse import tag_stay
from models.declared import Location
from models.register import Register
from models.stock.sweep import Stay

EPCS_A_QUERY = 5000
_EPCS: BindParameter[str] = bindparam("epcs", expanding=True)
_PLACES: BindParameter[str] = bindparam("places", expanding=True)
_PASSED = select(crossing.c.subject, crossing.c.id, movement.c.at, movement.c.target).join(
    movement, movement.c.id == crossing.c.movement
)
_HEARD = select(presence.c.subject, presence.c.id, presence.c.closed_at, presence.c.place).where(
    presence.c.what != "depart"
)
_TOLD = select(tag_stay.c.epc, tag_stay.c.source, tag_stay.c.at, tag_stay.c.how, tag_stay.c.place)
_TOUCHED: tuple[Select[Any], ...] = (
    select(crossing.c.subject)
    .join(movement, movement.c.id == crossing.c.movement)
    .where(movement.c.target.in_(_PLACES)),
    select(presence.c.subject).where(presence.c.place.in_(_PLACES), presence.c.what != "depart"),
    select(tag_stay.c.epc).where(tag_stay.c.place.in_(_PLACES)),
)


def ever_at(tx: Connection, places: Collection[str]) -> set[str]:
    """Every tag of goods that the books ever had at one of these places."""
    wanted = sorted(places)
    return {epc for query in _TOUCHED for epc in tx.scalars(query.distinct(), {"places": wanted})}


def stays(tx: Connection, epcs: Collection[str]) -> dict[str, list[Stay]]:
    """All that the books have of where these tags were, in no order."""
    found: defaultdict[str, list[Stay]] = defaultdict(list)
    for epc, stay in _stays(tx, sorted({*epcs})):
        found[epc].append(stay)
    return dict(found)


def _stays(tx: Connection, epcs: list[str]) -> Iterator[tuple[str, Stay]]:
    for low in range(0, len(epcs), EPCS_A_QUERY):
        asked = {"epcs": epcs[low : low + EPCS_A_QUERY]}
        for epc, ident, at, target in tx.execute(_PASSED.where(crossing.c.subject.in_(_EPCS)), asked):
            yield epc, Stay(at, "moved", target, f"crossing:{ident}")
        for epc, ident, at, place in tx.execute(_HEARD.where(presence.c.subject.in_(_EPCS)), asked):
            yield epc, Stay(at, "heard", place, f"presence:{ident}")
        for epc, source, at, how, place in tx.execute(_TOLD.where(tag_stay.c.epc.in_(_EPCS)), asked):
            yield epc, Stay(at, how, place, source)


def in_ledger(known: Iterable[Stay], without: str = "") -> list[Stay]:
    """Those that the ledger followed: no presence, and not what one source says."""
    return [stay for stay in known if stay.how != "heard" and stay.source != without]


def under(register: Register, places: Iterable[str], at: int) -> list[str]:
    """These places and all that the register has in them at a time: the bins of a zone, the zones of a site."""
    inside: defaultdict[str, list[str]] = defaultdict(list)
    for ident, body in register.all("locations", at).items():
        if isinstance(body, Location) and body.parent is not None:
            inside[body.parent].append(ident)
    found: dict[str, None] = {}
    waiting = [*places]
    while waiting:
        place = waiting.pop(0)
        if place not in found:
            found[place] = None
            waiting += inside[place]
    return [*found]
