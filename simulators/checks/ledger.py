"""The net ledger: what holds after every entry and its reversal have cancelled."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from simulators.answers import Movement

PLACES = ("warehouse", "desk", "shelf-a")
Levels = dict[tuple[str, str], Decimal]
"""Quantity by (sku, place)."""


def net(movements: Iterable[Movement]) -> list[Movement]:
    """Entries that hold. A reversal that is itself reversed cancels nothing."""
    gone: set[str] = set()
    held: list[Movement] = []
    for entry in sorted(movements, key=lambda entry: entry.n, reverse=True):
        if entry.id in gone:
            continue
        if entry.reverses is not None:
            gone.add(entry.reverses)
        else:
            held.append(entry)
    return held[::-1]


@dataclass(slots=True)
class Ledger:
    """Net entries by each piece of their evidence; `explained` are those that the truth accounts for."""

    entries: list[Movement]
    by_evidence: dict[str, list[Movement]] = field(init=False)
    explained: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.by_evidence = defaultdict(list)
        for entry in self.entries:
            for evidence in entry.evidence:
                self.by_evidence[evidence].append(entry)

    def of(self, evidence: str) -> list[Movement]:
        """The net entries that rest on this."""
        return self.by_evidence.get(evidence, [])


def apply(levels: Levels, entry: Movement, sign: int = 1) -> None:
    """Move an entry's quantity between the real places."""
    quantity = Decimal(entry.quantity) * sign
    for place, change in ((entry.source, -quantity), (entry.target, quantity)):
        if place in PLACES:
            levels[entry.sku, place] = levels.get((entry.sku, place), Decimal(0)) + change


def text(entry: Movement) -> str:
    """One entry in words."""
    return f"{entry.quantity} x {entry.sku} (lot {entry.lot or '-'}) {entry.source} -> {entry.target}"
