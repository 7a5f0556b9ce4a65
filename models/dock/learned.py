"""A learned judge of passes: gradient-boosted trees as whole numbers, followed in pure Python.

Whole numbers only, so that every machine comes to the same decision bit for bit and a decision can be run again
anywhere. A tree is written root first, left branch before right; each node has the value that the passes which came
to it had on average. So the steps of a pass down the trees say what moved the decision (Saabas 2014, "Interpreting
random forests"), and that is told in words.
"""

from functools import cache
from hashlib import sha256
from math import isqrt
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from models.dock.direction import Direction, Verdict
from models.dock.features import GROUPS, NAMES, Figures
from models.dock.reasons import TOPICS, told
from models.errors import Refused

FORMAT = "stockyard-pass-model-1"
MOST_BYTES = 1024 * 1024
MOST_TREES, MOST_NODES, MOST_VALUE = 3000, 100_000, 1 << 24
CLASSES = ("along", "against", "none")
"""From the row that heard it first to the other, the other way, and not through."""
BITS = 10
"""Values are logarithms to the base 2, in units of 1/1024."""
MILLION = 1_000_000
TOLD = 3
LEAF = -1
FIELD = 64
"""Bits of one sum: of at most MOST_TREES ways of MOST_NODES steps, each within MOST_VALUE twice over."""

_TOPIC_OF = [[*TOPICS].index(GROUPS[name]) for name in NAMES]
_FIELDS = len(CLASSES) * (1 + len(TOPICS))
_HALF = 1 << FIELD - 1
_OFFSET = sum(_HALF << FIELD * place for place in range(_FIELDS))
"""Makes every sum positive, so that none borrows from its neighbour."""

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
Whole = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
Value = Annotated[int, Meta(ge=-MOST_VALUE, le=MOST_VALUE)]
Place = Annotated[int, Meta(ge=LEAF, le=MOST_NODES)]


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """Of passes that it had not learnt from: how many there are, and which share it judged rightly, of those read.

    `quiet` is the share at readers that tell no Doppler shift.
    """

    tag_passes: int
    unread: int
    learned: float
    rule: float
    quiet: float | None = None


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """What a model learnt from and how good it is; `kinds` are those of the passes."""

    layout: str
    seeds: list[int]
    passes: int
    tag_passes: int
    held_back_passes: int
    timeout_s: float
    all: Figure
    kinds: dict[str, Figure]
    library: str


class Tree(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Adds to the class of its number: at a node, feature <= threshold leads to the next node, else to `right`."""

    which: Annotated[int, Meta(ge=0, le=2)]
    feature: tuple[Place, ...]
    threshold: tuple[Whole, ...]
    right: tuple[Place, ...]
    value: tuple[Value, ...]


Node = tuple[int, int, Any, Any]
"""A tree to be followed fast: feature, threshold, the node if it is not above it, the node if it is.

Of a leaf: LEAF and what the way to it moved, packed into one number.
"""


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """A model's file; `features` are those of this program, in its order."""

    format: str
    name: Name
    features: list[str]
    card: Card
    trees: tuple[Tree, ...]


class PassModel(Struct, frozen=True, eq=False):
    """Trees that give the chances of in, out and none for one pass. Two are equal if their files are."""

    name: str
    """NAME@ and the first 8 digits of the file's SHA-256."""
    trees: tuple[Node, ...]
    card: Card

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PassModel) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def judge(self, figures: Figures) -> Verdict:
        """The likeliest direction, its chance, and what spoke for it most."""
        sums, moved = _follow(self.trees, figures.values)  # what each topic moved the sum of each class by
        chances = _chances(sums)
        best = max((2, 0, 1), key=lambda which: chances[which])
        ways: tuple[Direction, Direction] = ("out", "in") if figures.inside_first else ("in", "out")
        direction = "none" if best == 2 else ways[best]  # noqa: PLR2004 - the place of none in CLASSES
        share = dict(zip((*ways, "none"), (chance / MILLION for chance in chances), strict=True))
        return Verdict(
            direction,
            round(share[direction], 3),
            _reasons(figures, best, moved),
            (share["in"], share["out"], share["none"]),
        )


