"""Mails about alerts: their words, when they are tried again, and what an answer of a server means (RFC 5321).

A mail is told at least once, and its Message-ID is the same over all tries, so that whoever gets it twice can tell.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from models.alert import Alert, Severity
from models.reading import from_micros

SECOND_US = 1_000_000
FIRST_US, MOST_US = 10 * SECOND_US, 900 * SECOND_US
"""How long after the first try the second is, doubling to the other."""
GIVEN_UP_US = 3 * 86_400 * SECOND_US
"""A mail that no server would take for so long is dead."""
AWAY_MOST_US = 60 * SECOND_US
"""A server that does not answer is asked at least so often: nothing is lost by asking."""
LONGEST_SUBJECT = 200
REASONS = 5
WORDS: dict[Severity, str] = {"critical": "CRITICAL", "warning": "Warning", "info": "Notice"}


def next_try(made_at: int, tries: int, code: int | None, now: int) -> int | None:
    """When a mail is tried again after `tries` of them, the last answered with `code` or not at all; None: dead.

    4xx is for now, 5xx for ever (RFC 5321, 4.2.1). Times in microseconds.
    """
    if code is not None and code >= 500:  # noqa: PLR2004 - 5xx
        return None
    at = now + pause(tries, MOST_US)
    return None if at - made_at > GIVEN_UP_US else at


def pause(tries: int, most_us: int) -> int:
    """How long to wait after so many tries.

    >>> [pause(tries, 60 * SECOND_US) // SECOND_US for tries in (1, 2, 3, 4)]
    [10, 20, 40, 60]
    """
    return min(FIRST_US << min(tries - 1, 20), most_us)


def one_line(text: str) -> str:
    r"""A text as one line of a header: nothing in it can begin another one.

    >>> one_line("Pump\r\nBcc: x@example.com")
    'Pump Bcc: x@example.com'
    """
    kept = "".join(" " if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} else each for each in text)
    return " ".join(kept.split())[:LONGEST_SUBJECT]


def subject(alert: Alert, step: str = "") -> str:
    """The subject of a mail about one alert; `step` says why it is told, if not because it was raised."""
    return one_line(f"[{WORDS[alert.severity]}] {alert.title}" + (f" ({step})" if step else ""))


def text(alert: Alert, raised_at: int, why: Sequence[str], link: str) -> str:
    """The words about one alert: what it says, its reasons, and why the reader gets it."""
    lines = [one_line(alert.title), ""]
    lines += [f"- {reason}" for reason in _reasons(alert.detail)]
    lines += [f"Severity: {alert.severity}", f"About: {one_line(alert.subject)}", f"Rule: {alert.rule}"]
    lines += [f"Since: {from_micros(raised_at):%Y-%m-%d %H:%M:%S} UTC", "", *map(one_line, why)]
    return "\n".join([*lines, *([link] if link else [])]) + "\n"


def digest_text(team: str, rows: Iterable[tuple[Alert, int]], graver: int, link: str) -> str:
    """What stands for a team that was not told by itself, and how much was."""
    lines = [f"What stands for {one_line(team)}:", ""]
    lines += [f"- {one_line(alert.title)} (since {from_micros(at):%Y-%m-%d %H:%M} UTC)" for alert, at in rows]
    lines += ["", f"Graver ones, which were told by themselves: {graver}", *([link] if link else [])]
    return "\n".join(lines) + "\n"


def _reasons(detail: str) -> list[str]:
    try:
        said = msgspec.json.decode(detail, type=dict[str, Any]).get("reasons")
    except msgspec.MsgspecError:
        return []
    if not isinstance(said, list):
        return []
    return [one_line(each) for each in said[:REASONS] if isinstance(each, str)]  # pyright: ignore[reportUnknownVariableType]
