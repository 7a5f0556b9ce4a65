"""Which replenishment cycles had a stock-out: the service that was reached, beside the one that was aimed at."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple


class Step(NamedTuple):
    """A change of what is on hand, and whether it is a receipt from a supplier, which ends a cycle; microseconds."""

    at: int
    change: Decimal
    is_receipt: bool


class Reached(NamedTuple):
    """Whole cycles, and those of them in which nothing was left at some time."""

    cycles: int
    empty: int

    @property
    def service(self) -> float | None:
        """The share of cycles in which there was always something left; None of no cycle."""
        return 1 - self.empty / self.cycles if self.cycles else None


def reached(steps: Iterable[Step], since: int) -> Reached:
    """Cycles that ended from `since` on: from one receipt to the next.

    The ledger does not know what was asked for in vain, so a cycle that ends with nothing left counts as a stock-out.
    """
    on_hand, is_empty, is_first = Decimal(0), False, True
    cycles = empty = 0
    for step in sorted(steps):
        if step.is_receipt and step.change > 0:
            if not is_first and step.at >= since:
                cycles += 1
                empty += is_empty
            is_first, is_empty = False, False
        on_hand += step.change
        is_empty = is_empty or on_hand <= 0
    return Reached(cycles, empty)
