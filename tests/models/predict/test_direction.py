"""The exported trees decide as the fitted learner does, and whole pallets are held back."""

from random import Random
from typing import Any

import numpy as np
import pytest

from models.dock.direction import Direction
from models.dock.features import NAMES, Figures
from models.dock.learned import CLASSES, decode_model
from models.predict import direction
from models.predict.direction import NotEnoughPasses, Passes, TagPass, is_held_back, tag_verdict, train
from models.predict.folds import one_thread

LEAD, READS = NAMES.index("sharp_ms"), NAMES.index("first_reads")


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


def made_up(count: int) -> Passes:
    """Two tags a pass: a long lead is a way through, a short one is none."""
    chance = Random(2)
    tags: list[TagPass] = []
    unread: dict[int, tuple[str, int]] = {}
    for number in range(count):
        truth: Direction = chance.choice(("in", "out", "none"))
        unread[number] = ("static" if truth == "none" else truth, number % 7 == 0)
        for _ in range(2):
            values = [chance.randint(0, 40) for _ in NAMES]
            values[READS] = chance.randint(1, 40)
            values[LEAD] = int(abs(chance.gauss(300 if truth == "none" else 2000, 500)))
            figures = Figures((truth == "out") == (chance.random() < 0.95), tuple(values))
            tags.append(TagPass(number, unread[number][0], truth, (figures,), (values[READS],), "none"))
    return Passes("reference", [2], 10.0, unread, tags)


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direction, "ROUNDS", 12)


@pytest.mark.usefixtures("few_rounds")
def test_the_trees_in_whole_numbers_give_the_chances_of_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[Any] = []
    fit = direction._fit  # the learner as it is before its trees are written down
    monkeypatch.setattr(direction, "_fit", lambda tags, seed: fitted.append(fit(tags, seed)) or fitted[0])
    passes = made_up(400)
    file, _ = train(passes, "two", 0, silent)
    model = decode_model(file)
    rows, _ = direction.table(passes.tags)
    order = [[str(each) for each in fitted[0].classes_].index(name) for name in CLASSES]
    with one_thread():
        expected = fitted[0].predict_proba(rows)[:, order]
    for tag, (along, against, none) in zip(passes.tags, expected, strict=True):
        ways = (along, against) if not tag.figures[0].inside_first else (against, along)
        assert model.judge(tag.figures[0]).chances == pytest.approx((*ways, none), abs=0.01)


@pytest.mark.usefixtures("few_rounds")
def test_the_card_counts_what_was_held_back() -> None:
    passes = made_up(400)
    _, card = train(passes, "two", 0, silent)
    held = [number for number in range(400) if is_held_back(number, 0)]
    assert 30 < len(held) < 90
    assert (card.passes, card.held_back_passes, card.tag_passes) == (400 - len(held), len(held), 2 * (400 - len(held)))
    assert card.all.tag_passes == 2 * len(held)
    assert card.all.unread == sum(number % 7 == 0 for number in held)
    assert card.all.learned > 0.85
    assert card.all.quiet is not None
    assert card.all.quiet > 0.85
    assert set(card.kinds) == {"in", "out", "static"}
    assert card.kinds["static"].rule == 1
    assert sum(figure.tag_passes for figure in card.kinds.values()) == card.all.tag_passes
    assert train(passes, "two", 0, silent)[1] == card


def test_another_seed_holds_back_other_passes() -> None:
    assert [is_held_back(number, 1) for number in range(99)] != [is_held_back(number, 2) for number in range(99)]


def test_too_little_is_said() -> None:
    with pytest.raises(NotEnoughPasses, match="199 passes of 200 needed"):
        train(made_up(199), "two", 0, silent)
    passes = made_up(300)
    only = Passes("reference", [2], 10.0, passes.unread, [tag for tag in passes.tags if tag.truth != "out"])
    with pytest.raises(NotEnoughPasses, match="none that is 'out'"):
        train(only, "two", 0, silent)


def test_without_a_pass_that_the_rows_heard_the_wrong_way_round_there_is_no_model() -> None:
    passes = made_up(300)
    tags = [tag for tag in passes.tags if tag.truth == "none" or (tag.truth == "out") == tag.figures[0].inside_first]
    with pytest.raises(NotEnoughPasses, match="no pass goes 'against' the order"):
        train(Passes("reference", [2], 10.0, passes.unread, tags), "two", 0, silent)


def test_the_crossing_with_most_reads_tells_the_way_and_the_others_none() -> None:
    figures = Figures(inside_first=True, values=(0,) * len(NAMES))
    _, answers = direction.table([TagPass(1, "out", "out", (figures, figures), (3, 9), "out")])
    assert answers == ["none", "along"]
    _, answers = direction.table([TagPass(1, "in", "in", (figures,), (3,), "out")])
    assert answers == ["against"]


def test_crossings_of_one_tag_pass_taken_together() -> None:
    found = [tag_verdict(each) for each in (["none", "in"], ["none", "none"], [], ["in", "out"], ["in", "in"])]
    assert found == ["in", "none", "none", None, None]


def test_thresholds_of_whole_numbers_are_rounded_down() -> None:
    dtype = [("is_leaf", "?"), ("value", "f8"), ("feature_idx", "i8"), ("num_threshold", "f8")]
    dtype += [("left", "i8"), ("right", "i8"), ("count", "i8")]
    nodes = np.array(
        [
            (False, 0, 5, -2.5, 2, 1, 10),
            (True, np.log(2), 0, 0, 0, 0, 4),
            (True, -np.log(2), 0, 0, 0, 0, 6),
        ],
        dtype=dtype,
    )
    tree = direction._tree(1, nodes)
    assert (tree.feature, tree.threshold, tree.right) == ((5, -1, -1), (-3, 0, 0), (2, 0, 0))
    assert tree.value == (round(-0.2 * 1024), -1024, 1024)
