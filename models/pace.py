"""A rate that may be exceeded for a moment: tokens come at the rate, up to the burst, and whatever is taken costs one.

What is taken may be more than there is: it is a debt, and nobody is served until it is paid. So an item larger than
the burst passes, and over any time no more than rate x time + burst + one item does.
"""

from dataclasses import dataclass, field

NO_DEBT = 1e-6


@dataclass(slots=True)
class Pace:
    """One token bucket. Times are monotonic seconds of the caller's clock.

    >>> pace = Pace(10.0, 5.0)
    >>> pace.take(8, 0.0)
    >>> pace.wait_s(0.0), pace.wait_s(0.3), pace.wait_s(0.4)
    (0.3, 0.0, 0.0)
    """

    rate_per_s: float
    burst: float
    tokens: float = field(init=False)
    at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def left(self, now: float) -> float:
        """Tokens at `now`, below 0 while in debt."""
        if now > self.at:
            if self.tokens < self.burst:
                self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate_per_s)
            self.at = now
        return self.tokens

    def take(self, many: float, now: float) -> None:
        """Take so many, whether there are or not."""
        self.tokens = self.left(now) - many

    def wait_s(self, now: float) -> float:
        """Seconds until there is no debt; 0 if there is none. Waiting for so long is enough, whatever was rounded."""
        debt = -self.left(now)
        return debt / self.rate_per_s if debt > NO_DEBT else 0.0
