"""What an asset is doing, in words that a person uses: it moves, idles, is off, or has not been heard for too long."""

from dataclasses import dataclass

from backend.api.queries.yard import Seen
from models.declared import Tracker

MOVING_MPS = 1.0
"""Slower is the noise of a standing receiver."""
AGED_US = 60_000_000
"""What was heard longer ago says so."""
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A word for it, the kind that its mark is drawn by, and since when; `speed_kmh` while it moves."""

    kind: str
    word: str
    since: int | None
    speed_kmh: int | None = None

    @property
    def words(self) -> str:
        """With its speed."""
        return self.word if self.speed_kmh is None else f"{self.word} {self.speed_kmh} km/h"


def standing(seen: Seen, now: int) -> Standing:
    """What an asset is doing at `now`."""
    if seen.tracker is None:
        return Standing("none", "no tracker", None)
    if seen.heard_at is None:
        return Standing("none", "never heard", None)
    engine = seen.engine
    if now - seen.heard_at > _silent_us(seen.tracker, on=engine is not None and engine.on):
        return Standing("silent", "not heard", seen.heard_at)
    speed = seen.place.speed_mps if seen.place is not None else None
    if speed is not None and speed >= MOVING_MPS and (engine is None or engine.on):
        return Standing("moving", "moving", engine.since if engine else None, round(speed * 3.6))
    if engine is None:
        return Standing("off", "standing", None)
    return Standing("idle", "idle", engine.since) if engine.on else Standing("off", "off", engine.since)


def _silent_us(tracker: Tracker, *, on: bool) -> int:
    return round((tracker.silent_on_s if on else tracker.silent_off_s) * US)


def aged(seen: Seen, now: int) -> str | None:
    """How long ago an asset was heard, if that is worth saying."""
    if seen.heard_at is None or now - seen.heard_at < AGED_US:
        return None
    return in_words(now - seen.heard_at)


def in_words(us: int) -> str:
    """A time that has passed, roughly.

    >>> in_words(45 * US), in_words(70 * 60 * US), in_words(30 * 3600 * US), in_words(50 * 86_400 * US)
    ('45 s', '70 min', '30 h', '50 days')
    """
    seconds = us // US
    for limit, each, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds // each} {unit}"
    return f"{seconds // 86_400} days"
