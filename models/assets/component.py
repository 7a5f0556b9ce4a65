"""Components: assets that are part of another one, as an engine of a truck; each has one parent, none has itself.

A component is where its parent is, unless it has been seen at a place of its own later.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

Place = TypeVar("Place")


def ancestors(parents: Mapping[str, str], ident: str) -> Iterator[str]:
    """What an asset is part of, the nearest first; ends before what was named already."""
    seen = {ident}
    while (above := parents.get(ident)) is not None and above not in seen:
        seen.add(above)
        yield above
        ident = above


def is_part_of_itself(parents: Mapping[str, str], ident: str) -> bool:
    """Whether following the parents leads back to the asset."""
    above = [*ancestors(parents, ident)]
    return parents.get(above[-1] if above else ident) == ident


def components(parents: Mapping[str, str], ident: str) -> list[str]:
    """Everything that is part of an asset, parts of parts too, by id."""
    return sorted(each for each in parents if each != ident and ident in ancestors(parents, each))


def place_of(parents: Mapping[str, str], places: Mapping[str, Place], ident: str) -> tuple[str, Place] | None:
    """Where an asset is, and of which one that is known: its own place, else that of the nearest that it is part of.

    >>> place_of({"ENGINE-1": "TRUCK-1"}, {"TRUCK-1": "yard"}, "ENGINE-1")
    ('TRUCK-1', 'yard')
    """
    for each in (ident, *ancestors(parents, ident)):
        if each in places:
            return each, places[each]
    return None
