"""`stockyard verify`: replay the journal and the ledger and check every invariant; CHECKS is the whole list.

Everything runs in one read transaction of a running system: what it sees is one moment.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from backend.book.db import read
from backend.verify import books, folds, intake
from backend.verify.folds import Seen

Check = Callable[[Seen], tuple[str, list[str]]]
"""A figure, and what is wrong: empty if nothing is."""

CHECKS: dict[str, Check] = {
    "file integrity": intake.file_integrity,
    "each seq once": intake.streams_whole,
    "readings as they came": intake.readings_as_said,
    "derived rows = fold of the journal": folds.derived_rebuilt,
    "states = fold of the journal": folds.states_rebuilt,
    "checkpoints = fold of the journal": folds.checkpoints_rebuilt,
    "ledger chain": books.ledger_chain,
    "balances = ledger": books.balances_replayed,
    "movements and their evidence": books.evidence_stands,
    "readings behind the evidence": books.readings_behind,
    "stock or asset, never both": books.stock_or_asset,
    "one open alert, one open proposal": books.one_open,
}
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant, its figure, and what breaks it if anything does."""

    name: str
    figure: str
    ok: bool
    detail: str


def verify(book: Engine) -> list[Finding]:
    """Check every invariant of the book."""
    with read(book) as tx:
        seen = Seen(tx)
        return [_finding(name, check, seen) for name, check in CHECKS.items()]


def _finding(name: str, check: Check, seen: Seen) -> Finding:
    figure, wrong = check(seen)
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return Finding(name, figure, not wrong, "; ".join(wrong[:SHOWN]) + more)
