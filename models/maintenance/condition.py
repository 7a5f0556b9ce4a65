"""Whether a condition of a plan holds: a signal beyond a threshold for so long or so often, or what was inspected."""

from collections.abc import Sequence
from typing import NamedTuple

from models.declared_plans import Condition
from models.maintenance.facts import Found

HOUR_US = 3_600_000_000


class Seen(NamedTuple):
    """A value of a signal: of a reading at its time, or the mean of the hour that begins then."""

    at: int
    value: float


def of_signal(condition: Condition, seen: Sequence[Seen], unit: str) -> Found | None:
    """The condition by what was seen since the last service, in order of time; None if nothing was.

    By hours: so many in a row, without one between them in which nothing was heard. It stays so until the service.
    """
    if not seen:
        return None
    wanted = condition.hours or condition.readings or 1
    run = 0
    for k, each in enumerate(seen):
        follows = k > 0 and (condition.hours is None or each.at - seen[k - 1].at == HOUR_US)
        run = (run + 1 if follows else 1) if _beyond(condition, each.value) else 0
        if run >= wanted:
            begin = seen[k - run + 1]
            return Found(
                holds=True, at=begin.at, what=f"{_name(condition)} {each.value:g} {unit}, {_limit(condition, unit)}"
            )
    last = seen[-1]
    return Found(
        holds=False, at=last.at, what=f"{_name(condition)} {last.value:g} {unit}, not {_limit(condition, unit)}"
    )


def of_inspection(condition: Condition, results: Sequence[tuple[int, str]]) -> Found | None:
    """The condition by the results of an inspection since the last service, (at, result) in order of time."""
    if not results:
        return None
    at, result = results[-1]
    holds = result in condition.results
    return Found(holds, at, f"{condition.inspection} found {result!r}")


def _beyond(condition: Condition, value: float) -> bool:
    if condition.above is not None:
        return value > condition.above
    return condition.below is not None and value < condition.below


def _name(condition: Condition) -> str:
    return (condition.signal or "").replace("_", " ")


def _limit(condition: Condition, unit: str) -> str:
    word, limit = ("above", condition.above) if condition.above is not None else ("below", condition.below)
    lasting = f" for {condition.hours} h" if condition.hours else ""
    often = f" for {condition.readings} readings" if condition.readings else ""
    return f"{word} {limit:g} {unit}{lasting}{often}"
