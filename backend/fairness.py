"""What waits for ingest: a bounded lane per gateway, served in turn, so that one that floods slows only itself.

Deficit round robin after Shreedhar and Varghese (1995), in readings: a lane that was given more than its turn is passed
over until the others have had as much. A lane also has a pace, its quota. What does not fit is dropped without a
receipt, so that the edge sends it again; `offer` never blocks, because it is called in the transport's network thread.
"""

import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

from models.pace import Pace
from models.wire import MAX_BATCH_BYTES

T = TypeVar("T")
ITEM_BYTES = 600
"""What an item costs in memory besides its payload."""
READING_BYTES = 400
"""A reading has hardly ever more; the least that bytes count for, however their keys are written."""
STALLED_S, CALM_S = 5.0, 30.0
"""Nobody takes for so long: the book is away. What lanes bear then, and for a while after it, is not of their quota."""
ABOUT_S = 1.0
"""A gateway that was heard of within that time is about, and may send again at any moment."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait, and how much a lane gets."""

    readings_per_s: float = 20_000.0
    """The quota of one lane."""
    lane_items: int = 64
    """A gateway has at most 8 batches in flight; sent again after silence they may be there a few times."""
    lane_bytes: int = 4 << 20
    total_bytes: int = 32 << 20
    lanes: int = 5_000
    quantum: int = 100
    """Readings that a lane may have more of in each round."""
    group_share: int = 1_000
    """Readings of one lane in one group while others are about: nobody waits for a longer commit of another."""


@dataclass(slots=True)
class Pressure:
    """What one lane had to bear since it was last asked."""

    dropped: int = 0
    held_s: float = 0.0
    """For how long something waited only because of the quota."""


@dataclass(slots=True)
class _Lane(Generic[T]):
    pace: Pace
    waiting: deque[tuple[T, int]] = field(default_factory=deque[tuple[T, int]])
    latest: tuple[T, int] | None = None
    """Of what only the newest counts: it goes first, so that an older one never comes after it."""
    size: int = 0
    deficit: int = 0
    in_group: int = 0
    heard_at: float = 0.0
    held_since: float | None = None
    pressure: Pressure = field(default_factory=Pressure)

    @property
    def empty(self) -> bool:
        return not self.waiting and self.latest is None


