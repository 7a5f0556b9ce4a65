"""Whether what is at a door now is going out, told while its pass lasts: for alarms, which cannot wait for silence.

The pass so far is judged as if it ended now. That is said too early of what will turn back, so it must be sure, and the
row outside must hear it better than the one inside in the last second. What rings too early is taken back when the
pass is over; docs/measured.md has how often that is.
"""

from models.dock.course import Course
from models.dock.direction import Verdict
from models.dock.portal import Pass, Portal, judged

RECENT_MS = 1000
SURE, SURE_BY_MODEL = 0.7, 0.9
"""The rule's scores are lower, so that the row inside must be quiet besides."""
QUIET_US = 500_000


def leaving(portal: Portal, state: Pass) -> Verdict | None:
    """The verdict of a pass that goes on, if it is going out; None if it is not, or not surely."""
    if not may_leave(state):
        return None
    verdict = judged(portal, state)
    sure = SURE if portal.model is None else SURE_BY_MODEL
    is_quiet = portal.model is not None or state.last_at - state.inside.last_at >= QUIET_US
    is_out = verdict.direction == "out" and verdict.score >= sure
    return verdict if is_out and is_quiet and _is_outside(state.course) else None


def may_leave(state: Pass) -> bool:
    """Whether both rows heard it, the one outside last: a cheap look before the verdict."""
    return bool(state.inside.reads and state.outside.reads) and state.outside.last_at >= state.inside.last_at


def _is_outside(course: Course) -> bool:
    """Whether the row outside heard it better in the last second."""
    count = max(1, RECENT_MS // course.width_ms)
    last = max(len(course.inside.bins), len(course.outside.bins))
    inside, outside = (
        max((each.peak for each in row.bins[max(0, last - count) :]), default=0)
        for row in (course.inside, course.outside)
    )
    return outside > inside
