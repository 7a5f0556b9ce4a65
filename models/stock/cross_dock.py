"""Cross-docking: goods that somebody waits for go from the receiving dock to the outbound stage, and into no bin."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from models.units import plain


class Waiting(NamedTuple):
    """So much of an order line is neither picked nor reserved; `lot` is the one that alone will do, if one."""

    order: str
    line: int
    due_at: int
    lot: str | None
    quantity: Decimal
    stage: str


def split(
    received: Decimal, lot: str | None, waiting: Iterable[Waiting]
) -> tuple[list[tuple[Waiting, Decimal]], Decimal]:
    """Who gets how much of what came, who is due first gets it first; and what is left for the bins."""
    left = received
    found: list[tuple[Waiting, Decimal]] = []
    for each in sorted(waiting, key=lambda one: (one.due_at, one.order, one.line)):
        took = min(left, each.quantity)
        if took > 0 and each.lot in {None, lot}:
            found.append((each, plain(took)))
            left -= took
    return found, plain(left)


def dwell_us(came_at: int, left_at: int | None) -> int | None:
    """How long goods stood between the inbound and the outbound door, microseconds; None while they do."""
    return None if left_at is None else max(0, left_at - came_at)
