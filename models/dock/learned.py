"""A learned judge of passes: gradient-boosted trees as whole numbers, followed in pure Python.

Whole numbers only, so that every machine comes to the same decision bit for bit and a decision can be run again
anywhere. A tree is written root first, left branch before right; each node has the value that the passes which came
to it had on average. So the steps of a pass down the trees say what moved the decision (Saabas 2014, "Interpreting
random forests"), and that is told in words.
"""

from functools import cache
from hashlib import sha256
from math import isqrt
from typing import Annotated

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


Steps = tuple[int, tuple[tuple[int, int, int, int], ...]]
"""A tree to be followed fast: its class, and feature, threshold, right branch and value of each node."""


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
    trees: tuple[Steps, ...]
    card: Card

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PassModel) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def judge(self, figures: Figures) -> Verdict:
        """The likeliest direction, its chance, and what spoke for it most."""
        sums, moved = _follow(self.trees, figures.values)
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
    return PassModel(f"{found.name}@{sha256(file).hexdigest()[:8]}", (*map(_steps, found.trees),), found.card)


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


def _steps(tree: Tree) -> Steps:
    return tree.which, (*zip(tree.feature, tree.threshold, tree.right, tree.value, strict=True),)


def _follow(trees: tuple[Steps, ...], values: tuple[int, ...]) -> tuple[list[int], list[list[int]]]:
    """The sum of each class, and how far each feature moved it."""
    sums, moved = [0, 0, 0], [[0] * len(NAMES) for _ in CLASSES]
    for which, nodes in trees:
        mine, place = moved[which], 0
        asked, threshold, right, before = nodes[0]
        while asked >= 0:
            place = place + 1 if values[asked] <= threshold else right
            was = asked
            asked, threshold, right, after = nodes[place]
            mine[was] += after - before
            before = after
        sums[which] += before
    return sums, moved


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
    weights: dict[str, int] = dict.fromkeys(TOPICS, 0)
    for name, figure, total in zip(NAMES, moved[best], zip(*moved, strict=True), strict=True):
        weights[GROUPS[name]] += 3 * figure - sum(total)
    whole = sum(weight for weight in weights.values() if weight > 0)
    words = told(figures)
    shares = {topic: 100 * weight // whole for topic, weight in weights.items() if weight * 100 >= whole > 0}
    top = sorted(shares, key=lambda topic: -shares[topic])[:TOLD]
    return [f"{words[topic]} ({shares[topic]} %)" for topic in top] or [words["order"]]
