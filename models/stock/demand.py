"""What is asked for of an item, measured from what left the stock: how much a day, how evenly, in what pieces.

Demand comes in pieces, and the pieces matter: when a piece takes the stock below its reorder point it takes it some
way below, and what is then on the shelf is less than the point by this undershoot.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from msgspec import Struct

DAY_US = 86_400_000_000
LEAST_DAYS = 7.0
LEAST_PIECES = 2
SMOOTHING = 0.1


class Out(NamedTuple):
    """What left the stock to be used (positive), or came back from there (negative); `at` in microseconds."""

    at: int
    id: str
    quantity: Decimal


class Demand(Struct, frozen=True):
    """Demand per day and its pieces, over `days` of observation. Estimates, hence floats; in the item's unit."""

    days: float
    pieces: int
    mean: float
    """Units a day."""
    sd: float
    """Of the sums of days."""
    size: float
    size2: float
    size3: float
    """Means of a piece, of its square and of its cube."""
    croston: float
    """Units a day by the Syntetos-Boylan estimate (SBA, 0.1): what matters lately, for who watches trends."""

    @property
    def interval_days(self) -> float:
        """From one piece to the next, on average."""
        return self.days / self.pieces


def pieces(outs: Iterable[Out]) -> list[tuple[int, Decimal]]:
    """(at, quantity) of what was really used, in time: what comes back takes from the latest pieces before it."""
    kept: list[tuple[int, Decimal]] = []
    for out in sorted(outs):
        back = -out.quantity
        if back < 0:
            kept.append((out.at, out.quantity))
        while back > 0 and kept:
            at, quantity = kept.pop()
            if quantity > back:
                kept.append((at, quantity - back))
            back -= quantity
    return kept


def measure(used: Sequence[tuple[int, Decimal]], since: int, until: int) -> Demand | None:
    """The demand of a window, microseconds; None of less than 7 days, or of less than two pieces."""
    days = (until - since) / DAY_US
    inside = [(at, float(quantity)) for at, quantity in used if since <= at < until]
    if days < LEAST_DAYS or len(inside) < LEAST_PIECES:
        return None
    sizes = [size for _, size in inside]
    count, mean = len(sizes), sum(sizes) / days
    return Demand(
        days=days,
        pieces=count,
        mean=mean,
        sd=_deviation_of_days(inside, since, int(days), mean),
        size=sum(sizes) / count,
        size2=sum(size**2 for size in sizes) / count,
        size3=sum(size**3 for size in sizes) / count,
        croston=croston(inside, since),
    )


def _deviation_of_days(inside: Sequence[tuple[int, float]], since: int, days: int, mean: float) -> float:
    sums: defaultdict[int, float] = defaultdict(float)
    for at, size in inside:
        sums[(at - since) // DAY_US] += size
    whole = [total for day, total in sums.items() if day < days]
    squares = sum((total - mean) ** 2 for total in whole) + (days - len(whole)) * mean**2
    return sqrt(squares / (days - 1))


def croston(inside: Sequence[tuple[int, float]], since: int) -> float:
    """Units a day: smoothed size over smoothed interval, less half the smoothing (Syntetos and Boylan, 2005)."""
    (first, size), rest = inside[0], inside[1:]
    interval, last = max((first - since) / DAY_US, 1 / 24), first
    for at, each in rest:
        size += SMOOTHING * (each - size)
        interval += SMOOTHING * ((at - last) / DAY_US - interval)
        last = at
    return (1 - SMOOTHING / 2) * size / interval
