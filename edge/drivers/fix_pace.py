"""Which fixes of a receiver beside the gateway are told: one in so many seconds, and every change of validity.

A receiver in a yard may give ten fixes a second, day and night; they say nothing that one a second does not, and would
fill the outbox within days of an outage.
"""

from datetime import timedelta

from models.reading import Fix

NO_FIX_EVERY_S = 60.0
"""That there is still no fix, as indoors, is told so often."""
_SLACK = 0.9
"""A receiver's second is not always a whole one."""


class Pace:
    """Fixes of one receiver in the order of their times. `every_s` 0: all, also those that say there is none."""

    def __init__(self, every_s: float) -> None:
        self._every = timedelta(seconds=every_s * _SLACK)
        self._no_fix_every = timedelta(seconds=max(every_s, NO_FIX_EVERY_S) * _SLACK) if every_s else self._every
        self._last: Fix | None = None

    def tells(self, fix: Fix) -> bool:
        """Whether this one is told."""
        last = self._last
        every = self._every if fix.valid else self._no_fix_every
        told = last is None or last.valid != fix.valid or not timedelta() <= fix.at - last.at < every
        if told:
            self._last = fix
        return told
