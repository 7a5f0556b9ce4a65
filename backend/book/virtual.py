"""Which locations stand for the world outside, and of which kind: what goes there is no longer on hand."""

from collections.abc import Iterable

from sqlalchemy import Connection

from backend.book import register
from models.declared import Location
from models.place import VIRTUAL
from models.register import Register

OUTSIDE = "outside"
"""The kind of a virtual place that says nothing more of itself."""


def kinds(tx: Connection, ids: Iterable[str], at: int) -> dict[str, str]:
    """The kinds of those of some locations that are virtual at a time; the ids of models.place are, declared or not."""
    wanted = {*ids}
    declared = register.held(tx, "locations", wanted, at)
    found = {ident: _kind(ident, declared.get(ident)) for ident in wanted}
    return {ident: kind for ident, kind in found.items() if kind is not None}


def place_of(known: Register, kind: str, at: int) -> str:
    """Where things of a kind go: the location of the kind that is called so, else its first, else that name itself."""
    places = known.all("locations", at)
    found = sorted(ident for ident, body in places.items() if _kind(ident, body) == kind)
    return kind if kind in found or not found else found[0]


def _kind(ident: str, body: object) -> str | None:
    if not isinstance(body, Location):
        return ident if ident in VIRTUAL else None
    if not body.is_virtual:
        return None
    named = body.kind or ident
    return named if named in VIRTUAL else OUTSIDE
