"""The stock ledger in the book: appended, chained, and its balances kept; the head row is the last lock taken."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.book import events, locks, settled
from backend.book.bulk import write_rows
from backend.book.schema import balance, ledger_head, movement
from models.chain import GENESIS
from models.errors import Clash, NotFound
from models.stock.ledger import BadMovement, Entry, Movement, difference, entry_hash, lines, reversal
from models.units import quantity_text

STOCK = "stock"

IDS_A_QUERY = 5000
"""A statement takes 32,766 parameters in SQLite, 65,535 in PostgreSQL."""

_HEAD = select(ledger_head.c.n, ledger_head.c.hash).where(ledger_head.c.ledger == STOCK).with_for_update()
_MOVE_HEAD = update(ledger_head).where(ledger_head.c.ledger == STOCK)
_APPEND = insert(movement)
_CHAINS = select(movement).where(movement.c.movement_id.in_(bindparam("ids", expanding=True))).order_by(movement.c.n)
_BARE = (
    select(balance).where(balance.c.sku.in_(bindparam("skus", expanding=True)), balance.c.lot == "").with_for_update()
)
_OF_LOTS = (
    select(balance)
    .where(
        balance.c.sku == bindparam("sku"),
        balance.c.location.in_(bindparam("locations", expanding=True)),
        balance.c.lot.in_(bindparam("lots", expanding=True)),
    )
    .with_for_update()
)
_BALANCE_KEY = ["sku", "location", "lot"]
_OVER = upsert(balance)
_SAVE_BALANCES = _OVER.on_conflict_do_update(index_elements=_BALANCE_KEY, set_={"on_hand": _OVER.excluded.on_hand})


def post(tx: Connection, wanted: Sequence[Movement], withdrawn: Collection[str], actor: str, now: int) -> list[Entry]:
    """Append what makes `wanted` hold and the movements `withdrawn` (ids) not; the entries that this took.

    What holds already is left alone, so that a repeat is harmless. What counts and sweeps settled is kept true.
    Raises Clash if an id is posted with other content.
    """
    if not wanted and not withdrawn:
        return []
    last = _lock_head(tx)
    roots: dict[str, str] = {}
    posted: list[Movement] = []
    for row in _chains(tx, {*(m.id for m in wanted), *withdrawn}):
        posted.append(of_row(row))
        roots[row.id] = row.movement_id
    try:
        missing = difference(posted, wanted)
    except BadMovement as error:
        raise Clash(str(error)) from error
    return _append(tx, last, (missing, roots), actor, now)


def reverse(tx: Connection, ident: str, reason: str, by: str, now: int) -> Entry | None:
    """A person takes the movement of an id back; None if it does not hold now. Raises NotFound of no such movement."""
    last = _lock_head(tx)
    chain = _chains(tx, {ident})
    if not chain:
        msg = f"movements: nothing of id {ident!r}"
        raise NotFound(msg)
    if len(chain) % 2 == 0:
        return None
    back = reversal(of_row(chain[-1]), reason, by)
    return _append(tx, last, ([back], {chain[-1].id: ident}), by, now)[0]


def _append(
    tx: Connection, head: tuple[int, bytes], new: tuple[Sequence[Movement], dict[str, str]], actor: str, now: int
) -> list[Entry]:
    """Entries after the head, and what counts and sweeps make of them; with each movement the fact that it is of."""
    (n, last), (missing, roots) = head, new
    entries: list[Entry] = []
    for each in missing:
        n += 1
        last = entry_hash(last, n, now, each)
        entries.append(Entry(n, now, each, last))
        roots[each.id] = each.id if each.reverses is None else roots[each.reverses]
    if entries:
        write_rows(tx, _APPEND, [_row(entry, roots[entry.movement.id], actor) for entry in entries])
        tx.execute(_MOVE_HEAD, {"n": n, "hash": last})
        _move_balances(tx, [entry.movement for entry in entries])
        events.emit_all(tx, [("movement", describe(entry)) for entry in entries], now)
        events.changed_all(tx, [f"item:{entry.movement.sku}" for entry in entries], now)
    for follow in (settled.tags, settled.counts):
        fix = follow(tx, entries)
        entries += post(tx, fix.wanted, fix.withdrawn, settled.ACTOR, now)
    return entries


def chain_of(tx: Connection, ident: str) -> list[Row[Any]]:
    """The entries of a fact by n: the movement itself, then what took that back, and so on; none if it is unknown."""
    return _chains(tx, {ident})


def entries_of(tx: Connection) -> Iterator[Entry]:
    """The whole ledger in order."""
    for row in tx.execute(select(movement).order_by(movement.c.n)).yield_per(2000):
        yield Entry(row.n, row.recorded_at, of_row(row), bytes(row.hash))


def of_row(row: Row[Any]) -> Movement:
    """A movement from its row."""
    return Movement(
        id=row.id,
        at=row.at,
        sku=row.sku,
        lot=row.lot,
        quantity=Decimal(row.quantity),
        source=row.source,
        target=row.target,
        reason=row.reason,
        evidence=json.loads(row.evidence),
        reverses=row.reverses,
    )


def describe(entry: Entry) -> dict[str, Any]:
    """An entry as the domain event `movement` tells it."""
    each = entry.movement
    return {
        "n": entry.n,
        "id": each.id,
        "at": each.at,
        "sku": each.sku,
        "lot": each.lot,
        "quantity": quantity_text(each.quantity),
        "source": each.source,
        "target": each.target,
        "reason": each.reason,
        "reverses": each.reverses,
    }


def _lock_head(tx: Connection) -> tuple[int, bytes]:
    locks.number(tx)
    row = tx.execute(_HEAD).one_or_none()
    if row is None:
        tx.execute(upsert(ledger_head).values(ledger=STOCK, n=0, hash=GENESIS).on_conflict_do_nothing())
        row = tx.execute(_HEAD).one()
    return row.n, bytes(row.hash)


def _chains(tx: Connection, ids: set[str]) -> list[Row[Any]]:
    wanted = sorted(ids)
    pages = [wanted[low : low + IDS_A_QUERY] for low in range(0, len(wanted), IDS_A_QUERY)]
    return [row for page in pages for row in tx.execute(_CHAINS, {"ids": page})]


def _row(entry: Entry, root: str, actor: str) -> dict[str, Any]:
    each = entry.movement
    return {
        **describe(entry),
        "movement_id": root,
        "recorded_at": entry.recorded_at,
        "evidence": json.dumps(each.evidence),
        "actor": actor,
        "hash": entry.hash,
    }


def _held(tx: Connection, lines: Sequence[tuple[str, str, str]]) -> Iterator[Row[Any]]:
    """The balances of these lines, and few others: an item may have had thousands of lots."""
    bare: list[str] = []
    for sku, group in groupby(lines, key=itemgetter(0)):
        _, places, lots = map(set, zip(*group, strict=True))
        if lots == {""}:
            bare.append(sku)
        else:
            yield from tx.execute(_OF_LOTS, {"sku": sku, "locations": sorted(places), "lots": sorted(lots)})
    if bare:
        yield from tx.execute(_BARE, {"skus": bare})


def _move_balances(tx: Connection, movements: Sequence[Movement]) -> None:
    moved: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for each in movements:
        for line in lines(each):
            moved[line.sku, line.location, line.lot or ""] += line.quantity
    held = {(row.sku, row.location, row.lot): Decimal(row.on_hand) for row in _held(tx, sorted(moved))}
    rows = [
        {**dict(zip(_BALANCE_KEY, place, strict=True)), "on_hand": quantity_text(held.get(place, Decimal()) + quantity)}
        for place, quantity in sorted(moved.items())
        if quantity
    ]
    write_rows(tx, _SAVE_BALANCES, rows)
