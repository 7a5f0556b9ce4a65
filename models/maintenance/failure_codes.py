"""How a failure is coded: in which way it failed, by what mechanism, for what cause, how it was found, what was done.

The shape is that of ISO 14224 (failure mode, mechanism, cause, detection method) with the remedy beside it; the codes
are our own and few. A company adds its own as `codes` of the register, for all equipment or for some kinds of it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.declared_work import Aspect
from models.errors import Refused

ASPECTS: tuple[Aspect, ...] = ("mode", "mechanism", "cause", "detection", "remedy")
NO_FAULT = "no_fault"
"""The remedy where nothing was wrong: then nothing failed."""


class Code(NamedTuple):
    """What a code says; `kinds` are the kinds of equipment that it is for, none: all."""

    aspect: Aspect
    name: str
    kinds: tuple[str, ...] = ()


_MOVES = ("vehicle", "crane", "machine", "tool")
_POWERED = ("vehicle", "crane", "machine", "tool", "it", "medical", "instrument")
CODES: dict[str, Code] = {
    "no_start": Code("mode", "Does not start", _POWERED),
    "stops": Code("mode", "Stops while running", _POWERED),
    "low_output": Code("mode", "Gives too little"),
    "erratic": Code("mode", "Works irregularly"),
    "leak": Code("mode", "Leaks", _MOVES),
    "overheats": Code("mode", "Gets too hot", _POWERED),
    "vibrates": Code("mode", "Vibrates or is noisy", _MOVES),
    "no_lift": Code("mode", "Does not lift or hold", ("vehicle", "crane", "machine")),
    "no_brake": Code("mode", "Does not brake", ("vehicle", "crane", "machine")),
    "wrong_reading": Code("mode", "Shows or measures wrongly"),
    "damaged": Code("mode", "Visibly damaged"),
    "wear": Code("mechanism", "Worn"),
    "fatigue": Code("mechanism", "Cracked or broken by repeated load"),
    "corrosion": Code("mechanism", "Corroded"),
    "deformed": Code("mechanism", "Bent or deformed"),
    "loose": Code("mechanism", "Loose or out of adjustment"),
    "blocked": Code("mechanism", "Blocked or dirty"),
    "dry": Code("mechanism", "Without lubricant", _MOVES),
    "electrical": Code("mechanism", "Open or short circuit"),
    "software": Code("mechanism", "Wrong software or setting", _POWERED),
    "age": Code("cause", "End of its life"),
    "overload": Code("cause", "Used beyond its limits"),
    "handling": Code("cause", "Wrong use"),
    "upkeep": Code("cause", "Missing or wrong upkeep"),
    "installation": Code("cause", "Wrong installation or repair"),
    "design": Code("cause", "Design or material"),
    "surroundings": Code("cause", "Weather, dirt, accident from outside"),
    "operation": Code("detection", "Noticed while in use"),
    "inspection": Code("detection", "Found by inspection or service"),
    "monitoring": Code("detection", "Told by measurement or prediction"),
    "test": Code("detection", "Found by a test"),
    "by_chance": Code("detection", "Seen by chance"),
    "replaced": Code("remedy", "Replaced"),
    "repaired": Code("remedy", "Repaired"),
    "adjusted": Code("remedy", "Adjusted or set"),
    "cleaned": Code("remedy", "Cleaned or lubricated"),
    "refitted": Code("remedy", "Changed in its design"),
    NO_FAULT: Code("remedy", "No fault found"),
}
"""By code; a code is of one aspect only, and all of them together are one list."""


def choices(own: Mapping[str, Code], aspect: Aspect, equipment: str | None) -> dict[str, str]:
    """The codes of an aspect with their names, for a kind of equipment; None: whatever it is. `own` are added ones."""
    return {
        code: each.name
        for code, each in sorted((CODES | {**own}).items())
        if each.aspect == aspect and (equipment is None or not each.kinds or equipment in each.kinds)
    }


def check(own: Mapping[str, Code], said: Mapping[Aspect, str | None], equipment: str | None) -> None:
    """Raises Refused naming the first that is no code of its aspect for this kind of equipment."""
    for aspect, code in said.items():
        known = choices(own, aspect, equipment)
        if code is not None and code not in known:
            msg = f"{aspect}: one of {', '.join(known)} expected, got {code!r}"
            raise Refused(msg)
