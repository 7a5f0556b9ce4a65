"""The tasks of a work order: a thing to be checked, a meter to be read, a value to be measured within limits.

What is required must be answered before the work is done. What was found not to be right is further work.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from models.errors import Refused
from models.motion.meter import EACH
from models.units import quantity_text

Sort = Literal["check", "reading", "value"]
CHECKED = ("ok", "not_ok", "not_applicable")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?")


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a checklist. A reading is of a `meter` of the asset; both it and a value may have limits."""

    text: str
    kind: Sort = "check"
    required: bool = False
    meter: str | None = None
    unit: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None


class Answer(NamedTuple):
    """What was found, as its one text, and whether that is right; None: it does not apply."""

    said: str
    is_right: bool | None


def check(task: Task) -> None:
    """Raises Refused naming the field of a task that makes no sense."""
    if (task.meter is not None) != (task.kind == "reading"):
        msg = f"tasks.meter: {'expected of' if task.meter is None else 'none expected of'} a {task.kind}"
        raise Refused(msg)
    if task.meter is not None and task.meter not in EACH:
        msg = f"tasks.meter: one of {', '.join(EACH)} expected, got {task.meter!r}"
        raise Refused(msg)
    limits = [each for each in (task.least, task.most) if each is not None]
    if task.kind == "check" and (limits or task.unit is not None):
        msg = "tasks.unit, tasks.least, tasks.most: none expected of a check"
        raise Refused(msg)
    for each in limits:
        if not each.is_finite() or _NUMBER.fullmatch(quantity_text(each)) is None:
            msg = f"tasks.least, tasks.most: a number of at most 12 digits and 6 decimals expected, got {each}"
            raise Refused(msg)
    if task.least is not None and task.most is not None and task.least > task.most:
        msg = f"tasks.most: at least {quantity_text(task.least)} expected, got {quantity_text(task.most)}"
        raise Refused(msg)


def answer(task: Task, said: str) -> Answer:
    """What somebody found. Raises Refused where that is no answer to the task."""
    if task.kind == "check":
        if said not in CHECKED:
            msg = f"said: {', '.join(CHECKED)} expected of a check, got {said[:40]!r}"
            raise Refused(msg)
        return Answer(said, None if said == "not_applicable" else said == "ok")
    if not (said.isascii() and _NUMBER.fullmatch(said)):
        msg = f"said: a number{f' in {task.unit}' if task.unit else ''} expected, got {said[:40]!r}"
        raise Refused(msg)
    value = Decimal(said)
    is_right = (task.least is None or value >= task.least) and (task.most is None or value <= task.most)
    return Answer(quantity_text(value), is_right)


def limits(task: Task) -> str:
    """In words, for who reads what was out of them."""
    least, most = (None if each is None else quantity_text(each) for each in (task.least, task.most))
    unit = f" {task.unit}" if task.unit else ""
    if least is not None and most is not None:
        return f"{least} to {most}{unit}"
    return f"at least {least}{unit}" if least is not None else f"at most {most}{unit}" if most is not None else "ok"


def check_answered(tasks: Mapping[int, Task], answered: Iterable[int]) -> None:
    """Raises Refused naming the required tasks that nobody answered."""
    missing = sorted({line for line, task in tasks.items() if task.required} - {*answered})
    if missing:
        msg = f"tasks: answers expected before it is done: {', '.join(f'{n} {tasks[n].text!r}' for n in missing[:5])}"
        raise Refused(msg)
