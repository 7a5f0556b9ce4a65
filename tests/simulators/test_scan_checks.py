"""The checker names each count, pack, binding or second thought that the system does not have as it was scanned."""

from collections.abc import Callable

import pytest

from tests.simulators.agreeing_system import Answers, Case, make_day
from tests.simulators.test_checker import SCANS, STOCK, of_kind

SAID = "counts, packs and bindings are as scanned"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_day(tmp_path_factory.mktemp("day"))


@pytest.fixture
def case(day: Case) -> Case:
    """A copy to damage."""
    old = day.answers
    names = ("journal", "crossings", "movements", "stock", "scans", "packs", "tags")
    lists = {name: [dict(item) for item in getattr(old, name)] for name in names}
    return Case(day.truth, day.outbox, Answers(old.epoch, **lists))


def test_a_day_that_is_as_scanned_passes(case: Case) -> None:
    assert not case.differing()
    assert {"count", "pack", "assign", "undo"} <= {one["action"] for one in case.answers.scans}


def lose_undo(one: Answers) -> None:
    undo = of_kind(one.scans, action="undo")["evidence"][0]
    one.movements.remove(of_kind(one.movements, evidence=[f"scan:{undo}"]))
    one.count()


def wrong_count(one: Answers) -> None:
    of_kind(one.scans, action="count")["quantity"] = "7777"


def lose_count(one: Answers) -> None:
    one.scans.remove(of_kind(one.scans, action="count"))


def lose_from_a_pallet(one: Answers) -> None:
    one.packs.pop()


def on_another_pallet(one: Answers) -> None:
    one.packs[0]["parent"] = "(00)195213210000000428"


def wrong_binding(one: Answers) -> None:
    one.tags[0]["body"] = {"thing": "asset", "asset": "MIXER-1"}


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        (lose_undo, {SCANS, STOCK}),
        (wrong_count, {SAID}),
        (lose_count, {SAID}),
        (lose_from_a_pallet, {SAID}),
        (on_another_pallet, {SAID}),
        (wrong_binding, {SAID}),
    ],
)
def test_each_damage_is_named(case: Case, damage: Callable[[Answers], None], checks: set[str]) -> None:
    damage(case.answers)
    assert set(case.differing()) == checks
