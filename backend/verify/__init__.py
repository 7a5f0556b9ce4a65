"""`stockyard verify`: replay the journal and the ledger and check every invariant; CHECKS is the whole list.

Everything runs in one read transaction of a running system: what it sees is one moment.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from backend.book.db import read
from backend.verify import (
    asset_value,
    assets,
    books,
    contents,
    counts,
    custody,
    folds,
    intake,
    lots,
    proofs,
    seals,
    tags,
    use,
    values,
    work,
)
from backend.verify.folds import Seen
from models.errors import Refused

Check = Callable[[Seen], tuple[str, list[str]]]
"""A figure, and what is wrong: empty if nothing is."""

CHECKS: dict[str, Check] = {
    "file integrity": intake.file_integrity,
    "each seq once": intake.streams_whole,
    "readings as they came": intake.readings_as_said,
    "scans put by programs journalled": intake.scans_journalled,
    "refused messages counted": intake.refusals_counted,
    "derived rows = fold of the journal": folds.derived_rebuilt,
    "states = fold of the journal": folds.states_rebuilt,
    "checkpoints = fold of the journal": folds.checkpoints_rebuilt,
    "seals follow each other": seals.seals_stand,
    "readings gone as sealed": seals.readings_gone,
    "ledger chain": books.ledger_chain,
    "balances = ledger": books.balances_replayed,
    "movements and their evidence": books.evidence_stands,
    "readings behind the evidence": books.readings_behind,
    "stock or asset, never both": books.stock_or_asset,
    "reservations = their steps": lots.reservations_stepped,
    "written off or capitalised once": lots.left_stock_once,
    "counts = what was there": counts.counts_hold,
    "work and its movements": counts.work_posted,
    "tags bound by scans": tags.follow_scans,
    "lots dated by labels": tags.follow_labels,
    "contents of pallets moved with them": contents.follow_pallets,
    "use counted once": assets.use_counted_once,
    "distance counted once": assets.distance_counted_once,
    "custody chained": custody.chains_hold,
    "assets promised once": custody.promised_once,
    "services of their plans": assets.services_of_plans,
    "meter notes and stops": use.notes_and_stops,
    "parts of work orders and the ledger": work.parts_posted,
    "one open work order, costs = their lines": work.one_open_order,
    "work orders = their recorded life": work.lives_legal,
    "value = replay of ledger and costs": values.months_replayed,
    "value: what came = what left + what is there": values.nothing_lost,
    "value ledger chained and balanced": values.postings_stand,
    "closed months": values.periods_closed,
    "one open alert, one open proposal": books.one_open,
    "alerts = their recorded life": books.alert_histories,
    "asset ledger chained and balanced": asset_value.postings_stand,
    "assets: posted = due = register": asset_value.values_due,
    "records of assets chained and unchanged": proofs.hold,
}
SHOWN = 3
DAMAGE = (Refused, ValueError, LookupError, TypeError, ArithmeticError, msgspec.MsgspecError, SQLAlchemyError)
"""What a check may stumble over in a damaged row."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant, its figure, and what breaks it if anything does."""

    name: str
    figure: str
    ok: bool
    detail: str


def verify(book: Engine) -> list[Finding]:
    """Check every invariant of the book."""
    try:
        with read(book) as tx:
            seen = Seen(tx)
            return [_finding(name, check, seen) for name, check in CHECKS.items()]
    except OperationalError:
        raise
    except DatabaseError as error:
        return [Finding(next(iter(CHECKS)), "cannot be read", ok=False, detail=str(error.orig))]


def _finding(name: str, check: Check, seen: Seen) -> Finding:
    try:
        figure, wrong = check(seen)
    except DAMAGE as error:
        figure, wrong = "cannot be checked", [f"{type(error).__name__}: {error}"[:300]]
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return Finding(name, figure, not wrong, "; ".join(wrong[:SHOWN]) + more)
