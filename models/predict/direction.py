"""Training of the judges of dock doors: labelled passes to the trees of models.dock.learned, with a card.

Whole pallets are held back, never single tags of one: tags of a pallet are alike. Gradient boosting (Friedman 2001) on
histograms, as scikit-learn has it; its thresholds and values become whole numbers, which changes no decision but ties.
Each pass is learnt twice, as readers tell it that report Doppler shifts and as all others do.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import floor, log
from typing import Any, NamedTuple

import msgspec
import numpy as np

from models.dock.direction import Direction
from models.dock.features import NAMES, Figures, without_shifts
from models.dock.learned import BITS, CLASSES, FORMAT, LEAF, MOST_BYTES, Card, Figure, File, Tree, decode_model
from models.predict.folds import Tell, one_thread
from models.predict.history import Floats

HELD_BACK = 0.15
LEAST_PASSES = 200
ROUNDS, RATE, LEAVES, LEAST_IN_A_LEAF, RIDGE, PART = 300, 0.08, 31, 60, 10.0, 0.4
"""Of the learner: trees per class, their weight, their leaves, passes in each, L2 penalty, features tried at a node."""
UNITS = (1 << BITS) / log(2)
DEEPEST = 1 << 53


class NotEnoughPasses(Exception):
    """There is too little to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class TagPass:
    """One tag of one pallet that was read; the `figures` of each crossing that a door would make of it."""

    number: int
    kind: str
    truth: Direction
    figures: tuple[Figures, ...]
    reads: tuple[int, ...]
    rule: Direction | None
    """What the rule says of the tag; None if it says more than one thing."""


@dataclass(frozen=True, slots=True)
class Passes:
    """What there is to learn from; `unread` counts the tags of each pass that nobody heard."""

    layout: str
    seeds: list[int]
    timeout_s: float
    unread: dict[int, tuple[str, int]]
    """By number of the pass: its kind and how many."""
    tags: list[TagPass]


class _Said(NamedTuple):
    """What the model says of a tag, and of the same at a reader that tells no Doppler shift."""

    learned: Direction | None
    quiet: Direction | None


def is_held_back(number: int, seed: int) -> bool:
    """Whether a pass is kept out of training."""
    return int.from_bytes(sha256(f"{seed}/{number}".encode()).digest()[:4], "big") < HELD_BACK * 2**32


def train(of: Passes, name: str, seed: int, tell: Tell) -> tuple[bytes, Card]:
    """A model's file, and its card, which the file has too. Raises NotEnoughPasses."""
    learning = [tag for tag in of.tags if not is_held_back(tag.number, seed)]
    judging = [tag for tag in of.tags if is_held_back(tag.number, seed)]
    _check(of, learning, judging)
    tell("learn", 0, 1)
    with one_thread():
        trees = export(_fit(learning, seed))
    tell("learn", 1, 1)
    blank = Figure(0, 0, 0.0, 0.0)
    held = [number for number in of.unread if is_held_back(number, seed)]
    card = Card(
        layout=of.layout,
        seeds=of.seeds,
        passes=len(of.unread) - len(held),
        tag_passes=len(learning),
        held_back_passes=len(held),
        timeout_s=of.timeout_s,
        all=blank,
        kinds={},
        library=_library(),
    )
    model = decode_model(_encode(name, card, trees))
    verdicts: list[_Said] = []
    for tag in judging:
        quiet = tag_verdict([model.judge(without_shifts(each)).direction for each in tag.figures])
        verdicts.append(_Said(tag_verdict([model.judge(each).direction for each in tag.figures]), quiet))
        tell("judge passes held back", len(verdicts), len(judging))
    unread = Counter[str]()
    for number in held:
        kind, count = of.unread[number]
        unread[kind] += count
    kinds = {kind: _figure(judging, verdicts, kind, unread[kind]) for kind in sorted({tag.kind for tag in judging})}
    whole = _figure(judging, verdicts, None, unread.total())
    card = msgspec.structs.replace(card, all=whole, kinds=kinds)
    file = _encode(name, card, trees)
    if len(file) > MOST_BYTES:
        raise NotEnoughPasses(f"a model of at most {MOST_BYTES} bytes expected, got {len(file)}")
    return file, card


def tag_verdict(of_crossings: Sequence[Direction]) -> Direction | None:
    """What the crossings of one tag pass say together; None if more than one says that it went through."""
    ways: list[Direction] = [each for each in of_crossings if each != "none"]
    if not ways:
        return "none"
    return ways[0] if len(ways) == 1 else None


