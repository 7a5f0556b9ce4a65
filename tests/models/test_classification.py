"""The five questions: every set of answers has one verdict, and nothing is declared against its own answers."""

from itertools import product

import pytest
from msgspec import Struct
from msgspec.structs import astuple

from models.classification import TABLE, checked, classify
from models.declared import Asset
from models.declared_stock import Answers, Classified, Item
from models.errors import Refused


def answers(*yes: str) -> Answers:
    names = ("sold_or_used_up", "placed_singly", "serviced", "capitalised", "stops_work")
    return Answers(**{name: name in yes for name in names})


@pytest.mark.parametrize(
    ("yes", "verdict"),
    [
        (("sold_or_used_up",), "stock"),
        (("sold_or_used_up", "stops_work"), "stock"),
        (("sold_or_used_up", "placed_singly"), "stock"),
        (("sold_or_used_up", "capitalised"), "capitalised_spare"),
        (("sold_or_used_up", "serviced", "stops_work"), "capitalised_spare"),
        (("capitalised",), "asset"),
        (("serviced",), "asset"),
        (("placed_singly",), "asset"),
        (("stops_work",), "asset"),
        ((), "stock"),
    ],
)
def test_what_the_answers_make_of_it(yes: tuple[str, ...], verdict: str) -> None:
    found = classify(answers(*yes))
    assert found.verdict == verdict
    assert found.reason


def test_every_set_of_answers_has_a_verdict_and_every_row_of_the_table_is_used() -> None:
    every = [Answers(*given) for given in product([False, True], repeat=5)]
    reasons = {classify(each).reason for each in every}
    assert reasons == {reason for _, _, reason in TABLE}
    assert all(classify(each).verdict == "asset" for each in every if not each.sold_or_used_up and any(astuple(each)))


ITEM = Item("Bearing", classified=Classified(answers("sold_or_used_up")))
MACHINE = Classified(answers("capitalised"))


def test_the_verdict_is_filled_in_and_said_again_is_the_same() -> None:
    found = checked("items", "X", ITEM)
    assert isinstance(found, Item)
    assert found.classified is not None
    assert found.classified.verdict == "stock"
    assert checked("items", "X", found) == found


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (
            "items",
            Item("Crane", classified=MACHINE),
            "items.X: classified: stock or capitalised_spare expected of an item",
        ),
        ("assets", Asset("Bolt", "1", classified=ITEM.classified), "asset or capitalised_spare expected of an asset"),
        ("items", Item("Bolt", classified=Classified(answers("sold_or_used_up"), "asset")), "verdict: stock expected"),
    ],
)
def test_a_contradiction_is_refused(kind: str, body: Struct, says: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(kind, "X", body)
    assert says in str(refused.value)
