"""One epoch of an outbox being drained: mark, position, silence, patience and the one-in-flight rule are its own.

`models.delivery` runs several of them side by side.
"""

from collections import deque
from dataclasses import dataclass, field

from models.wire import MAX_BATCH_READINGS

PATIENCE_S, MAX_PATIENCE_S = 2.0, 30.0
PATIENCE_SHARE = 0.25
IN_FLIGHT = 8
RESENDS_BEFORE_CUT = 8


@dataclass(frozen=True, slots=True)
class EpochLine:
    """What an outbox keeps of one epoch, longer than its rows."""

    epoch: str
    next_seq: int
    mark: int = 0
    receipted: int = 0
    """The highest seq ever receipted: the mark may fall below it when the backend is restored."""


@dataclass(slots=True)
class Draining:
    """What the sender knows of one epoch."""

    epoch: str
    next_seq: int
    mark: int
    receipted: int
    highest: int
    """The highest seq found at start or sent since: a receipt above it is not of this process's rows."""
    position: int
    """The seq to send next."""
    ends: deque[int] = field(default_factory=deque[int])
    """The last seq of each batch in flight."""
    alone: bool = False
    """One batch in flight until the mark rises."""
    resends: int = 0
    """Resends in a row that no rise of the mark answered."""
    cut_until: int = 0
    """Rows up to here travel one by one: a batch that held them was never answered."""
    patience_s: float = PATIENCE_S
    silent_since: float = 0.0
    unheard_since: float | None = None
    """Since when rows have been sent without a rise of the mark; None if none was sent."""
    waiting_since: float | None = None
    rose_at: float | None = None
    shared: bool = False

    @property
    def waits(self) -> bool:
        """Whether rows are not receipted."""
        return self.mark < self.next_seq - 1

    @property
    def ready(self) -> bool:
        """Whether the next row may be sent, as far as this epoch goes."""
        return self.position < self.next_seq and len(self.ends) < (1 if self.alone else IN_FLIGHT)

    @property
    def limit(self) -> int:
        """How many rows the next batch may hold."""
        return 1 if self.position <= self.cut_until else MAX_BATCH_READINGS

    def go_back(self, now: float) -> None:
        """Send again from the mark on, one batch at a time until it rises."""
        if self.ends:
            if self.resends >= RESENDS_BEFORE_CUT:
                self.cut_until = max(self.cut_until, self.ends[0])
            self.resends += 1
        self.position = self.mark + 1
        self.ends.clear()
        self.alone = True
        self.silent_since = now

    def lose_patience(self, now: float) -> None:
        """Go back, and wait longer for the next answer: twice as long, but never long against the outage so far.

        Whoever comes back after an outage is asked again within a quarter of it.
        """
        since = self.unheard_since if self.unheard_since is not None else now
        self.go_back(now)
        fair_s = max(PATIENCE_S, (now - since) * PATIENCE_SHARE)
        self.patience_s = min(2 * self.patience_s, fair_s, MAX_PATIENCE_S)

    def rise(self, mark: int, now: float) -> None:
        """The backend has more of it: patience is new, the window open."""
        self.mark = mark
        self.receipted = max(self.receipted, mark)
        self.position = max(self.position, mark + 1)
        while self.ends and self.ends[0] <= mark:
            self.ends.popleft()
        self.alone, self.resends, self.patience_s = False, 0, PATIENCE_S
        self.silent_since = self.rose_at = now
        self.unheard_since = now if self.ends else None
        self.waiting_since = now if self.waits else None

    def fall(self, mark: int, now: float) -> None:
        """The backend has less of it than it said: rows wait again, from now on if none did."""
        if self.position == self.mark + 1:
            self.silent_since = now
        self.mark = mark
        self.waiting_since = self.waiting_since if self.waiting_since is not None else now
