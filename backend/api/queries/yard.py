"""What every asset is doing now, for the yard plan: one query for all trackers, not one for each."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from backend import usage
from backend.book import places
from backend.book.schema import event, fold_state
from backend.hours_step import HOURS
from models.declared import Asset, Tracker
from models.motion.engine import Engine
from models.motion.meter import Metered
from models.register import Register


@dataclass(frozen=True, slots=True)
class Seen:
    """An asset, what its tracker last said, and where it was. None is what nobody has said."""

    id: str
    asset: Asset
    tracker: Tracker | None
    engine: Engine | None
    heard_at: int | None
    place: places.Place | None

    @property
    def point(self) -> tuple[float, float] | None:
        """(lat, lon) of its place."""
        return None if self.place is None else (self.place.lat, self.place.lon)


def seen(tx: Connection, register: Register, now: int, only: str | None = None) -> list[Seen]:
    """Every asset of the register, or one, by id."""
    bodies = register.all("assets", now) if only is None else {only: register.get("assets", only, now)}
    mounted = {tracker.asset: (ident, tracker) for ident, tracker in usage.trackers(register, now)}
    metered = dict(usage.states(tx, register, only))
    where = places.last_places(tx, register, now)
    return [
        _seen(ident, body, mounted.get(ident), metered, where.get(ident))
        for ident, body in bodies.items()
        if isinstance(body, Asset)
    ]


def _seen(
    ident: str,
    body: Asset,
    mounted: tuple[str, Tracker] | None,
    metered: Mapping[str, Metered],
    place: places.Place | None,
) -> Seen:
    state = metered.get(mounted[0]) if mounted else None
    if state is not None and state.asset != ident:
        state = None
    heard = [state.last_at] if state is not None else []
    heard += [place.heard_at] if place is not None else []
    tracker, engine = mounted[1] if mounted else None, state.engine if state else None
    return Seen(ident, body, tracker, engine, max(heard, default=None), place)


def changed_at(tx: Connection) -> tuple[int, int]:
    """When a tracker's state last changed, and the number of the last event: what is shown is the same until then."""
    steps = fold_state.c.step.in_((HOURS.name, "motion"))
    received = tx.scalar(select(func.max(fold_state.c.received_at)).where(steps))
    return received or 0, tx.scalar(select(func.max(event.c.n))) or 0
