"""An asset that goes out of a door or a zone that keeps it, and whether it may: the alarm against theft.

It rings at once, while the pass at the door still lasts, and is taken back if the pass is judged otherwise. It is over
when the asset is back, somebody is given custody of it, or a person closes it; the same exit then rings no more.
"""

import json

from msgspec import Struct

from models.alert import Alert
from models.reading import from_micros

NAME = "exit_unauthorised"
LATE_US = 300_000_000
NEWS_US = 86_400_000_000
MOST_EVIDENCE = 64


class Exit(Struct, frozen=True, kw_only=True):
    """An asset went out, or is going out, at `at` microseconds; `begin_at` is when it was first heard of this.

    `door` is gateway/name, or `zone:ID`; `called` how people call it. `id` is a crossing, a visit, or the tag of a pass
    that goes on.
    """

    asset: str
    name: str
    at: int
    begin_at: int
    received_at: int
    door: str
    called: str
    id: str
    evidence: list[str]
    reasons: list[str]
    goes_on: bool = False


class Going(Struct, frozen=True):
    """The newest exit of an asset, if it is out, and what speaks for it."""

    exit: Exit | None
    permit: str | None = None
    """Why it may: custody, transfer, sale."""
    is_back: bool = False
    is_standing: bool = False
    """Whether it is told already and not over."""
    is_answered: bool = False
    """Whether a person has closed the alert of this exit."""


def unauthorised(facts: Going, now: int) -> Alert | None:
    """A critical alert that names the door, the time and the readings; None of what may leave, is back, or is old."""
    went = facts.exit
    if went is None or facts.permit is not None or facts.is_back or facts.is_answered:
        return None
    is_live = abs(went.received_at - went.at) <= LATE_US and went.at >= now - NEWS_US
    if not is_live and not facts.is_standing:
        return None
    detail = {
        "asset": went.asset,
        "door": went.door,
        "at": from_micros(went.at).isoformat(),
        "exit": went.id,
        "going_on": went.goes_on,
        "reasons": went.reasons,
        "evidence": went.evidence[:MOST_EVIDENCE],
    }
    title = f"{went.name} left by {went.called} without custody, transfer or sale"
    return Alert(NAME, f"asset:{went.asset}", "critical", title, json.dumps(detail))
