"""Sweeps: who is found, who is missing and only after how many passes, and where a tag is, whatever came when."""

from decimal import Decimal
from itertools import permutations

import pytest

from models.errors import Refused
from models.stock.sweep import Stay, Sweep, Swept, Verdict, judge, where
from models.sweeping import passes_needed

D = Decimal
HERE = {"bin-1", "bin-2"}


def swept(begin: str | None, end: str | None, kind: str = "stock", *, heard: bool = True) -> Swept:
    return Swept("aa", kind, "PUMP", D(1), begin, end, heard)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "passes", "verdict"),
    [
        (swept("bin-1", "bin-1"), 1, "found"),
        (swept("bin-1", "bin-2"), 1, "found"),
        (swept("bin-1", "bin-1", heard=False), 1, "unseen"),
        (swept("bin-1", "bin-1", heard=False), 2, "missing"),
        (swept("bin-1", None, heard=False), 9, "left"),
        (swept("bin-1", "dock", heard=True), 1, "left"),
        (swept("dock", "bin-1", heard=False), 9, "arrived"),
        (swept("dock", "dock"), 1, "misplaced"),
        (swept(None, None), 1, "unexpected"),
        (swept(None, None, "asset"), 1, "asset"),
        (swept("bin-1", "bin-1", "asset", heard=False), 9, "asset"),
        (swept(None, None, "unknown"), 1, "unknown"),
        (swept(None, None, "uncounted"), 1, "uncounted"),
    ],
)
def test_verdicts(tag: Swept, passes: int, verdict: Verdict) -> None:
    assert judge(tag, HERE, passes, needed=2) == verdict


@pytest.mark.parametrize(("rate", "passes"), [("1", 1), ("0.99", 1), ("0.989", 2), ("0.9", 2), ("0.7", 4), ("0.5", 7)])
def test_passes_that_a_read_rate_calls_for(rate: str, passes: int) -> None:
    """(1 - rate)^k <= 1 %: two passes at 90 % leave exactly 1 in 100."""
    assert passes_needed(D(rate)) == passes


@pytest.mark.parametrize("rate", ["0", "-1", "0.2"])
def test_a_rate_that_never_ends_is_refused(rate: str) -> None:
    with pytest.raises(Refused, match="read_rate"):
        Sweep(id="s", place="bin-1", read_rates={"*": D(rate)}, at=1)


def test_the_rate_of_an_item_goes_before_that_of_its_family() -> None:
    sweep = Sweep(id="s", place="bin-1", read_rates={"PUMP": D("0.5"), "metal": D("0.7"), "*": D("0.99")}, at=1)
    needed = [sweep.needed(*of) for of in (("PUMP", "metal"), ("VALVE", "metal"), ("GLOVE", None))]
    assert needed == [7, 4, 1]


def test_where_a_tag_is_does_not_depend_on_the_order_in_which_it_became_known() -> None:
    came = Stay(1, "moved", "dock", "crossing:a")
    shelved = Stay(2, "moved", "bin-1", "task:b")
    gone = Stay(5, "missing", "bin-1", "sweep:c")
    left = Stay(4, "moved", "customer", "crossing:d")
    for known in permutations([came, shelved, gone]):
        assert [where(known, at).place for at in (0, 1, 2, 4, 5)] == [None, "dock", "bin-1", "bin-1", "adjustment"]
    for known in permutations([came, shelved, gone, left]):
        assert where(known, 9).place == "customer", "it had left before it was missing: that is not what became of it"
    assert where([gone], 9).place is None