def decode_model(file: bytes) -> PassModel:
    """The model of a file. Raises Refused naming what is wrong: whatever is in it, judging ends and stays in bounds."""
    if len(file) > MOST_BYTES:
        raise Refused(f"a model of at most {MOST_BYTES} bytes expected, got {len(file)}")
    try:
        found = msgspec.json.decode(file, type=File)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused(f"a model expected: {error}") from error
    if found.format != FORMAT:
        raise Refused(f"format: {FORMAT!r} expected, got {found.format[:40]!r}")
    if found.features != [*NAMES]:
        raise Refused("features: those of this program expected, in its order; train the model anew")
    if not found.trees or len(found.trees) > MOST_TREES:
        raise Refused(f"trees: 1 to {MOST_TREES} expected, got {len(found.trees)}")
    for number, tree in enumerate(found.trees):
        if wrong := _wrong(tree):
            raise Refused(f"trees[{number}]: {wrong}")
    return PassModel(f"{found.name}@{sha256(file).hexdigest()[:8]}", (*map(_root, found.trees),), found.card)


def _wrong(tree: Tree) -> str | None:
    count = len(tree.feature)
    if not count or {count} != {len(tree.threshold), len(tree.right), len(tree.value)}:
        return "as many features as thresholds, right branches and values expected"
    for place, (feature, right) in enumerate(zip(tree.feature, tree.right, strict=True)):
        if feature >= len(NAMES):
            return f"node {place}: feature: at most {len(NAMES) - 1} expected, got {feature}"
        if feature != LEAF and not place + 1 < right < count:
            return f"node {place}: right: a node after {place + 1} and before {count} expected, got {right}"
    return None


def _root(tree: Tree) -> Node:
    """The nodes behind a node come first: each is built of those that it leads to."""
    places = len(tree.feature)
    moved = [0] * places
    for place, (feature, right) in enumerate(zip(tree.feature, tree.right, strict=True)):
        for then in (place + 1, right) if feature != LEAF else ():
            by = tree.value[then] - tree.value[place]
            moved[then] = moved[place] + (by << FIELD * (len(CLASSES) + tree.which * len(TOPICS) + _TOPIC_OF[feature]))
    nodes: list[Node] = [(LEAF, 0, None, None)] * places
    for place in reversed(range(places)):
        feature, right = tree.feature[place], tree.right[place]
        if feature == LEAF:
            nodes[place] = (LEAF, moved[place] + (tree.value[place] << FIELD * tree.which), None, None)
        else:
            nodes[place] = (feature, tree.threshold[place], nodes[place + 1], nodes[right])
    return nodes[0]


def _follow(trees: tuple[Node, ...], values: tuple[int, ...]) -> tuple[list[int], list[list[int]]]:
    """The sum of each class, and how far what is about each topic moved it; all of it added up in one number."""
    total = _OFFSET
    for root in trees:
        asked, threshold, below, above = root
        while asked >= 0:
            asked, threshold, below, above = below if values[asked] <= threshold else above
        total += threshold
    fields = [(total >> FIELD * place & (1 << FIELD) - 1) - _HALF for place in range(_FIELDS)]
    moved = fields[len(CLASSES) :]
    return fields[: len(CLASSES)], [moved[low : low + len(TOPICS)] for low in range(0, len(moved), len(TOPICS))]


def _chances(sums: list[int]) -> tuple[int, int, int]:
    """In millionths: 2 to the power of each sum, over all of them."""
    most = max(sums)
    powers = [_power(each - most) for each in sums]
    total = sum(powers)
    along, against = powers[0] * MILLION // total, powers[1] * MILLION // total
    return along, against, MILLION - along - against


def _power(logarithm: int) -> int:
    """2**60 times 2 to the power of a logarithm of at most 0."""
    whole, part = -logarithm >> BITS, -logarithm & ((1 << BITS) - 1)
    found = 1 << 60
    for bit, root in enumerate(_roots()):
        if part >> (BITS - 1 - bit) & 1:
            found = (found << 60) // root
    return found >> min(whole, 64)


@cache
def _roots() -> tuple[int, ...]:
    """2**60 times the square root of 2, its square root, and so on."""
    roots: list[int] = []
    last = 2 << 60
    for _ in range(BITS):
        last = isqrt(last << 60)
        roots.append(last)
    return tuple(roots)


def _reasons(figures: Figures, best: int, moved: list[list[int]]) -> list[str]:
    """What moved the decision towards `best` and away from the others, in words, with its share of all that did."""
    weights = {
        topic: 3 * mine - sum(all_of)
        for topic, mine, all_of in zip(TOPICS, moved[best], zip(*moved, strict=True), strict=True)
    }
    whole = sum(weight for weight in weights.values() if weight > 0)
    words = told(figures)
    shares = {topic: 100 * weight // whole for topic, weight in weights.items() if weight * 100 >= whole > 0}
    top = sorted(shares, key=lambda topic: -shares[topic])[:TOLD]
    return [f"{words[topic]} ({shares[topic]} %)" for topic in top] or [words["order"]]
