"""What an input or a counter said, and the stretches that this comes to; why bounds differ where they do."""

from typing import NamedTuple

from msgspec import Struct

MS = 1000
"""Microseconds in a millisecond."""
UNOBSERVED, RESET, REPLACED, ROLLOVER = "unobserved", "reset", "replaced", "rollover"
"""Nothing was heard; a counter fell to about 0; it went on from another value; it went past its greatest value."""
CORRECTED = "corrected"
"""Somebody said what a counter had really counted."""


class Heard(Struct, frozen=True):
    """One fact: an input's state, or a counter's value in whole milliseconds, millimetres or thousandths."""

    at: int
    name: str
    evidence: str
    on: bool | None = None
    value: int | None = None


class Gain(NamedTuple):
    """Surely `least`, possibly `most` milliseconds, millimetres or thousandths, between two moments in microseconds."""

    begin_at: int
    end_at: int
    least: int
    most: int
    why: str | None
    evidence: tuple[str, ...]


NOTHING: tuple[Gain, ...] = ()