def export(estimator: Any) -> tuple[Tree, ...]:  # noqa: ANN401 - scikit-learn has no types
    """The trees of a fitted histogram gradient boosting, the starting value of each class as a tree of one leaf."""
    classes = [CLASSES.index(str(each)) for each in estimator.classes_]
    starts = [round(float(value) * UNITS) for value in np.ravel(estimator._baseline_prediction)]  # noqa: SLF001 - as below
    trees = [Tree(which, (LEAF,), (0,), (0,), (start,)) for which, start in zip(classes, starts, strict=True)]
    for of_classes in estimator._predictors:  # noqa: SLF001 - scikit-learn shows its trees nowhere else
        trees += [_tree(which, each.nodes) for which, each in zip(classes, of_classes, strict=True)]
    return tuple(trees)


def _tree(which: int, nodes: Any) -> Tree:  # noqa: ANN401 - a numpy table of scikit-learn's own layout
    feature: list[int] = []
    threshold: list[int] = []
    right: list[int] = []
    value: list[int] = []

    def put(place: int) -> float:
        """Append a node and all below it; returns the mean value of the passes that come to it."""
        node, mine = nodes[place], len(feature)
        for column in (feature, threshold, right, value):
            column.append(0)
        if node["is_leaf"]:
            mean, feature[mine] = float(node["value"]), LEAF
        else:
            feature[mine] = int(node["feature_idx"])
            threshold[mine] = max(min(floor(float(node["num_threshold"])), DEEPEST), -DEEPEST)
            left_mean, left_count = put(int(node["left"])), int(nodes[int(node["left"])]["count"])
            right[mine] = len(feature)
            right_mean, count = put(int(node["right"])), int(node["count"])
            mean = (left_mean * left_count + right_mean * (count - left_count)) / count
        value[mine] = round(mean * UNITS)
        return mean

    put(0)
    return Tree(which, tuple(feature), tuple(threshold), tuple(right), tuple(value))


def _fit(tags: Sequence[TagPass], seed: int) -> Any:  # noqa: ANN401 - scikit-learn has no types
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - slow to import

    rows, answers = table(tags)
    if any(without_shifts(figures) != figures for tag in tags for figures in tag.figures):
        quiet = [replace(tag, figures=tuple(without_shifts(each) for each in tag.figures)) for tag in tags]
        others, again = table(quiet)
        rows, answers = np.vstack([rows, others]), answers + again
    if missing := sorted({*CLASSES} - {*answers}):
        raise NotEnoughPasses(f"not enough data: no pass goes {missing[0]!r} the order in which the rows heard it")
    learner: Any = HistGradientBoostingClassifier
    estimator: Any = learner(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_IN_A_LEAF,
        l2_regularization=RIDGE,
        max_features=PART,
        early_stopping=False,
        random_state=seed,
    )
    return estimator.fit(rows, answers)


def table(tags: Sequence[TagPass]) -> tuple[Floats, list[str]]:
    """Figures and classes. Where one pass became several crossings, the one with most reads is to tell the way."""
    rows: list[tuple[int, ...]] = []
    answers: list[str] = []
    for tag in tags:
        most = max(range(len(tag.reads)), key=lambda place: tag.reads[place])
        for place, figures in enumerate(tag.figures):
            rows.append(figures.values)
            answers.append(_class(tag.truth, figures) if place == most else "none")
    return np.array(rows, np.float64).reshape(-1, len(NAMES)), answers


def _class(truth: Direction, figures: Figures) -> str:
    if truth == "none":
        return "none"
    return "along" if (truth == "out") == figures.inside_first else "against"


def _check(of: Passes, learning: Sequence[TagPass], judging: Sequence[TagPass]) -> None:
    if len(of.unread) < LEAST_PASSES:
        raise NotEnoughPasses(f"not enough data: {len(of.unread)} passes of {LEAST_PASSES} needed")
    for truth in ("in", "out", "none"):
        if not any(tag.truth == truth for tag in learning) or not any(tag.truth == truth for tag in judging):
            raise NotEnoughPasses(f"not enough data: passes of all directions expected, none that is {truth!r}")


def _figure(tags: Sequence[TagPass], verdicts: Sequence[_Said], kind: str | None, unread: int) -> Figure:
    mine = [(tag, verdict) for tag, verdict in zip(tags, verdicts, strict=True) if kind in (None, tag.kind)]
    learned = sum(verdict.learned == tag.truth for tag, verdict in mine) / len(mine)
    quiet = sum(verdict.quiet == tag.truth for tag, verdict in mine) / len(mine)
    rule = sum(tag.rule == tag.truth for tag, _ in mine) / len(mine)
    return Figure(len(mine), unread, round(learned, 4), round(rule, 4), round(quiet, 4))


def _encode(name: str, card: Card, trees: tuple[Tree, ...]) -> bytes:
    return msgspec.json.encode(File(FORMAT, name, [*NAMES], card, trees)) + b"\n"


def _library() -> str:
    from sklearn import __version__  # noqa: PLC0415 - slow to import

    return f"scikit-learn {__version__}"
