"""Which assets are offered before another is bought: one answer for people, purchase proposals and capital requests."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from backend import dues, usage
from backend.book import bookings, custody, relocations
from backend.book.relocations import Kept
from models.assets.booking import OPEN_END
from models.assets.custody import Holder
from models.assets.reuse import LOOK_BACK_US, Offer, why_free
from models.declared import Asset
from models.register import Register


class Need(NamedTuple):
    """What is wanted, and for when: microseconds, now and for good where nothing is said."""

    category: str | None = None
    model: str | None = None
    site: str | None = None
    since: int | None = None
    until: int | None = None


class Reusable(NamedTuple):
    """An asset that may be had, with the reason, and where it is."""

    id: str
    asset: Asset
    why: str
    place: str | None
    site: str | None


def reusable(tx: Connection, register: Register, need: Need, now: int) -> list[Reusable]:
    """Assets like this that are free, by id. At least a category or a model narrows it down for those who buy."""
    seen, held = relocations.kept(tx), custody.holders(tx)
    found: list[Reusable] = []
    for ident, body in _like(register, need, now):
        place = seen.get(ident)
        site = _site(register, body, place, now)
        if need.site is None or site == need.site:
            why = why_free(_offer(tx, register, (ident, body), need, (held.get(ident), now)))
            found += [] if why is None else [Reusable(ident, body, why, None if place is None else place.place, site)]
    return found


def _like(register: Register, need: Need, now: int) -> Iterator[tuple[str, Asset]]:
    for ident, body in register.all("assets", now).items():
        is_like = isinstance(body, Asset) and body.parent is None and body.state in custody.USABLE
        if (
            isinstance(body, Asset)
            and is_like
            and need.category in {None, body.category}
            and need.model in {None, body.model}
        ):
            yield ident, body


def _site(register: Register, body: Asset, place: Kept | None, now: int) -> str | None:
    """Where it is, else where it belongs."""
    at = None if place is None else relocations.site_of(register, place.place, now)
    return body.site if at is None else at


def _offer(
    tx: Connection, register: Register, of: tuple[str, Asset], need: Need, by: tuple[Holder | None, int]
) -> Offer:
    ident, body = of
    held, now = by
    since, until = need.since or now, need.until or OPEN_END
    spans = [*bookings.open_of(tx, ident)]
    booked = next((each.holder for each in spans if each.begin_at < until and since < each.end_at), None)
    moved = next((each.id for each in bookings.open_transfers(tx, ident) if each.begin_at < until), None)
    if held is not None and held.due_at is not None and now <= held.due_at <= since:
        held = None
    ran = None
    if body.state == "in_service":
        meter = usage.hours_meter(register, ident, now)
        ran = usage.used(tx, register, ident, meter, (now - LOOK_BACK_US, now))
    blocked = dues.blocks_use(tx, register, ident, now)
    holder = None if held is None else held.holder
    return Offer(body.state, holder, booked or moved, blocked, None if ran is None else ran.most)
