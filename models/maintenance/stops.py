"""What stopped a machine, and what that says of it: availability, time between failures, time to repair.

Planned stops are apart: nobody needed the machine then. What nobody can know is a range: a window that was not observed
throughout, a machine that has not failed yet (the time between failures is more than what it ran, never 0), a repair
that still goes on. Formulas: EN 15341 and ISO 14224 annex C: A = up / (up + down), MTBF = up / failures, MTTR = down /
repairs.
"""

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct

from models.motion.spans import Span, common, length, merged, within, without


class Stop(Struct, frozen=True, kw_only=True):
    """A machine stood from a moment to another, or stands still; times in microseconds UTC."""

    id: str
    asset: str
    begin_at: int
    end_at: int | None = None
    planned: bool = False
    """Planned ones (a service, a holiday) are no failures, and no time in which it should have run."""
    reason: str = ""
    work_order: str | None = None


class Between(Struct, frozen=True):
    """A figure that is at least and at most so much; None: nothing says how much at most (or at least)."""

    least: Fraction | None
    most: Fraction | None

    @property
    def is_exact(self) -> bool:
        """Whether there is no doubt about it."""
        return self.least is not None and self.least == self.most


class Reliability(Struct, frozen=True, kw_only=True):
    """How a machine did in a window; durations in microseconds.

    `required_us` is the window without planned stops, `down_us` what it stood of that, `unobserved_us` what nobody can
    say of the rest. `mtbf` and `mttr` are microseconds, `availability` a share; None: nothing was required of it.
    """

    required_us: int
    planned_us: int
    down_us: int
    unobserved_us: int
    failures: int
    repaired: int
    mtbf: Between | None
    mttr: Between | None
    availability: Between | None


def judge(window: Span, stops: Iterable[Stop], unobserved: Iterable[Span] = ()) -> Reliability:
    """What stops that reach into a window say of it. A failure counts where it begins, a repair where it ends.

    Stops that overlap are one time that it stood, and each a failure of its own.
    """
    since, until = window
    known = [each for each in stops if each.begin_at < until and (each.end_at is None or each.end_at > since)]
    planned = merged(within(((each.begin_at, _end(each, until)) for each in known if each.planned), window))
    required = without([window], planned)
    failed = [each for each in known if not each.planned]
    down = common(required, merged((each.begin_at, _end(each, until)) for each in failed))
    unseen = common(without(required, down), merged(unobserved))
    us = (length(required), length(planned), length(down), length(unseen))
    over = [each.end_at - each.begin_at for each in failed if each.end_at is not None and each.end_at <= until]
    lasting = [until - each.begin_at for each in failed if each.end_at is None or each.end_at > until]
    return _figures(us, sum(each.begin_at >= since for each in failed), over, lasting)


def _figures(us: tuple[int, int, int, int], failures: int, over: list[int], lasting: list[int]) -> Reliability:
    """`over` and `lasting`: how long each repair took that is over, and each took so far that is not."""
    required, planned, down, unseen = us
    up = required - down
    mtbf = mttr = availability = None
    if required:
        availability = Between(Fraction(up - unseen, required), Fraction(up, required))
        most = Fraction(up, failures) if failures else None
        mtbf = Between(Fraction(up - unseen, failures or 1), most)
    if over or lasting:
        least = Fraction(sum(over) + sum(lasting), len(over) + len(lasting))
        mttr = Between(least, None if lasting else least)
    return Reliability(
        required_us=required,
        planned_us=planned,
        down_us=down,
        unobserved_us=unseen,
        failures=failures,
        repaired=len(over),
        mtbf=mtbf,
        mttr=mttr,
        availability=availability,
    )


def _end(stop: Stop, until: int) -> int:
    return until if stop.end_at is None else stop.end_at
