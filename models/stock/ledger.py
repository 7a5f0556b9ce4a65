"""The stock ledger: double-entry movements that are only ever appended, hash-chained, corrected by reversals.

Every movement takes a quantity of one SKU and lot from one location and puts it into another, so all locations, the
virtual ones (supplier, customer) included, always sum to zero. Arrival order shows in the chain and the recorded times;
the *net* ledger, in which an entry and its reversal cancel, does not depend on it. `difference` gives the entries that
bring the net of what is posted to what is wanted: that is how derived movements follow late readings.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

import msgspec
from msgspec import Struct

from models.chain import GENESIS
from models.errors import Refused
from models.ids import derived_id
from models.units import checked, quantity_text

CORRECTED = "corrected by later readings"


class BadMovement(Refused):
    """A movement that cannot be posted; the message names the field."""


class Movement(Struct, frozen=True, kw_only=True):
    """One entry. `at` is event time in microseconds UTC; `evidence` names the facts behind it, `kind:id`."""

    id: str
    at: int
    sku: str
    lot: str | None = None
    quantity: Decimal
    source: str
    target: str
    reason: str
    evidence: list[str]
    reverses: str | None = None

    def __post_init__(self) -> None:
        for field in ("id", "sku", "source", "target", "reason"):
            if not getattr(self, field):
                msg = f"{field}: a name expected, got nothing"
                raise BadMovement(msg)
        if self.source == self.target:
            msg = f"target: another location than the source {self.source!r} expected"
            raise BadMovement(msg)
        msgspec.structs.force_setattr(self, "quantity", checked(self.quantity))


class Line(NamedTuple):
    """One side of a movement: a signed quantity at a location."""

    location: str
    sku: str
    lot: str | None
    quantity: Decimal


class Entry(NamedTuple):
    """A movement as recorded: number in the ledger from 1, time of recording in microseconds, hash of the chain."""

    n: int
    recorded_at: int
    movement: Movement
    hash: bytes


def lines(movement: Movement) -> tuple[Line, Line]:
    """The two sides: out of the source, into the target."""
    sku, lot, quantity = movement.sku, movement.lot, movement.quantity
    return Line(movement.source, sku, lot, -quantity), Line(movement.target, sku, lot, quantity)


def reversal(movement: Movement, reason: str = CORRECTED, by: str | None = None) -> Movement:
    """The entry that takes `movement` back, at the same event time. Reversed itself, the movement holds again.

    `by` is the person who does it, if one does.
    """
    return Movement(
        id=derived_id("reversal", movement.id),
        at=movement.at,
        sku=movement.sku,
        lot=movement.lot,
        quantity=movement.quantity,
        source=movement.target,
        target=movement.source,
        reason=reason,
        evidence=[f"movement:{movement.id}", *([] if by is None else [f"person:{by}"])],
        reverses=movement.id,
    )


def canonical(movement: Movement) -> bytes:
    """The one text of a movement: JSON, keys sorted, nulls left out, quantities without exponent or trailing zeros."""
    return msgspec.json.encode(_fields(movement), order="deterministic")


def _fields(movement: Movement) -> dict[str, object]:
    fields: dict[str, object] = msgspec.structs.asdict(movement)
    fields["quantity"] = quantity_text(movement.quantity)
    return {name: value for name, value in fields.items() if value is not None}


def entry_hash(previous: bytes, n: int, recorded_at: int, movement: Movement) -> bytes:
    """32 bytes: SHA-256 of the hash before (GENESIS before the first) and the entry with its number and time."""
    fields = _fields(movement) | {"n": n, "recorded_at": recorded_at}
    return sha256(previous + msgspec.json.encode(fields, order="deterministic")).digest()


def first_broken(entries: Iterable[Entry], previous: bytes = GENESIS, n: int = 1) -> int | None:
    """The number of the first entry whose number or hash does not follow from the one before, or None."""
    for entry in entries:
        if entry.n != n or entry_hash(previous, n, entry.recorded_at, entry.movement) != entry.hash:
            return n
        previous, n = entry.hash, n + 1
    return None


def balances(movements: Iterable[Movement]) -> dict[tuple[str, str, str | None], Decimal]:
    """Quantity by (location, SKU, lot), virtual locations included, zeros left out, in order of the key."""
    sums: defaultdict[tuple[str, str, str | None], Decimal] = defaultdict(Decimal)
    for movement in movements:
        for line in lines(movement):
            sums[line.location, line.sku, line.lot] += line.quantity
    return {key: sums[key] for key in sorted(sums, key=_key) if sums[key]}


def _key(key: tuple[str, str, str | None]) -> tuple[str, str, bool, str]:
    location, sku, lot = key
    return location, sku, lot is not None, lot or ""


def net(movements: Iterable[Movement]) -> list[Movement]:
    """The movements that hold, by (at, id): an entry and its reversal cancel, an entry reversed twice holds."""
    return [base for base, _, holds in _chains(movements) if holds]


def net_digest(movements: Iterable[Movement]) -> str:
    """SHA-256 over the net ledger in hexadecimal: equal for every order in which the same facts arrived."""
    return sha256(b"\n".join(canonical(movement) for movement in net(movements))).hexdigest()


def difference(posted: Iterable[Movement], wanted: Sequence[Movement]) -> list[Movement]:
    """The entries to append so that the net of `posted` becomes `wanted`: reversals first, then what is new.

    What was posted and taken back before comes again as the reversal of its reversal. Raises BadMovement if an id is
    posted with other content.
    """
    aims = {movement.id: movement for movement in wanted}
    back: list[Movement] = []
    again: list[Movement] = []
    known: set[str] = set()
    for base, tip, holds in _chains(posted):
        known.add(base.id)
        aim = aims.get(base.id)
        if aim is not None and canonical(aim) != canonical(base):
            msg = f"id: {base.id} is posted with other content"
            raise BadMovement(msg)
        if holds != (aim is not None):
            (back if holds else again).append(reversal(tip))
    new = [aims[key] for key in aims if key not in known]
    return back + again + sorted(new, key=_order)


def _order(movement: Movement) -> tuple[int, str]:
    return movement.at, movement.id


def _chains(movements: Iterable[Movement]) -> list[tuple[Movement, Movement, bool]]:
    """Each original with the last of its reversals, and whether it holds. Raises BadMovement at a second reversal."""
    by_id = {movement.id: movement for movement in movements}
    reversed_by: dict[str, Movement] = {}
    for movement in by_id.values():
        if movement.reverses is not None and reversed_by.setdefault(movement.reverses, movement) is not movement:
            msg = f"reverses: {movement.reverses} is reversed twice"
            raise BadMovement(msg)
    chains: list[tuple[Movement, Movement, bool]] = []
    for base in sorted(by_id.values(), key=_order):
        if base.reverses in by_id:
            continue
        tip, holds = base, True
        while tip.id in reversed_by:
            tip, holds = reversed_by[tip.id], not holds
        chains.append((base, tip, holds))
    return chains
