"""Cycle counts: what was counted against what the book says of that moment, and the movement that makes them agree.

A count says what was at a place at the moment it was counted. So an adjustment is the counted quantity less the book's
of that moment, whatever is known of it and whenever it became known: movements between the start of a count and the
counted moment are netted by their event time, a late one corrects the adjustment, and of two counts of one place the
later sets the quantity from its moment on. `adjustments` is that rule as a function of the set.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from models.errors import Refused
from models.ids import derived_id
from models.place import ADJUSTMENT
from models.stock.ledger import Movement
from models.units import MAX_DECIMALS, parse_quantity, plain, quantity_text

MOST_ROUNDS = 3
"""A place is counted at most so often in one count; then the last figure is what a person decides on."""
TOLERANCES: Mapping[str, Decimal] = {"A": Decimal("0.01"), "B": Decimal("0.03"), "C": Decimal("0.05")}
"""The share of the book's figure that a variance may be, by class of item; as supplychainmetric.com has them."""
UNCLASSED = "C"
REASON = "count"


class Key(NamedTuple):
    """What is counted: an item, at a place, of a lot."""

    sku: str
    location: str
    lot: str | None = None


class Count(Struct, frozen=True, kw_only=True):
    """What is to be counted: items, at places; None is all. `at` is when it begins: the book of then is its snapshot.

    `blind`: who counts is not told what the book says. `classes`: SKU to A, B or C, whose tolerance holds.
    """

    id: str
    skus: list[str] | None = None
    locations: list[str] | None = None
    blind: bool = True
    classes: dict[str, str] = {}
    at: int

    def __post_init__(self) -> None:
        if not self.skus and not self.locations:
            msg = "skus, locations: at least one of them expected, got neither"
            raise Refused(msg)
        for name in self.classes.values():
            tolerance_of(name)

    def overlaps(self, other: "Count") -> bool:
        """Whether some place of some item would be counted by both."""
        return _meet(self.skus, other.skus) and _meet(self.locations, other.locations)

    def holds(self, key: Key) -> bool:
        """Whether a place of an item is of this count."""
        return (self.skus is None or key.sku in self.skus) and (
            self.locations is None or key.location in self.locations
        )


def _meet(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    return one is None or other is None or not set(one).isdisjoint(other)


class Counted(Struct, frozen=True):
    """What a count found, once it is approved: `quantity` at `key` at the moment `at`, in microseconds."""

    id: str
    key: Key
    at: int
    quantity: Decimal
    evidence: list[str]


class Line(NamedTuple):
    """One place of one item, counted: the book's figure of that moment, and what was there."""

    sku: str
    book: Decimal
    counted: Decimal


def parse_counted(text: str) -> Decimal:
    """A quantity that may be nothing. Raises BadQuantity.

    >>> parse_counted("0"), parse_counted("2.50")
    (Decimal('0'), Decimal('2.5'))
    """
    digits = text.replace(".", "", 1)
    if text.isascii() and digits.isdecimal() and not digits.strip("0") and len(digits) <= MAX_DECIMALS + 1:
        return Decimal(0)
    return parse_quantity(text)


def needs_recount(variances: Sequence[Decimal], book: Decimal, tolerance: Decimal) -> bool:
    """Whether a place is to be counted again: out of tolerance, and no earlier round found the same.

    `variances` are those of its rounds, each against the book of its own moment, so that what moved between them does
    not matter. Empty: it was not counted at all.
    """
    if not variances or len(variances) >= MOST_ROUNDS:
        return not variances
    return abs(variances[-1]) > tolerance * abs(book) and variances[-1] not in variances[:-1]


def adjustment(counted: Counted, quantity: Decimal) -> Movement | None:
    """The movement of a signed quantity at a counted place, from or to the location `adjustment`; None of nothing."""
    if not quantity:
        return None
    sku, location, lot = counted.key
    source, target = (ADJUSTMENT, location) if quantity > 0 else (location, ADJUSTMENT)
    return Movement(
        id=derived_id("count", counted.id, sku, location, lot or "", quantity_text(quantity)),
        at=counted.at,
        sku=sku,
        lot=lot,
        quantity=abs(quantity),
        source=source,
        target=target,
        reason=REASON,
        evidence=counted.evidence,
    )


def adjustments(counts: Iterable[Counted], moves: Iterable[tuple[int, Decimal]]) -> dict[str, Decimal]:
    """By id of the count, what it adds to one place: a function of the set of counts and of other movements there.

    `moves` are (at, signed quantity) without the adjustments themselves. One of the very moment of a count was there
    to be counted.
    """
    found: dict[str, Decimal] = {}
    waiting = sorted(moves, reverse=True)
    book = Decimal(0)
    for count in sorted(counts, key=lambda each: (each.at, each.id)):
        while waiting and waiting[-1][0] <= count.at:
            book += waiting.pop()[1]
        found[count.id] = plain(count.quantity - book)
        book = count.quantity
    return found


def accuracy(lines: Iterable[Line]) -> Decimal | None:
    """Record accuracy: 1 - sum of |variance| / sum of the book; None where the book has nothing.

    Of every place apart: a loss here and a gain there do not cancel.

    >>> accuracy([Line("X", Decimal(100), Decimal(95)), Line("X", Decimal(100), Decimal(105))])
    Decimal('0.95')
    """
    counted = [*lines]
    book = sum((abs(line.book) for line in counted), Decimal(0))
    off = sum((abs(line.counted - line.book) for line in counted), Decimal(0))
    return None if not book else 1 - off / book


def within_tolerance(
    lines: Iterable[Line], classes: Mapping[str, str], tolerances: Mapping[str, Decimal] = TOLERANCES
) -> dict[str, tuple[int, int]]:
    """By class, how many items are within the tolerance of their class, of how many that were counted."""
    by_sku: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_sku[line.sku].append(line)
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for sku, own in sorted(by_sku.items()):
        name = classes.get(sku, UNCLASSED)
        off = sum((abs(line.counted - line.book) for line in own), Decimal(0))
        book = sum((abs(line.book) for line in own), Decimal(0))
        good, of = found[name]
        found[name] = (good + (off <= tolerance_of(name, tolerances) * book), of + 1)
    return dict(sorted(found.items()))


def tolerance_of(name: str, tolerances: Mapping[str, Decimal] = TOLERANCES) -> Decimal:
    """The tolerance of a class. Raises Refused for a class that has none."""
    if name not in tolerances:
        msg = f"class: one of {', '.join(tolerances)} expected, got {name!r}"
        raise Refused(msg)
    return tolerances[name]
