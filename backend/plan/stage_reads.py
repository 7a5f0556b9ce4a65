"""A tag that is read at the outbound stage, or going out from it, is picked: nobody needs to scan it besides.

It confirms the open pick, or cross-dock, of its item that takes from where the books have the tag, by the reading's
own time. Without such a task the reading moves nothing here.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import select

from backend.book import tag_places, tasks
from backend.book.schema import crossing, movement, presence
from backend.book.work_log import Stamp
from backend.identities import identities
from backend.plan.rule import Rule, View
from models.alert import Alert
from models.errors import Refused
from models.identity import Identity, identify
from models.ids import derived_id
from models.stock.picking import AT_SOURCE, Given
from models.stock.sweep import where

ACTOR = "reader"


class Heard(Struct, frozen=True):
    """A tag of goods, and where it was read: time, place, evidence, oldest first."""

    epc: str
    what: Identity
    reads: list[tuple[int, str, str]]


def load(view: View, epcs: Sequence[str]) -> list[tuple[str, Heard]]:
    """Tags that stand for goods which some task waits for."""
    found: list[tuple[str, Heard]] = []
    waiting = tasks.open_skus(view.tx)
    for epc in epcs if waiting else ():
        what = identify(epc, identities(view.register, view.now, epc))
        if what.sku in waiting and what.quantity is not None:
            found.append((f"tag:{epc}", Heard(epc, what, sorted(_reads(view, epc)))))
    return found


def _reads(view: View, epc: str) -> Iterator[tuple[int, str, str]]:
    heard = select(presence).where(presence.c.subject == epc, presence.c.what != "depart")
    for row in view.tx.execute(heard):
        yield row.closed_at, row.place, f"presence:{row.id}"
    went = select(crossing.c.id, movement.c.at, movement.c.source).join(movement, movement.c.id == crossing.c.movement)
    for row in view.tx.execute(went.where(crossing.c.subject == epc)):
        yield row.at - 1, row.source, f"crossing:{row.id}"


def settle(view: View, facts: Heard) -> None:
    """Confirm what the readings show."""
    assert facts.what.sku is not None  # noqa: S101 - `load` takes no others
    assert facts.what.quantity is not None  # noqa: S101
    for at, place, evidence in facts.reads:
        booked = where(tag_places.in_ledger(tag_places.stays(view.tx, [facts.epc]).get(facts.epc, ())), at).place
        for row in tasks.open_of(view.tx, facts.what.sku):
            task = tasks.of_row(row)
            if task.kind not in AT_SOURCE or (task.source, task.target) != (booked, place) or at < row.since:
                continue
            given = Given(
                id=derived_id("read", task.id, facts.epc),
                at=at,
                sku=task.sku,
                lot=task.lot,
                quantity=facts.what.quantity,
                location=task.source,
                epc=facts.epc,
                evidence=[evidence],
            )
            if _confirmed(view, task.id, given):
                break


def _confirmed(view: View, task: str, given: Given) -> bool:
    try:
        tasks.confirm(view.tx, view.register, task, given, Stamp(ACTOR, view.now))
    except Refused:  # more than is left of it, or what held it was given up: another task may want it
        return False
    return True


def no_alert(_facts: Heard, _now: int) -> Alert | None:
    """A reading that confirms nothing is no news."""
    return None


STAGE_READS = Rule("stage_read", "tag", load, no_alert, settle=settle)
