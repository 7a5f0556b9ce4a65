"""Where assets are, who has them and what they are promised for, as the API answers it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, Row, Select, select

from backend.api import items_custody as shapes
from backend.api.answers import Ask, Paged, When
from backend.book import bookings, custody, relocations
from backend.book.schema_custody import asset_booking, asset_place, asset_transfer, custody_event
from backend.plan import ghosts
from backend.plan.custody import way_of
from backend.plan.rule import View
from models.assets import custody as rules
from models.assets.custody import Recorded
from models.assets.ghost import is_missing
from models.assets.place import Relocation, stays
from models.errors import NotFound
from models.reading import from_micros
from models.register import Register

SECOND_US = 1_000_000
Named = Annotated[str, Field(min_length=1, max_length=80)]


class AtAsk(Ask, frozen=True):
    """As of when; else now."""

    at: When | None = None


class SeenAsk(Ask, frozen=True):
    """Assets last seen at a place or site, or not since a time; by id, after one."""

    place: Named | None = None
    site: Named | None = None
    not_since: When | None = None
    after: Annotated[str, Field(max_length=64)] = ""
    limit: int = Field(1000, ge=1, le=1000)


class CustodyAsk(Paged, frozen=True):
    """Entries of one asset, or of one holder."""

    asset: Named | None = None
    holder: Named | None = None


class HoldersAsk(Ask, frozen=True):
    """What one has."""

    holder: Named | None = None


class OrderAsk(Paged, frozen=True):
    """Of one asset; in one state."""

    asset: Named | None = None
    state: Annotated[str | None, Field(pattern="^(open|done|cancelled)$")] = None


def time(at: int | None) -> datetime | None:
    """None of nothing."""
    return None if at is None else from_micros(at)


def place(tx: Connection, register: Register, asset: str, at: int) -> shapes.AssetPlace:
    """Where an asset is. Raises NotFound if nobody ever saw it."""
    found = relocations.place_of(tx, register, asset, at)
    if found is None:
        msg = f"assets: {asset} was never seen by then"
        raise NotFound(msg)
    site = relocations.site_of(register, found.place, at)
    times = (from_micros(found.since), from_micros(found.seen_at))
    words: tuple[str, str, str, str] = (found.source, found.id, found.confidence, found.reason)
    return shapes.AssetPlace(asset, found.place, site, *times, *words, found.via, [*found.evidence])


def last_seen(tx: Connection, register: Register, ask: SeenAsk, now: int) -> list[shapes.LastSeen]:
    """Where assets were last seen, by id."""
    at = asset_place.c
    query = select(asset_place).where(at.asset > ask.after).order_by(at.asset)
    if ask.place is not None:
        query = query.where(at.place.in_(sorted(relocations.places_of(register, ask.place, now))))
    if ask.site is not None:
        query = query.where(at.place.in_(sorted(relocations.places_of(register, f"site:{ask.site}", now))))
    if ask.not_since is not None:
        query = query.where(at.seen_at < int(ask.not_since.timestamp() * SECOND_US))
    return [
        shapes.LastSeen(
            row.asset,
            row.place,
            relocations.site_of(register, row.place, now),
            from_micros(row.since),
            from_micros(row.seen_at),
            row.source,
            row.by,
            row.via,
        )
        for row in tx.execute(query.limit(ask.limit))
    ]


def relocation(each: Relocation) -> shapes.Relocation:
    """One change of place."""
    words: tuple[str, str, str, str] = (each.source, each.by, each.confidence, each.reason)
    return shapes.Relocation(each.id, from_micros(each.at), each.was, each.place, *words, each.via, [*each.evidence])


def dwell(tx: Connection, register: Register, asset: str, span: tuple[int, int]) -> shapes.Dwell:
    """How long an asset was where."""
    moved = relocations.moved_until(tx, register, asset, span)
    found = [
        shapes.Dwelt(
            each.place,
            relocations.site_of(register, each.place, each.begin_at),
            from_micros(each.begin_at),
            from_micros(each.end_at),
            (each.end_at - each.begin_at) // SECOND_US,
        )
        for each in stays(moved, span)
    ]
    begin, end = (from_micros(at) for at in span)
    places = _sums((each.place, each.seconds) for each in found)
    return shapes.Dwell(asset, begin, end, found, places, _sums((each.site, each.seconds) for each in found))


def _sums(parts: Iterable[tuple[str | None, int]]) -> list[shapes.DwellSum]:
    sums: dict[str | None, int] = {}
    for name, seconds in parts:
        sums[name] = sums.get(name, 0) + seconds
    return [shapes.DwellSum(name, sums[name]) for name in sorted(sums, key=lambda each: (-sums[each], each or ""))]


def missing(tx: Connection, register: Register, now: int) -> list[shapes.Missing]:
    """Ghosts, those that are worth most first."""
    view = View(tx, register, now)
    facts = [each for _, each in ghosts.load(view, ghosts.every_asset(view)) if is_missing(each, now)]
    return [
        shapes.Missing(
            each.asset,
            each.name,
            time(each.seen_at),
            each.place,
            each.days,
            each.missed_by,
            None if each.book_value is None else str(each.book_value),
        )
        for each in sorted(facts, key=lambda each: (-(each.book_value or 0), each.asset))
    ]


def entries(tx: Connection, ask: CustodyAsk) -> list[tuple[int, shapes.Custody]]:
    """(n, entry) of custody, by n."""
    at = custody_event.c
    query = select(custody_event).where(at.n > ask.after).order_by(at.n).limit(ask.limit)
    query = query if ask.asset is None else query.where(at.asset == ask.asset)
    query = query if ask.holder is None else query.where(at.holder == ask.holder)
    return [(row.n, _entry(custody.recorded(row))) for row in tx.execute(query)]


def _entry(each: Recorded) -> shapes.Custody:
    said = each.entry
    return shapes.Custody(
        id=said.id,
        asset=said.asset,
        seq=each.n,
        what=said.what,
        at=from_micros(said.at),
        holder=said.holder,
        giver=said.giver,
        place=said.place,
        why=said.why,
        project=said.project,
        due_at=time(said.due_at),
        signed=said.signed,
        evidence=[*said.evidence],
        booking=said.booking,
        by=each.actor,
        recorded_at=from_micros(each.recorded_at),
        hash=each.hash.hex(),
    )


def holders(tx: Connection, holder: str | None) -> list[shapes.Holding]:
    """Who has what now, by asset."""
    return [
        shapes.Holding(asset, each.holder, from_micros(each.since), time(each.due_at), each.entry)
        for asset, each in sorted(custody.holders(tx).items())
        if holder in {None, each.holder}
    ]


def chain(tx: Connection, asset: str) -> shapes.CustodyChain:
    """The whole chain of an asset."""
    found = custody.chain(tx, asset)
    said = [each.entry for each in found]
    holder = next((each for each in holders(tx, None) if each.asset == asset), None)
    gaps = [shapes.CustodyGap(from_micros(each.at), each.entry, each.what, each.words) for each in rules.gaps(said)]
    return shapes.CustodyChain(asset, holder, rules.first_broken(found) is None, [*map(_entry, found)], gaps)


def booked(tx: Connection, ask: OrderAsk) -> list[shapes.Booking]:
    """Bookings by n."""
    return [_booking(row) for row in tx.execute(_orders(asset_booking, ask))]


def one_booking(tx: Connection, ident: str) -> shapes.Booking:
    """Raises NotFound."""
    return _booking(bookings.row_of(tx, asset_booking, ident))


def _booking(row: Row[Any]) -> shapes.Booking:
    return shapes.Booking(
        id=row.id,
        n=row.n,
        asset=row.asset,
        holder=row.holder,
        begin=from_micros(row.begin_at),
        end=from_micros(row.end_at),
        purpose=row.purpose,
        state=row.state,
        by=row.actor,
        made_at=from_micros(row.made_at),
        closed_at=time(row.closed_at),
        closed_by=row.closed_by,
        closed_why=row.closed_why,
    )


def transfers(tx: Connection, register: Register, ask: OrderAsk, now: int) -> list[shapes.Transfer]:
    """Transfers by n."""
    return [_transfer(tx, register, row, now) for row in tx.execute(_orders(asset_transfer, ask))]


def one_transfer(tx: Connection, register: Register, ident: str, now: int) -> shapes.Transfer:
    """Raises NotFound."""
    return _transfer(tx, register, bookings.row_of(tx, asset_transfer, ident), now)


def _transfer(tx: Connection, register: Register, row: Row[Any], now: int) -> shapes.Transfer:
    until = now if row.closed_at is None else row.closed_at
    gone = way_of(tx, register, bookings.transfer_of(row), until)
    both = gone.arrived_at is not None and gone.departed_at is not None
    return shapes.Transfer(
        id=row.id,
        n=row.n,
        asset=row.asset,
        source=row.source,
        target=row.target,
        begin=from_micros(row.begin_at),
        end=from_micros(row.end_at),
        why=row.why,
        state=row.state,
        departed_at=time(gone.departed_at),
        arrived_at=time(gone.arrived_at),
        transit_s=((gone.arrived_at or 0) - (gone.departed_at or 0)) // SECOND_US if both else None,
        by=row.actor,
        made_at=from_micros(row.made_at),
        closed_at=time(row.closed_at),
        closed_by=row.closed_by,
        closed_why=row.closed_why,
    )


def _orders(table: Any, ask: OrderAsk) -> Select[Any]:  # noqa: ANN401 - one of the two tables
    query = select(table).where(table.c.n > ask.after).order_by(table.c.n).limit(ask.limit)
    query = query if ask.asset is None else query.where(table.c.asset == ask.asset)
    return query if ask.state is None else query.where(table.c.state == ask.state)
