"""What is sealed of the book: days whose readings may be gone, and what every fold stood at when they ended.

A seal of day D is about everything before D, 00:00 UTC. From when it is closed on nothing before D can change: a
reading of before is kept apart (`too_late`), a declaration of before is refused. Sealed, folds begin at its states.
Readings go that are a day older still, so that whoever looks a little back from D finds them: a door's vote and its
photo-eye, and what a device sends a second time.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Select, bindparam, func, select

from backend.book.journal import DAY_US
from backend.book.schema import seal, seal_stream, sealed_state, stream
from models.errors import Refused
from models.reading import from_micros

KEPT_DAYS = 1
"""So many days before a seal keep their readings."""
NOTHING = b"\xc0"
"""The state of a key that stands at nothing: its row only says that it stood at something before."""
EVER = -(1 << 62)
_CLOSED = select(func.max(seal.c.day))
_SEALED = select(func.max(seal.c.day)).where(seal.c.sealed_at.is_not(None))
_PRUNING = select(func.max(seal.c.day)).where(seal.c.pruning_at.is_not(None))
_STATES = (
    select(sealed_state.c.subject, sealed_state.c.state)
    .where(
        sealed_state.c.step == bindparam("step"),
        sealed_state.c.device_id == bindparam("device"),
        sealed_state.c.day <= bindparam("day"),
    )
    .order_by(sealed_state.c.subject, sealed_state.c.day)
)
_STATES_OF = _STATES.where(sealed_state.c.subject.in_(bindparam("subjects", expanding=True)))


class Sealed(Refused):
    """Something was to hold from before the seal on; `since` is the earliest that can be, microseconds."""

    def __init__(self, since: int, got: int) -> None:
        since_text, got_text = (f"{from_micros(at):%Y-%m-%dT%H:%M:%SZ}" for at in (since, got))
        super().__init__(f"valid_from: {since_text} or later expected, what was read before is sealed, got {got_text}")
        self.since = since


def boundary(tx: Connection) -> int:
    """The time before which nothing changes any more, microseconds; EVER if nothing is sealed.

    Ask it in a transaction that shares or owns the register: it stays so until that ends.
    """
    day = tx.scalar(_CLOSED)
    return EVER if day is None else day * DAY_US


def first_day(tx: Connection) -> int | None:
    """The day, since 1970, at whose sealed states folds begin; None: at the first reading."""
    day: int | None = tx.scalar(_SEALED)
    return day


def states(tx: Connection, step: str, device_id: int, subjects: Collection[str] | None = None) -> dict[str, bytes]:
    """What keys of a step and device stood at when the last seal was made, by subject; without those of nothing."""
    day = first_day(tx)
    if day is None:
        return {}
    asked = {"step": step, "device": device_id, "day": day}
    query: Select[str, bytes] = _STATES if subjects is None else _STATES_OF
    rows = tx.execute(query, asked if subjects is None else asked | {"subjects": sorted(subjects)})
    found = {subject: bytes(state) for subject, state in rows}  # of each the newest, which comes last
    return {subject: state for subject, state in found.items() if state != NOTHING}


def gone_before(tx: Connection) -> int:
    """The time before which readings may be gone, microseconds; EVER if none are."""
    day = tx.scalar(_PRUNING)
    return EVER if day is None else (day - KEPT_DAYS) * DAY_US


def day_of_time(tx: Connection, at: int | None) -> date | None:
    """The seal by which a reading of this time may have gone; None if it is kept. `at` None: the last seal."""
    gone = seal.c.pruning_at.is_not(None)
    if at is None:
        return _date(tx.scalar(_PRUNING))
    return _date(tx.scalar(select(func.min(seal.c.day)).where(gone, seal.c.day > at // DAY_US + KEPT_DAYS)))


def day_of_number(tx: Connection, stream_id: int, seq: int) -> date | None:
    """The seal by which this number of a stream went; None if it has not."""
    went = select(func.min(seal_stream.c.day)).join(stream, stream.c.id == seal_stream.c.stream_id)
    mine = (stream.c.id == stream_id, stream.c.pruned_to >= seq, seal_stream.c.to_seq >= seq)
    return _date(tx.scalar(went.where(*mine)))


def date_of(day: int) -> date:
    """A day since 1970."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date()


def _date(day: int | None) -> date | None:
    return None if day is None else date_of(day)