def readings_in(payload: bytes) -> int:
    """About how many readings a batch has, at least 1: what it will cost. Never too few by more than its bytes allow.

    >>> readings_in(b'{"readings": [{"kind": "tag"}, {"kind": "tag"}]}'), readings_in(b"")
    (2, 1)
    """
    text = payload
    if payload[:1] == b"\x78":
        try:
            text = zlib.decompressobj().decompress(payload, MAX_BATCH_BYTES)
        except zlib.error:
            return 1
    return max(1, text[: MAX_BATCH_BYTES + 1].count(b'"kind"'), min(len(text), MAX_BATCH_BYTES) // READING_BYTES)


class FairQueue(Generic[T]):
    """Items by lane. One thread offers, one takes; any may ask for the pressure."""

    def __init__(
        self, weigh: Callable[[T], int], bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._weigh = weigh
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._changed = Condition()
        self._lanes: dict[str, _Lane[T]] = {}
        self._ring: deque[str] = deque()
        """Lanes with something waiting, the next to be served first."""
        self._size = 0
        self._taken_at, self._calm_at = clock(), 0.0

    def offer(self, lane_name: str, item: T, size: int, *, latest: bool = False) -> bool:
        """Let it wait; False if it was dropped. `size`: bytes of its payload.

        `latest`: of its sort only the newest counts. There is always room for it, and it takes the place of the last.
        """
        size += ITEM_BYTES
        with self._changed:
            lane = self._lane(lane_name)
            if lane is None:
                return False
            lane.heard_at = self._clock()
            full = len(lane.waiting) >= self._bounds.lane_items or lane.size + size > self._bounds.lane_bytes
            if full and not latest:
                self._drop(lane, lane.heard_at)
                return False
            if lane.empty:
                self._ring.append(lane_name)
            if latest:
                self._resize(lane, -lane.latest[1] if lane.latest else 0)
                lane.latest = (item, size)
            else:
                lane.waiting.append((item, size))
            self._resize(lane, size)
            self._changed.notify()
            return self._keep_total(lane.heard_at) is not lane

    def take(self, wait_s: float, window_s: float, most: int, most_weight: int = 1 << 30) -> list[T]:
        """Wait for an item, then gather what comes within the window: up to `most` items or `most_weight` readings."""
        group: list[T] = []
        weight = 0
        begin = self._clock()
        ends = begin + wait_s
        with self._changed:
            self._take_up(begin)
            for lane in self._lanes.values():
                lane.in_group = 0
            while len(group) < most and weight < most_weight:
                found = self._next()
                if found is None:
                    left = ends - self._clock()
                    if left <= 0:
                        break
                    self._changed.wait(min(left, self._sleep_s()))
                    continue
                if not group:
                    ends = self._clock() + window_s
                group.append(found[0])
                weight += found[1]
        return group

    def pressure(self) -> dict[str, Pressure]:
        """What lanes had to bear since this was last asked, of those that had to."""
        now = self._clock()
        found: dict[str, Pressure] = {}
        with self._changed:
            for name, lane in list(self._lanes.items()):
                if lane.held_since is not None and not self._is_stalled(now):
                    lane.pressure.held_s += now - lane.held_since
                    lane.held_since = now
                if lane.pressure.dropped or lane.pressure.held_s:
                    found[name] = lane.pressure
                    lane.pressure = Pressure()
                if lane.empty and lane.pace.left(now) >= lane.pace.burst:
                    del self._lanes[name]
        return found

    @property
    def waiting(self) -> tuple[int, int]:
        """Items and bytes that wait."""
        with self._changed:
            items = sum(len(lane.waiting) + (lane.latest is not None) for lane in self._lanes.values())
            return items, self._size

    def _lane(self, name: str) -> _Lane[T] | None:
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= self._bounds.lanes:
                self._forget_idle()
            if len(self._lanes) >= self._bounds.lanes:
                return None
            rate = self._bounds.readings_per_s
            lane = self._lanes[name] = _Lane(Pace(rate, max(rate / 4, 500.0)))
        return lane

    def _forget_idle(self) -> None:
        now = self._clock()
        for name, lane in list(self._lanes.items()):
            if lane.empty and not lane.pressure.dropped and lane.pace.left(now) >= lane.pace.burst:
                del self._lanes[name]

    def _take_up(self, now: float) -> None:
        """Somebody takes; after a stall no lane is blamed for what waited or came again."""
        if self._is_stalled(now):
            self._calm_at = now + CALM_S
            for lane in self._lanes.values():
                lane.held_since = None
        self._taken_at = now

    def _is_stalled(self, now: float) -> bool:
        return now - self._taken_at > STALLED_S

    def _drop(self, lane: _Lane[T], now: float) -> None:
        if now >= self._calm_at and not self._is_stalled(now):
            lane.pressure.dropped += 1

    def _resize(self, lane: _Lane[T], size: int) -> None:
        lane.size += size
        self._size += size

    def _keep_total(self, now: float) -> _Lane[T] | None:
        """The newest of the longest lane goes; the last lane that lost something so."""
        longest: _Lane[T] | None = None
        while self._size > self._bounds.total_bytes:
            name, longest = max(self._lanes.items(), key=lambda each: each[1].size)
            if longest.waiting:
                self._resize(longest, -longest.waiting.pop()[1])
            elif longest.latest is not None:
                self._resize(longest, -longest.latest[1])
                longest.latest = None
            self._drop(longest, now)
            if longest.empty:
                longest.held_since = None
                self._ring.remove(name)
        return longest

    def _next(self) -> tuple[T, int] | None:
        """The next item in turn and its weight; None if nothing waits that may go now."""
        now = self._clock()
        passed = 0
        while self._ring and passed < len(self._ring):
            name = self._ring[0]
            lane = self._lanes[name]
            if not self._may_go(lane, now):
                self._ring.rotate(-1)
                passed += 1
                continue
            if lane.deficit <= 0:
                lane.deficit += self._bounds.quantum
                self._ring.rotate(-1)
                passed = 0
                continue
            return self._serve(lane, now)
        return None

    def _may_go(self, lane: _Lane[T], now: float) -> bool:
        if lane.pace.wait_s(now):
            if lane.held_since is None:
                lane.held_since = now
            return False
        if lane.held_since is not None:
            lane.pressure.held_s += now - lane.held_since
            lane.held_since = None
        return lane.in_group < self._bounds.group_share or self._is_alone(now)

    def _is_alone(self, now: float) -> bool:
        """Whether no second lane was heard of lately."""
        about = (1 for lane in self._lanes.values() if now - lane.heard_at < ABOUT_S)
        return next(about, None) is None or next(about, None) is None

    def _serve(self, lane: _Lane[T], now: float) -> tuple[T, int]:
        if lane.latest is not None:
            (item, size), lane.latest = lane.latest, None
            weight = 1
        else:
            item, size = lane.waiting.popleft()
            weight = self._weigh(item)
        self._resize(lane, -size)
        lane.pace.take(weight, now)
        lane.deficit -= weight
        lane.in_group += weight
        if lane.empty:
            lane.deficit = min(lane.deficit, 0)
            self._ring.popleft()
        return item, weight

    def _sleep_s(self) -> float:
        """Until a lane that the quota holds may go again."""
        now = self._clock()
        waits = [self._lanes[name].pace.wait_s(now) for name in self._ring]
        return max(0.001, min((each for each in waits if each), default=1.0))
