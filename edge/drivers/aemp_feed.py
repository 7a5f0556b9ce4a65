"""What a page of an ISO 15143-3 (AEMP 2.0) fleet snapshot says of each machine, as readings.

ISO/TS 15143-3:2020, 8.2 (snapshot), 8.4 (links), 11 (elements); what makers make of it: Trackunit/developer-hub,
api-docs; MiXTelematics/MiX.Integrate.Api.Client, Entities/AEMP; SionAbes/fullstack-portfolio, adapters/aemp-adapter.
Each element has its own time, as attribute or as child. One that cannot be read is a `bad_reading` of its machine and
names the field; elements that are not asked for are left.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from edge.driver import BadFrame
from edge.drivers.aemp_document import Tree, parse_document
from edge.drivers.aemp_elements import ELEMENTS, Element
from models.reading import DeviceEvent, Reading

MAX_MACHINES = 10_000
_ROOTS = {"fleet", "equipment", "links", "snapshottime", ""}
_IDENTITIES = ("PIN", "SerialNumber", "EquipmentID")
_NO_IDENTITY = {"", "-", "0", "missing", "unknown", "none", "null", "n/a", "na", "not available", "undefined"}
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,125}")
_MAX_DETAIL = 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Of each machine on it what it said, and where its links say that the next page is."""

    machines: dict[str, list[Reading]] = field(default_factory=dict[str, list[Reading]])
    """By device; a machine that says nothing is there too."""
    next: frozenset[str] = frozenset()
    """As they are written: not more than one, if the endpoint is right."""
    nameless: tuple[str, ...] = ()
    """Of machines that cannot be named: why."""


def parse_page(text: bytes, received_at: datetime) -> Page:
    """One page. Raises BadFrame if it is none."""
    root = parse_document(text)
    if not root.keys() & _ROOTS:
        names = ", ".join(list(root)[:5])
        msg = f"page: a Fleet expected, got {names[:60]!r}"
        raise BadFrame(msg)
    machines: dict[str, list[Reading]] = {}
    nameless: list[str] = []
    for count, equipment in enumerate(_equipment(root)):
        if count >= MAX_MACHINES:
            msg = f"page: at most {MAX_MACHINES} machines expected"
            raise BadFrame(msg)
        try:
            device = _device(equipment)
        except BadFrame as error:
            nameless.append(str(error))
            continue
        machines.setdefault(device, []).extend(_readings(device, equipment, received_at))
    return Page(machines, _next(root), tuple(nameless))


def _trees(tree: Tree, name: str) -> list[Tree]:
    return [each for each in tree.get(name, ()) if isinstance(each, dict)]


def _equipment(tree: Tree) -> Iterator[Tree]:
    """Whatever has a header, wherever the maker puts it."""
    if "equipmentheader" in tree:
        yield tree
        return
    for name in ("", "fleet", "equipment"):
        for each in _trees(tree, name):
            yield from _equipment(each)


def _device(equipment: Tree) -> str:
    """By the first identity that is one: makers write «missing» in those that they do not have."""
    said: list[str] = []
    for header in _trees(equipment, "equipmentheader"):
        for name in _IDENTITIES:
            text = next((each for each in header.get(name.lower(), ()) if isinstance(each, str)), "")
            if text.lower() in _NO_IDENTITY:
                continue
            if _NAME.fullmatch(text):
                return f"id:{text}"
            said.append(f"{name} {text[:60]!r}")
    msg = f"EquipmentHeader: one of {', '.join(_IDENTITIES)} expected, got {', '.join(said) or 'none'}"
    raise BadFrame(msg)


def _readings(device: str, equipment: Tree, received_at: datetime) -> Iterator[Reading]:
    for name, read in ELEMENTS.items():
        for node in equipment.get(name.lower(), ()):
            if node in ("", {}):
                continue  # an element that is there and empty says nothing
            try:
                yield from read(_element(name, node, device, received_at))
            except BadFrame as error:
                yield DeviceEvent(device, received_at, "bad_reading", f"{error}: {node}"[:_MAX_DETAIL])


def _element(name: str, node: "Tree | str", device: str, received_at: datetime) -> Element:
    if isinstance(node, str):
        msg = f"{name}: an element with members expected, got {node[:60]!r}"
        raise BadFrame(msg)
    return Element(name, node, device, received_at)


def _next(root: Tree) -> frozenset[str]:
    holders = [root, *_trees(root, "fleet"), *_trees(root, "")]
    links = [link for holder in holders for name in ("links", "link") for link in _trees(holder, name)]
    return frozenset(
        href
        for link in links
        for href in link.get("href", ())
        if isinstance(href, str) and href and [str(rel).lower() for rel in link.get("rel", ())] == ["next"]
    )
