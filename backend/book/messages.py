"""Messages in the book: what each recipient is still to be told of an alert, and what came of every try.

One message per (alert, step, channel, recipient), whoever asks for it and however often.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from backend.book.schema_desk import message
from models.ids import derived_id
from models.mail import next_try

WAITING, DELIVERED, DEAD, DROPPED, HANDED = "waiting", "delivered", "dead", "dropped", "handed"
Channel = Literal["mail", "webhook"]


class Draft(Struct, frozen=True):
    """What somebody is to be told: of an alert ("" for a digest), at a step of its life, from `due_at` on."""

    alert_id: str
    step: str
    channel: Channel
    recipient: str
    contact: str
    subject: str
    text: str
    due_at: int

    @property
    def id(self) -> str:
        """The same however often it is drafted."""
        return derived_id("message", self.alert_id, self.step, self.channel, self.recipient)


class Tried(Struct, frozen=True):
    """One try of a message: the code that a server answered, None if it did not; the problem, None if it took it."""

    code: int | None
    problem: str | None


def queue(tx: Connection, draft: Draft, state: str, now: int, problem: str | None = None) -> bool:
    """Add a message; False if it was there already."""
    values = {name: getattr(draft, name) for name in Draft.__struct_fields__}
    done_at = None if state == WAITING else now
    new = insert_or_ignore(message).values(
        id=draft.id, **values, made_at=now, state=state, done_at=done_at, problem=problem
    )
    ignored = new.on_conflict_do_nothing(index_elements=["alert_id", "step", "channel", "recipient"])
    return tx.scalar(ignored.returning(message.c.n)) is not None


def due(tx: Connection, now: int, limit: int) -> Sequence[Row[Any]]:
    """Mails whose time has come, oldest first."""
    table = message.c
    query = select(message).where(table.state == WAITING, table.due_at <= now)
    return tx.execute(query.order_by(table.due_at, table.n).limit(limit)).all()


def note(tx: Connection, row: Row[Any], tried: Tried, now: int) -> str:
    """Write down what came of a try; the state that it is in now."""
    tries = row.tries + 1
    again_at = None if tried.problem is None else next_try(row.made_at, tries, tried.code, now)
    state = DELIVERED if tried.problem is None else DEAD if again_at is None else WAITING
    values: dict[str, Any] = {"state": state, "tries": tries, "code": tried.code, "problem": tried.problem}
    values |= {"done_at": now} if again_at is None else {"due_at": again_at}
    tx.execute(update(message).where(message.c.n == row.n, message.c.state == WAITING).values(**values))
    return state


def drop_untold(tx: Connection, alert_id: str, now: int) -> None:
    """It is over: who was to be told only after quiet hours is not told any more."""
    table = message.c
    held = (table.alert_id == alert_id, table.state == WAITING, table.tries == 0, table.due_at > now)
    said = {"state": DROPPED, "done_at": now, "problem": "over before the quiet hours were"}
    tx.execute(update(message).where(*held).values(**said))


def again(tx: Connection, n: int, now: int) -> None:
    """Try one that is dead, or waits, at once; nothing else is changed by it."""
    table = message.c
    change = update(message).where(table.n == n, table.state.in_((WAITING, DEAD)))
    tx.execute(change.values(state=WAITING, tries=0, due_at=now, made_at=now, done_at=None))


def counts(tx: Connection) -> dict[str, int]:
    """How many wait, and how many are dead."""
    table = message.c
    rows = tx.execute(select(table.state, func.count()).where(table.state.in_((WAITING, DEAD))).group_by(table.state))
    found: dict[str, int] = {state: count for state, count in rows}  # noqa: C416 - rows are no pairs to the type checkers
    return {WAITING: 0, DEAD: 0} | found


def forget(tx: Connection, before: int, limit: int) -> int:
    """Leave out messages that were done before a time; how many."""
    table = message.c
    old: Collection[int] = tx.scalars(
        select(table.n).where(table.state != WAITING, table.done_at < before).order_by(table.n).limit(limit)
    ).all()
    if old:
        tx.execute(delete(message).where(table.n.in_(old)))
    return len(old)
