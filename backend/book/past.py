"""What the book says of a past moment: the present balances less what moved since, by event time.

So what became known late counts where it belongs, and a moment of today costs what happened since, not all history.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from backend.book.schema import Big, balance, movement
from models.stock.count import Key
from models.units import plain

_SKUS: BindParameter[str] = bindparam("skus", expanding=True)
_PLACES: BindParameter[str] = bindparam("places", expanding=True)
_SINCE = bindparam("since", type_=Big)
_MOVES = select(
    movement.c.at, movement.c.sku, movement.c.lot, movement.c.quantity, movement.c.source, movement.c.target
).where(movement.c.at > _SINCE)
_HELD_OF_SKUS = select(balance).where(balance.c.sku.in_(_SKUS))
_MOVES_OF_SKUS = _MOVES.where(movement.c.sku.in_(_SKUS))
_HELD_AT = select(balance).where(balance.c.location.in_(_PLACES))
_MOVES_AT = _MOVES.where(or_(movement.c.source.in_(_PLACES), movement.c.target.in_(_PLACES)))


@dataclass(frozen=True, slots=True)
class Past:
    """Balances now, and what moved after some time; asked of no moment before that."""

    now: Mapping[Key, Decimal]
    moves: Mapping[Key, list[tuple[int, Decimal]]]

    def at(self, key: Key, moment: int) -> Decimal:
        """On hand at a moment, with what moved at that very moment."""
        since = sum((quantity for at, quantity in self.moves.get(key, ()) if at > moment), Decimal(0))
        return plain(self.now.get(key, Decimal(0)) - since)

    def keys(self) -> set[Key]:
        """Every item, place and lot of which there is, or was, something."""
        return {*self.now, *self.moves}


def of_skus(tx: Connection, skus: Collection[str], since: int) -> Past:
    """The past of these items, back to a time in microseconds."""
    wanted = sorted({*skus})
    held = {(row.sku, row.location, row.lot): row.on_hand for row in tx.execute(_HELD_OF_SKUS, {"skus": wanted})}
    return _past(held, [*tx.execute(_MOVES_OF_SKUS, {"skus": wanted, "since": since})])


def of_places(tx: Connection, places: Collection[str], since: int) -> Past:
    """The past of these places, back to a time in microseconds."""
    wanted = sorted({*places})
    held = {(row.sku, row.location, row.lot): row.on_hand for row in tx.execute(_HELD_AT, {"places": wanted})}
    return _past(held, [*tx.execute(_MOVES_AT, {"places": wanted, "since": since})])


def _past(
    held: Mapping[tuple[str, str, str], str], rows: Collection[tuple[int, str, str | None, str, str, str]]
) -> Past:
    moves: defaultdict[Key, list[tuple[int, Decimal]]] = defaultdict(list)
    for at, sku, lot, text, source, target in rows:
        quantity = Decimal(text)
        moves[Key(sku, target, lot)].append((at, quantity))
        moves[Key(sku, source, lot)].append((at, -quantity))
    return Past({Key(sku, at, lot or None): Decimal(text) for (sku, at, lot), text in held.items()}, moves)
