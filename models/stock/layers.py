"""Layers of what came at which cost, in the order in which they leave; nothing is lost when a part is taken.

A part of a layer takes its share of the layer's value to UNIT, and what stays is the exact rest: so what came is
always what left plus what is there. What leaves while nothing is there is a short.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from heapq import heappop, heappush

from msgspec import Struct

UNIT = Decimal("1E-12")
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
"""Sums and products of quantities (18 digits) and unit costs (18 digits) are exact in it."""
ZERO, ONE = Decimal(0), Decimal(1)

Rank = Callable[[int], int]
METHODS: dict[str, Rank] = {
    "fifo": lambda number: number,
    "lifo": lambda number: -number,
    "average": lambda _number: 0,
    "specific": lambda number: number,
}
"""Where what came as the n-th receipt stands among what leaves; receipts of one rank are blended into one layer.

`specific` has a pool of layers for each lot, the others have one for the item.
"""


def share(value: Decimal, quantity: Decimal, whole: Decimal) -> Decimal:
    """The value of a part of something, to UNIT."""
    return (value * quantity / whole).quantize(UNIT)


class Layer(Struct, array_like=True, gc=False):
    """What is there of a receipt (of all, where they are blended)."""

    number: int
    quantity: Decimal
    value: Decimal
    lot: str | None


class Part(Struct, array_like=True, gc=False):
    """What an issue took from a layer; from none (0) while it is short."""

    number: int
    quantity: Decimal
    value: Decimal


class Short(Struct, array_like=True, gc=False):
    """What left while nothing was there, and at which value; `flow` is that of its issue."""

    issue: str
    flow: str
    quantity: Decimal
    value: Decimal


def split(parts: list[Part], quantity: Decimal) -> Part:
    """The last part, or so much of it."""
    last = parts.pop()
    if last.quantity <= quantity:
        return last
    part = Part(last.number, quantity, share(last.value, quantity, last.quantity))
    parts.append(Part(last.number, last.quantity - part.quantity, last.value - part.value))
    return part


class Pool(Struct):
    """Layers by rank, and shorts: one of the two is always empty after an event."""

    layers: dict[int, Layer] = {}
    shorts: list[Short] = []
    order: list[int] = []
    """A heap of ranks; those whose layer is gone are passed over."""

    def first(self) -> Layer | None:
        """The layer that leaves next."""
        while self.order:
            layer = self.layers.get(self.order[0])
            if layer is not None:
                return layer
            heappop(self.order)
        return None

    def add(self, rank: int, part: Part, lot: str | None) -> None:
        """Put something in where it stands."""
        layer = self.layers.get(rank)
        if layer is None:
            self.layers[rank] = Layer(part.number, part.quantity, part.value, lot)
            heappush(self.order, rank)
        else:
            layer.quantity += part.quantity
            layer.value += part.value

    def take(self, quantity: Decimal) -> tuple[list[Part], Decimal]:
        """Parts in the order of leaving, and how much was not there."""
        parts: list[Part] = []
        while quantity and self.first() is not None:
            part = self.take_of(self.order[0], quantity)
            parts.append(part)
            quantity -= part.quantity
        return parts, quantity

    def take_of(self, rank: int, quantity: Decimal) -> Part:
        """As much of one layer as is there."""
        layer = self.layers[rank]
        if layer.quantity <= quantity:
            del self.layers[rank]
            return Part(layer.number, layer.quantity, layer.value)
        part = Part(layer.number, quantity, share(layer.value, quantity, layer.quantity))
        layer.quantity -= part.quantity
        layer.value -= part.value
        return part

    def plain(self) -> "Pool":
        """The same, equal to every other that holds the same."""
        ranks = sorted(self.layers)
        return Pool({rank: self.layers[rank] for rank in ranks}, self.shorts, ranks)
