"""What people say of a counter: a reading off its display, a reset, a new one, that a value was wrong.

Each is dated, and is folded with what the counter itself says in the order of events, whenever it was told: so a late
note, or one that is withdrawn, gives the same figures as if it had always been known, or never.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from msgspec import Struct

from models.errors import Refused
from models.motion import counter
from models.motion.counter import Counter, Kind
from models.motion.gain import CORRECTED, MS, NOTHING, REPLACED, RESET, ROLLOVER, Gain, Heard

What = Literal["reading", "count", "reset", "replacement", "rollover", "baseline", "correction", "void"]
WHATS: tuple[What, ...] = get_args(What)
BASELINE = "baseline"
WHY: dict[What, str] = {"reset": RESET, "replacement": REPLACED, "rollover": ROLLOVER, "baseline": BASELINE}
"""Those after which a counter goes on from another value."""
BY = "note:"
"""How the evidence of what rests on a note begins; its id follows."""


class Note(Struct, frozen=True):
    """One note on a counter, in whole ms, mm or thousandths; it holds after what was read at its moment.

    reading: it said `value`, which is believed as any value of it is. count: `value` more times. reset, replacement,
    baseline: it went on from `value`; `before` is what it said last, None if nobody knows. rollover: it began at 0
    again at `value`. correction: it said `value`, whatever was read at that moment, and however far that is from the
    one before. void: what was read at that moment is wrong.
    """

    id: str
    at: int
    meter: str
    what: What
    value: int | None = None
    before: int | None = None


def check(note: Note) -> None:
    """Raises Refused naming the field: what a note of its sort must say, and what it cannot."""
    if (note.value is None) != (note.what == "void"):
        msg = f"value: {'null' if note.what == 'void' else 'a number'} expected for a {note.what}"
        raise Refused(msg)
    if note.before is not None and note.what not in {"reset", "replacement", "baseline"}:
        msg = f"before: null expected for a {note.what}"
        raise Refused(msg)
    if note.what in {"count", "rollover"} and not note.value:
        msg = f"value: more than 0 expected for a {note.what}"
        raise Refused(msg)


def gone(notes: Sequence[Note]) -> frozenset[tuple[str, int]]:
    """(meter, at) of readings that do not count: another value, or none, was said of that moment."""
    return frozenset((note.meter, note.at) for note in notes if note.what in {"void", "correction"})


def carried(notes: Sequence[Note], meter: str) -> int | None:
    """What a counter said before it began anew, over all times since the last baseline; None if nobody knows that.

    With what it says now that is what the machine has done since it was new.
    """
    total: int | None = 0
    for note in notes:
        if note.meter != meter or note.what not in WHY:
            continue
        last, start = _ends(note)
        if note.what == BASELINE:
            total = 0
        elif total is not None:
            total = None if last is None else total + last - start
    return total


def tell(present: Counter | None, kind: Kind, width: int | None, note: Note) -> tuple[Counter | None, Sequence[Gain]]:
    """The counter after a note, and what that makes known; the given one may be changed.

    `width`: the value at which it is declared to begin at 0 again.
    """
    by = BY + note.id
    if note.what == "void":
        return present, NOTHING
    assert note.value is not None  # noqa: S101 - `check` sees to it
    if present is None:
        start = {"count": 0, "rollover": 0}.get(note.what, note.value)
        present = counter.begin(note.at, start, by)
        if note.what != "count":
            return present, NOTHING
    if note.what == "reading":
        return present, counter.hear(present, kind, width, Heard(note.at, note.meter, by, value=note.value))
    gains = counter.close(present)
    if note.what == "count":
        moment = Gain(max(note.at - 1, present.last_at), note.at, note.value, note.value, None, (by,))
        return counter.begin(note.at, present.value + note.value, by), [*gains, moment]
    last, start = _ends(note)
    least, most = 0, (note.at - present.last_at) // MS * kind.most
    if last is not None:
        least = most = max(0, last - present.value)
    if most:
        why = WHY.get(note.what, CORRECTED)
        gains = [*gains, Gain(present.last_at, note.at, least, most, why, (present.last, by))]
    return counter.begin(note.at, start, by), gains


def _ends(note: Note) -> tuple[int | None, int]:
    """What the counter said last, if that is known, and from where it goes on."""
    assert note.value is not None  # noqa: S101 - asked by the caller
    match note.what:
        case "rollover":
            return note.value, 0
        case "correction":
            return note.value, note.value
        case _:
            return note.before, note.value
