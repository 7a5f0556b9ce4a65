"""A person approves or rejects a reorder proposal: once; the same decision again is harmless, another is a clash."""

from typing import Literal

from sqlalchemy import Connection, update

from backend.api import items
from backend.api.queries.decisions import one_proposal
from backend.book import events, locks, proposals
from backend.book.schema import proposal
from models.errors import Clash, NotFound

Verdict = Literal["approved", "rejected"]


def decide(tx: Connection, ident: str, verdict: Verdict, stamp: tuple[str, str | None, int]) -> items.Proposal:
    """Record the verdict; `stamp` is who, why, and when. Raises NotFound, or Clash if it was decided otherwise."""
    actor, reason, now = stamp
    locks.number(tx)
    found = one_proposal(tx, ident)
    if found is None:
        msg = f"proposals: nothing of id {ident!r}"
        raise NotFound(msg)
    if found.state == verdict:
        return found
    values = {"state": verdict, "decided_at": now, "decided_by": actor}
    open_one = update(proposal).where(proposal.c.id == ident, proposal.c.state == "open")
    if tx.execute(open_one.values(values)).rowcount != 1:
        msg = f"proposal {ident}: open expected, it is {found.state}"
        raise Clash(msg)
    proposals.record(tx, ident, verdict, (actor, reason), now)
    events.emit(tx, "proposal", {"id": ident, "sku": found.sku, "state": verdict, "by": actor}, now)
    events.changed(tx, f"item:{found.sku}", now)
    decided = one_proposal(tx, ident)
    assert decided is not None  # noqa: S101 - updated just now
    return decided
