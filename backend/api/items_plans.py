"""The shape of the maintenance calendar and of how services kept to their plans."""

from datetime import datetime

from msgspec import Struct


class Occurrence(Struct, frozen=True):
    """A service to come: `due_from` to `due_by` is when it will be due; null: later than can be said.

    `state` is `forecast` of those after the next one, as if each were done when it is due.
    """

    asset: str
    plan: str
    name: str
    kind: str
    team: str | None
    occurrence: int
    state: str
    due_from: datetime
    due_by: datetime | None
    covers: list[int]
    """Which of all that fall due it answers for: several, if some were missed."""
    packages: list[str]
    lasts_hours: str | None
    work_order: str | None


class Kept(Struct, frozen=True):
    """Services of an asset, a plan or a month: in time, late, overdue, and those of which nobody can say."""

    key: str
    due: int
    on_time: int
    late: int
    overdue: int
    unknown: int
    share: str | None
