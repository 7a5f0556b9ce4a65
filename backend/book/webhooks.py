"""Webhooks in the book: which events each receiver is still owed, and what came of every try."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from backend.book import events
from backend.book.bulk import write_rows
from backend.book.schema import event
from backend.book.schema_notify import webhook_delivery, webhook_mark
from models.ids import derived_id
from models.reading import from_micros
from models.webhook import next_try_s

EVENTS_A_TURN = 500
WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
SECOND_US = 1_000_000
_ADD = insert(webhook_delivery)


class Tried(Struct, frozen=True):
    """One try of a delivery: the status that was answered, or why there was none."""

    n: int
    tries: int
    status: int | None
    problem: str | None


def begin(tx: Connection, names: Collection[str]) -> None:
    """Receivers that are configured: a new one is told what happens from now on, one that is gone is owed nothing."""
    tx.execute(delete(webhook_mark).where(webhook_mark.c.webhook.not_in(names)))
    held = {*tx.scalars(select(webhook_mark.c.webhook))}
    last = newest_event(tx)
    write_rows(tx, insert(webhook_mark), [{"webhook": each, "event_n": last} for each in names if each not in held])


def newest_event(tx: Connection) -> int:
    """The n of the last event, 0 if there is none."""
    return tx.scalar(select(func.max(event.c.n))) or 0


def queue(tx: Connection, webhook: str, kinds: Collection[str], now: int) -> int:
    """Turn the next events of these kinds into deliveries; the n up to which events have been looked at.

    A receiver that the book does not know (any more) is owed nothing.
    """
    mark: int | None = tx.scalar(
        select(webhook_mark.c.event_n).where(webhook_mark.c.webhook == webhook).with_for_update()
    )
    if mark is None:
        return newest_event(tx)
    found = tx.execute(select(event).where(event.c.n > mark).order_by(event.c.n).limit(EVENTS_A_TURN)).all()
    if not found:
        return mark
    rows = [
        {
            "webhook": webhook,
            "event_n": each.n,
            "id": derived_id("webhook", webhook, str(each.n), str(each.at)),
            "kind": each.kind,
            "body": _body(each),
            "made_at": each.at,
            "state": WAITING,
            "due_at": now,
        }
        for each in found
        if each.kind in kinds
    ]
    write_rows(tx, _ADD, rows)
    last: int = found[-1].n
    tx.execute(update(webhook_mark).where(webhook_mark.c.webhook == webhook).values(event_n=last))
    return last


def owe(tx: Connection, webhook: str, ident: str, told: tuple[str, dict[str, Any]], now: int) -> None:
    """Owe one receiver an event of its own, (kind, body), whatever kinds it wants; `ident` is its webhook-id."""
    kind, body = told
    events.emit(tx, kind, body, now)
    each = tx.execute(select(event).order_by(event.c.n.desc()).limit(1)).one()
    row = {"webhook": webhook, "event_n": each.n, "id": ident, "kind": kind, "body": _body(each), "made_at": now}
    tx.execute(_ADD.values(**row, state=WAITING, due_at=now))


def _body(each: Row[Any]) -> bytes:
    """`type`, `timestamp` and `data`, as Standard Webhooks recommends."""
    head = f'{{"type":"{each.kind}","timestamp":"{from_micros(each.at).isoformat()}","n":{each.n},"data":'
    return head.encode() + bytes(each.body) + b"}"


def due(tx: Connection, webhook: str, now: int, limit: int) -> Sequence[Row[Any]]:
    """Deliveries whose time has come, oldest first."""
    table = webhook_delivery.c
    query = select(webhook_delivery).where(table.webhook == webhook, table.state == WAITING, table.due_at <= now)
    return tx.execute(query.order_by(table.due_at, table.n).limit(limit)).all()


def note(tx: Connection, tried: Sequence[Tried], now: int) -> int:
    """Write down what came of tries: delivered, to be tried again, or dead; how many are dead."""
    dead = 0
    for each in tried:
        is_told = each.status is not None and 200 <= each.status < 300  # noqa: PLR2004 - 2xx
        again_s = None if is_told else next_try_s(each.tries, each.status)
        state = DELIVERED if is_told else DEAD if again_s is None else WAITING
        dead += state == DEAD
        values = {"state": state, "tries": each.tries, "status": each.status, "problem": each.problem}
        if again_s is None:
            values["done_at"] = now
        else:
            values["due_at"] = now + again_s * SECOND_US
        tx.execute(update(webhook_delivery).where(webhook_delivery.c.n == each.n).values(**values))
    return dead


def again(tx: Connection, n: int, now: int) -> bool:
    """Try one that is dead, or waits, at once; False if there is no such delivery, or it was delivered."""
    table = webhook_delivery.c
    change = update(webhook_delivery).where(table.n == n, table.state != DELIVERED)
    return tx.execute(change.values(state=WAITING, tries=0, due_at=now, done_at=None)).rowcount > 0
