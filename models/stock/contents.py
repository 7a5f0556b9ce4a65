"""What is on a pallet at a time, as acts of PACK say, and which of it goes where the pallet goes.

A function of the set of acts that stand: of a child its newest one of that time holds, whatever order they came in. An
act that was taken back never was.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from models.stock.posting import Went

OWN_WAYS: Mapping[str, Collection[str]] = {"in": ("receive", "return"), "out": ("issue",)}
"""Scans of a carton itself that post what a pass of this direction would post."""
OWN = ("receive", "issue", "return", "move")
PALLET = "(00)"
VARIABLE_MEASURE = "9"
"""The indicator digit of a GTIN whose quantity only the label says (GS1 General Specifications, 2.1.10)."""
_CARTON = re.compile(r"\(01\)([0-9]{14})\(21\)(.+)")


class Packed(NamedTuple):
    """An act of PACK that stands; `evidence` are content hashes of its scans."""

    child: str
    parent: str
    at: int
    id: str
    lot: str | None
    evidence: tuple[str, ...]


class Scanned(NamedTuple):
    """A carton scanned by itself, by GTIN and serial number, at a desk where that posts: one of OWN."""

    action: str
    at: int
    id: str


class Carton(NamedTuple):
    """A carton on a pallet; `acts` lead from it up to the pallet."""

    gtin: str
    serial: str
    acts: tuple[Packed, ...]

    @property
    def packed(self) -> Packed:
        """The act that put the carton itself somewhere."""
        return self.acts[0]


def carton_name(gtin: str, serial: str) -> str:
    """How acts of PACK name a carton."""
    return f"(01){gtin}(21){serial}"


def serial_of(name: str) -> str | None:
    """The serial number in a carton's name; None of what is no carton.

    >>> serial_of("(01)80614141123458(21)6789"), serial_of("(00)095213210000000421")
    ('6789', None)
    """
    found = _CARTON.fullmatch(name)
    return None if found is None else found[2]


def held_at(acts: Iterable[Packed], at: int) -> dict[str, Packed]:
    """By child the act that holds at a time: its newest."""
    holding: dict[str, Packed] = {}
    for act in acts:
        newest = holding.get(act.child)
        if act.at <= at and (newest is None or (newest.at, newest.id) < (act.at, act.id)):
            holding[act.child] = act
    return holding


def cartons(pallet: str, holding: Mapping[str, Packed], by_itself: Collection[str]) -> Iterator[Carton]:
    """The cartons on a pallet, on what is on it and so on, without what a door read by itself and what is on that."""
    on: defaultdict[str, list[Packed]] = defaultdict(list)
    for _, act in sorted(holding.items()):
        on[act.parent].append(act)
    waiting: list[tuple[str, tuple[Packed, ...]]] = [(pallet, ())]
    seen = {pallet, *by_itself}
    while waiting:
        parent, above = waiting.pop()
        for act in on[parent]:
            if act.child in seen:
                continue
            seen.add(act.child)
            carton = _CARTON.fullmatch(act.child)
            if carton is None:
                waiting.append((act.child, (act, *above)))
            else:
                yield Carton(carton[1], carton[2], (act, *above))


def goes_along(carton: Carton, scans: Iterable[Scanned], went: Went, passes: Collection[int]) -> bool:
    """Whether a carton goes where its pallet went, by the newest scan of itself that was before.

    Scanned after it was packed it was taken off. What a scan posted before, the next pass of the pallet the same way
    does not post again; `passes` are when the pallet went through a door.
    """
    before = (each for each in scans if each.at <= went.last_at)
    last = max(before, key=lambda each: (each.at, each.id), default=None)
    if last is None:
        return True
    if last.at > carton.packed.at:
        return False
    return last.action not in OWN_WAYS.get(went.direction, ()) or any(last.at < at < went.last_at for at in passes)
