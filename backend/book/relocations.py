"""Where assets are and were, by all that the book has of them; `asset_place` has where the planner last saw each.

A component is seen as its parent is while it is on it, unless it is seen itself.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select

from backend.book import events, locks
from backend.book.schema_custody import asset_place
from backend.book.sightings import Of, Span, last_claim, sightings
from models.assets.place import Place, Relocation, inherited, relocations, where
from models.assets.sighting import Sighting
from models.declared import Asset, Location, Zone
from models.place import within
from models.register import Register

EVER = 0
LATE_US = 300_000_000


class Kept(NamedTuple):
    """Where the planner last saw an asset."""

    asset: str
    place: str | None
    since: int
    seen_at: int
    source: str
    by: str
    via: str | None


def place_of(tx: Connection, register: Register, asset: str, at: int) -> Place | None:
    """Where an asset is as of a time, by what is known now; None if it was never seen."""
    known = _known(tx, register, asset, (None, at), frozenset())
    return where(known, at)


def history(tx: Connection, register: Register, asset: str, span: Span) -> list[Relocation]:
    """Every change of place in a span, in order."""
    since, until = span
    moved = relocations(asset, _known(tx, register, asset, (since, until), frozenset()), until)
    return [each for each in moved if each.at >= since]


def moved_until(tx: Connection, register: Register, asset: str, span: Span) -> list[Relocation]:
    """Changes of place up to the end of a span, from the one that says where it was when the span began."""
    since, until = span
    return relocations(asset, _known(tx, register, asset, (since, until), frozenset()), until)


def without(tx: Connection, register: Register, asset: str, span: Span, by: str) -> list[Sighting]:
    """The sightings that say where an asset was in a span, but for what one source says."""
    return [each for each in _known(tx, register, asset, span, frozenset()) if each.id != by]


def _known(
    tx: Connection, register: Register, asset: str, span: tuple[int | None, int], seen: frozenset[str]
) -> list[Sighting]:
    """The sightings that say where it was in a span, or only at its end; `seen` are the components that ask."""
    since, until = span
    of = Of(tx, register, asset)
    at = until if since is None else since
    begin = last_claim(of, at)
    known = sightings(of, (begin, until))
    if begin > EVER and not any(each.what == "seen" and each.at <= at for each in known):
        known = sightings(of, (EVER, until))
    for parent, low, high in _parents(register, asset):
        if parent not in seen | {asset} and low <= until and high > begin:
            theirs = _known(tx, register, parent, (max(low, begin), min(high, until)), seen | {asset})
            known += inherited(parent, theirs, (low, high))
    return known


def _parents(register: Register, asset: str) -> list[tuple[str, int, int]]:
    """(parent, from, up to) of every time that it was a component."""
    dated = register.entries.get(("assets", asset), [])
    found: list[tuple[str, int, int]] = []
    for number, entry in enumerate(dated):
        end = dated[number + 1].valid_from if number + 1 < len(dated) else 1 << 62
        parent = entry.body.parent if isinstance(entry.body, Asset) else None
        if parent is None or entry.valid_from >= end:
            continue
        if found and found[-1][0] == parent and found[-1][2] == entry.valid_from:
            found[-1] = (parent, found[-1][1], end)
        else:
            found.append((parent, entry.valid_from, end))
    return found


def keep(tx: Connection, asset: str, place: Place, now: int) -> bool:
    """Note where an asset is now; whether that is another place than was noted before. Others are told of news.

    What became known late, or is no change, is told to nobody.
    """
    before = kept(tx, [asset]).get(asset)
    after = Kept(asset, place.place, place.since, place.seen_at, place.source, place.id, place.via)
    if before == after:
        return False
    tx.execute(delete(asset_place).where(asset_place.c.asset == asset))
    tx.execute(insert(asset_place).values(**after._asdict(), evidence=json.dumps(place.evidence), made_at=now))
    is_other = before is None or before.place != place.place
    if is_other and place.since >= now - LATE_US:
        told: dict[str, Any] = after._asdict() | {"was": None if before is None else before.place}
        extra = {"confidence": place.confidence, "reason": place.reason, "evidence": place.evidence}
        locks.number(tx)
        events.emit(tx, "relocation", told | extra, now)
    return is_other


def forget(tx: Connection, asset: str) -> None:
    """It was never seen after all."""
    tx.execute(delete(asset_place).where(asset_place.c.asset == asset))


def kept(tx: Connection, assets: Iterable[str] | None = None) -> dict[str, Kept]:
    """Where the planner last saw assets, or all of them."""
    query = select(asset_place)
    if assets is not None:
        query = query.where(asset_place.c.asset.in_(sorted({*assets})))
    return {row.asset: _kept(row) for row in tx.execute(query)}


def _kept(row: Row[Any]) -> Kept:
    return Kept(row.asset, row.place, row.since, row.seen_at, row.source, row.by, row.via)


def site_of(register: Register, place: str | None, at: int) -> str | None:
    """The site that a place is at: its own, or that of what it is in."""
    kind, _, ident = (place or "").partition(":")
    if kind == "site":
        return ident
    body = register.get(f"{kind}s", ident, at) if kind in {"zone", "location"} else None
    if isinstance(body, Zone):
        return body.site
    return _site_of_location(_locations(register, register.period(at)), ident)


@lru_cache(maxsize=8)
def _locations(register: Register, at: int) -> dict[str, Location]:
    return {ident: body for ident, body in register.all("locations", at).items() if isinstance(body, Location)}


def _site_of_location(bodies: Mapping[str, Location], ident: str | None) -> str | None:
    seen = set[str]()
    while ident is not None and ident not in seen and ident in bodies:
        body = bodies[ident]
        if body.site is not None:
            return body.site
        seen.add(ident)
        ident = body.parent
    return None


def places_of(register: Register, place: str, at: int) -> set[str]:
    """All places that a place stands for: a site for its locations and zones, a location for what is in it."""
    kind, _, ident = place.partition(":")
    bodies = _locations(register, register.period(at))
    if kind == "location":
        parents = {each: body.parent for each, body in bodies.items()}
        return {f"location:{each}" for each in within(parents, ident)}
    if kind != "site":
        return {place}
    inside = {f"location:{each}" for each in bodies if _site_of_location(bodies, each) == ident}
    zones = register.all("zones", at).items()
    return inside | {place} | {f"zone:{each}" for each, body in zones if isinstance(body, Zone) and body.site == ident}
