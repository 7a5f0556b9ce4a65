"""What is news of an asset: a moment that was received within five minutes of when it was, and is told once.

It must be no older than five minutes beside the newest that is known of the asset, and of something that began after
what was told last: what a backlog brings changes figures, and rings nothing.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select

from backend.book.schema import journal
from backend.plan.rule import DAY_US, SECOND_US, View
from models import wire
from models.declared import Asset
from models.motion.fix import flaw
from models.reading import Fix, from_micros, micros

LATE_US = 300 * SECOND_US
NEWS_US = DAY_US
"""However long the planner was away."""
MOST_FIXES = 1000
"""How far back a good one is looked for."""


class Times(Struct, frozen=True):
    """Microseconds: when something was and was received, the newest of its asset, and the newest that was told."""

    begin_at: int
    """Of the whole that it is a part of."""
    at: int
    received_at: int
    newest_at: int
    told_at: int = 0

    @property
    def is_news(self) -> bool:
        """Whether somebody is to be told."""
        is_live = abs(self.received_at - self.at) <= LATE_US
        return is_live and self.at >= self.newest_at - LATE_US and self.begin_at > self.told_at


def heard(view: View, device_id: int, at: int, *kinds: str) -> tuple[int, int]:
    """When the first reading of a device from a time on was, and when it was received; now if there is none."""
    rows = select(journal.c.at, journal.c.received_at).where(journal.c.device_id == device_id, journal.c.at >= at)
    ordered = rows.where(journal.c.kind.in_(kinds)).order_by(journal.c.at, journal.c.received_at)
    first = view.tx.execute(ordered.limit(1)).first()
    return (at, view.now) if first is None else (first.at, first.received_at)


def last_good(view: View, device_id: int, span: tuple[int, int]) -> int | None:
    """When the last fix without a flaw in a span (since, until) was, of the last MOST_FIXES."""
    since, until = span
    mine = (journal.c.device_id == device_id, journal.c.kind == "fix", journal.c.at >= since, journal.c.at < until)
    rows = select(journal.c.at, journal.c.body).where(*mine).order_by(journal.c.at.desc()).limit(MOST_FIXES)
    return next((row.at for row in view.tx.execute(rows) if _is_good(row.body)), None)


def _is_good(body: bytes) -> bool:
    reading = wire.decode(body)
    return isinstance(reading, Fix) and flaw(reading) is None


def name_of(view: View, asset: str) -> str:
    """What people call an asset."""
    body = view.register.get("assets", asset, view.now)
    return body.name if isinstance(body, Asset) else asset


def detail(times: Times, figures: dict[str, object]) -> str:
    """The detail of an alert, with when it was."""
    return json.dumps({**figures, "at": from_micros(times.at).isoformat()})


def told_at(text: str | None) -> int:
    """When what an alert told was, by its detail; 0 without one."""
    try:
        return 0 if text is None else micros(datetime.fromisoformat(json.loads(text)["at"]))
    except (ValueError, KeyError, TypeError):
        return 0


def newest(known: Sequence[tuple[str, int]]) -> dict[str, int]:
    """The newest time of each asset."""
    found: dict[str, int] = {}
    for asset, at in known:
        found[asset] = max(at, found.get(asset, at))
    return found
