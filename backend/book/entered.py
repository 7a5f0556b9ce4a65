"""Movements that a person enters, and takes back: by policy no more than there is, and only for some days.

What was read, scanned at a desk, counted or confirmed is not taken back here: its movement follows from those facts,
and comes again when they are looked at again. A repeat is harmless at any time, also of what was taken back since.
"""

from typing import Literal

from sqlalchemy import Connection, select

from backend.book import entries, ledger, locks
from backend.book.journal import DAY_US
from backend.book.schema import movement
from models.errors import Clash, NotFound, Refused
from models.ids import is_derived
from models.register import Register
from models.stock.ledger import Movement, canonical, reversal

FACTS = frozenset({"crossing", "scan", "task", "count", "sweep", "write_off", "capitalisation", "work_order"})
"""Kinds of evidence that a movement follows from."""


def put(tx: Connection, known: Register, wanted: Movement, actor: str, now: int) -> Literal["created", "same"]:
    """Post what a person enters; the same again is harmless, and leaves what was taken back as it is.

    Raises Clash if the id has other content, Refused where less is there than leaves, or of an id that facts may have.
    """
    locks.number(tx)
    chain = ledger.chain_of(tx, wanted.id)
    if chain:
        if canonical(ledger.of_row(chain[0])) != canonical(wanted):
            msg = f"id: {wanted.id} is posted with other content"
            raise Clash(msg)
        return "same"
    fact = tx.scalar(select(movement.c.movement_id).where(movement.c.id == wanted.id))
    if fact is not None:
        msg = f"id: {wanted.id} is an entry that the books made of movement {fact}"
        raise Clash(msg)
    if is_derived(wanted.id):
        msg = f"id: no UUID of version 5 expected, which the books make of facts, got {wanted.id}"
        raise Refused(msg)
    entries.check_covered(tx, known, [wanted], now)
    ledger.post(tx, [wanted], (), actor, now)
    return "created"


def reverse(
    tx: Connection, known: Register, ident: str, why: tuple[str, str], undo: tuple[int, int]
) -> Literal["created", "same"]:
    """Take back what a person entered, for a reason, by somebody (`why`), at a time, so many days after (`undo`).

    Again is harmless. Raises NotFound, or Refused: it follows from facts, is too old, or its goods are gone.
    """
    (reason, by), (now, days) = why, undo
    locks.number(tx)
    chain = ledger.chain_of(tx, ident)
    if not chain:
        msg = f"movements: nothing of id {ident!r}"
        raise NotFound(msg)
    if len(chain) % 2 == 0:
        return "same"
    base = ledger.of_row(chain[0])
    fact = next((each for each in base.evidence if each.partition(":")[0] in FACTS), None)
    if fact is not None:
        msg = f"id: a movement that a person entered expected, {ident} follows from {fact}"
        raise Refused(msg)
    if now - chain[0].recorded_at > days * DAY_US:
        msg = f"id: a movement recorded in the last {days} days expected; enter one the other way"
        raise Refused(msg)
    entries.check_covered(tx, known, [reversal(base)], now)
    ledger.reverse(tx, ident, reason, by, now)
    return "created"
