"""What a sweep found: each tag with its verdict, what that makes of each item, and what is posted when it is approved.

A function of the readings, crossings and register, asked anew each time: what becomes known late is in it. Only goods
whose cartons all carry tags (`tagged` items) are adjusted; an asset's tag is listed and never touched here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select

from backend.book import ledger, locks, past, settled, sweeps, tag_places, virtual
from backend.book.count_decisions import hold
from backend.book.schema_warehouse import counted as counted_table
from backend.book.schema_warehouse import tag_stay
from backend.book.work_log import Stamp
from backend.identities import identities
from models.declared import Device, Item
from models.errors import Refused
from models.identity import identify
from models.ids import derived_id
from models.register import Register
from models.stock.count import Counted, Key
from models.stock.sweep import PRESENT, Stay, Sweep, Swept, Verdict, judge, where
from models.units import quantity_text


class Finding(NamedTuple):
    """One tag: the verdict, where the ledger has it, and where a reader of presence heard it last."""

    epc: str
    verdict: Verdict
    sku: str | None
    asset: str | None
    quantity: Decimal | None
    booked: str | None
    place: str | None
    """Where it counts: of a tag that is not heard, where it should be."""
    heard_at: str | None
    passes: int
    """In so many of the passes it was heard."""
    needed: int


class Tally(NamedTuple):
    """One item at one place: the book at the end of the sweep, and what the tags say."""

    key: Key
    book: Decimal
    counted: Decimal


class Found(NamedTuple):
    """All of a sweep. `reads` is how many tags were heard in all passes; none: the sweep says nothing."""

    passes: int
    reads: int
    tags: list[Finding]
    tallies: list[Tally]


class _Over(NamedTuple):
    """The sweep as it is looked at: which places, until when."""

    sweep: Sweep
    scope: set[str]
    virtual: set[str]
    end_at: int
    register: Register
    passes: int


def findings(tx: Connection, register: Register, row: Row[Any], now: int) -> Found:
    """What a sweep found; of one that is open, up to now."""
    sweep, done = sweeps.of_row(row), sweeps.passes(tx, row.id)
    scope = {*tag_places.under(register, [sweep.place], sweep.at)}
    end_at = now if row.end_at is None else row.end_at
    heard = Counter(epc for each in done.values() for epc in _heard(tx, register, (sweep, scope), each))
    epcs = {*heard, *tag_places.ever_at(tx, scope)}
    stays = tag_places.stays(tx, epcs)
    outside = virtual.kinds(tx, {stay.place for of_tag in stays.values() for stay in of_tag}, end_at)
    over = _Over(sweep, scope, {*outside}, end_at, register, len(done))
    tags = [_tag(over, epc, stays.get(epc, []), heard[epc]) for epc in sorted(epcs)]
    told = [each for each in tags if each is not None]
    return Found(over.passes, heard.total(), told, _tallies(tx, over, told))


def _heard(tx: Connection, register: Register, what: tuple[Sweep, set[str]], each: sweeps.Pass) -> set[str]:
    """The tags of one pass: of a reader that looks at several places, those of the antennas that look at these."""
    sweep, scope = what
    device = sweep.device
    if each.epcs is not None or device is None:
        return {*(each.epcs or ())}
    body = register.get("devices", device, each.begin_at)
    places = body.points.places if isinstance(body, Device) and body.points is not None else []
    antennas = {antenna for point in places if point.place in scope for antenna in point.antennas}
    return sweeps.heard_by(tx, device, (each.begin_at, each.end_at), antennas or None)


def _tag(over: _Over, epc: str, stays: list[Stay], heard: int) -> Finding | None:
    """The verdict on one tag; None if it was not heard, and is not of this place."""
    booked = tag_places.in_ledger(stays, f"sweep:{over.sweep.id}")
    told = [stay for stay in stays if stay.how == "heard"]
    at_end = where(booked, over.end_at).place
    begin, end = (_real(over, booked, told, at) for at in (over.sweep.at, over.end_at))
    if not heard and begin not in over.scope and end not in over.scope:
        return None
    what = identify(epc, identities(over.register, over.end_at, epc))
    kind = "uncounted" if what.kind == "stock" and what.quantity is None and _is_known(what.why) else what.kind
    if kind == "stock" and what.quantity is None:
        kind = "unknown"
    item = None if what.sku is None else over.register.get("items", what.sku, over.end_at)
    needed = over.sweep.needed(what.sku or "", item.family if isinstance(item, Item) else None)
    tag = Swept(epc, kind, what.sku, what.quantity, begin, end, bool(heard))
    verdict = judge(tag, over.scope, over.passes, needed)
    place = end if end in over.scope else None if verdict == "left" else over.sweep.place
    last = where(told, over.end_at).place
    return Finding(epc, verdict, what.sku, what.asset, what.quantity, at_end, place, last, heard, needed)


def _is_known(why: str) -> bool:
    """Stock without a quantity: a pallet or a tag that is not counted, but not a number that nobody declared."""
    return not why.endswith("not in the register")


def _real(over: _Over, booked: list[Stay], told: list[Stay], at: int) -> str | None:
    """Where the ledger has a tag; if that is nowhere real, where a reader of presence heard it last."""
    place = where(booked, at).place
    if place is None or place in over.virtual:
        place = where(told, at).place if place is None else None
    return place


def _tallies(tx: Connection, over: _Over, tags: Iterable[Finding]) -> list[Tally]:
    """What the tags say of each tagged item at each place of the sweep, beside what the book says."""
    there: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for each in tags:
        if each.sku is None or each.quantity is None or each.place is None:
            continue
        there[Key(each.sku, each.place)] += each.quantity if each.verdict in PRESENT else 0
    known = past.of_places(tx, over.scope, over.end_at)
    own = counted_table.c.source == f"sweep:{over.sweep.id}"
    adjusted = {
        Key(row.sku, row.location, row.lot): Decimal(row.adjustment)
        for row in tx.execute(select(counted_table).where(own))
    }
    transfers = _transferred(tx, over.sweep.id)
    found: list[Tally] = []
    for key in sorted({*there, *(key for key in known.keys() if key.lot is None)}, key=str):  # noqa: SIM118 - no dict
        item = over.register.get("items", key.sku, over.end_at)
        if key.location in over.scope and isinstance(item, Item) and item.tagged:
            book = known.at(key, over.end_at) - adjusted.get(key, Decimal(0)) - transfers.get(key, Decimal(0))
            if book or there[key]:
                found.append(Tally(key, book, there[key]))
    return found


def _transferred(tx: Connection, ident: str) -> dict[Key, Decimal]:
    """What the sweep itself moved to its place, once it is approved."""
    own = (tag_stay.c.source == f"sweep:{ident}", tag_stay.c.movement.is_not(None))
    moved: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for row in tx.execute(select(tag_stay).where(*own)):
        moved[Key(row.sku, row.place)] += Decimal(row.quantity)
    return moved


def approve(tx: Connection, register: Register, ident: str, reason: str | None, stamp: Stamp) -> None:
    """Post what it found: tags that were booked elsewhere move here, and each tagged item is as many as its tags.

    Again is harmless. Raises Refused of a sweep that heard nothing, or of who made it; Clash if it is not closed.
    """
    locks.number(tx)
    if sweeps.state_of(tx, ident) == "approved":
        return
    row = sweeps.in_state(tx, ident, "closed")
    if stamp.actor in sweeps.actors(tx, ident):
        msg = f"by: another than who made the sweep expected, got {stamp.actor!r}"
        raise Refused(msg)
    found = findings(tx, register, row, stamp.now)
    if not found.reads:
        msg = f"sweep {ident}: it heard nothing, so it says nothing: that is not an empty place"
        raise Refused(msg)
    told = Counter(each.verdict for each in found.tags)
    sweeps.move(tx, ident, "approved", stamp, {"reason": reason, "verdicts": dict(sorted(told.items()))})
    source = f"sweep:{ident}"
    _book_tags(tx, register, (source, row.end_at), found.tags, stamp)
    counts = [
        Counted(derived_id("sweep", ident, *key[:2]), key, row.end_at, counted, [source])
        for key, _, counted in found.tallies
    ]
    hold(tx, counts, stamp)


def _book_tags(
    tx: Connection, register: Register, source: tuple[str, int], tags: Iterable[Finding], stamp: Stamp
) -> None:
    ident, at = source
    rows = [
        {
            "source": ident,
            "epc": each.epc,
            "at": at,
            "how": "missing" if each.verdict == "missing" else "seen",
            "place": each.place,
            "sku": each.sku,
            "quantity": quantity_text(each.quantity or Decimal(0)),
        }
        for each in tags
        if each.verdict in {"missing", "misplaced", "unexpected"} and _is_tagged(register, each.sku, at)
    ]
    if rows:
        tx.execute(insert(tag_stay), rows)
        stored = tx.execute(select(tag_stay).where(tag_stay.c.source == ident, tag_stay.c.how == "seen")).all()
        fix = settled.transfers(tx, stored)
        ledger.post(tx, fix.wanted, fix.withdrawn, stamp.actor, stamp.now)


def _is_tagged(register: Register, sku: str | None, at: int) -> bool:
    item = None if sku is None else register.get("items", sku, at)
    return isinstance(item, Item) and item.tagged
