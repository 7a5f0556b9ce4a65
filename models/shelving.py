"""Shelving (ISA 18.2, IEC 62682): a set of alerts is kept quiet for a time, with a reason, and is back by itself.

Unlike a snooze it is about what may still come, and it is listed. What is graver than it names is told all the same.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from models.alert import RANK, Alert, Severity
from models.errors import Refused
from models.reading import from_micros

LONGEST_US = 30 * 86_400_000_000
Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
"""A subject, or the beginning of some with a * at its end."""


class Shelf(Struct, frozen=True):
    """What is shelved, why and until when; microseconds. Empty rules are all rules, empty subjects all subjects."""

    rules: Sequence[str]
    subjects: Sequence[Pattern]
    reason: str
    until: int
    most: Severity = "warning"
    """The gravest that it keeps quiet."""


def covers(shelf: Shelf, alert: Alert) -> bool:
    """Whether an alert is kept quiet by it."""
    return (
        (not shelf.rules or alert.rule in shelf.rules)
        and (not shelf.subjects or any(_fits(each, alert.subject) for each in shelf.subjects))
        and RANK[alert.severity] <= RANK[shelf.most]
    )


def _fits(pattern: str, subject: str) -> bool:
    return subject.startswith(pattern[:-1]) if pattern.endswith("*") else subject == pattern


def check(shelf: Shelf, now: int) -> None:
    """Raise Refused of one that would hide everything, says not why, or has no end that is near."""
    if not shelf.rules and not shelf.subjects:
        msg = "rules, subjects: at least one of either expected: nobody shelves everything"
        raise Refused(msg)
    if not shelf.reason.strip():
        msg = "reason: why it is shelved expected"
        raise Refused(msg)
    if not now < shelf.until <= now + LONGEST_US:
        days = LONGEST_US // 86_400_000_000
        msg = f"until: a time after now and at most {days} days ahead expected, got {from_micros(shelf.until)}"
        raise Refused(msg)
