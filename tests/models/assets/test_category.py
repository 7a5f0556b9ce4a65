"""Categories, numbers and components of assets: what an own field may be, what names one, what is part of what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.assets.category import KINDS, NAMED, category, problems
from models.assets.component import ancestors, components, is_part_of_itself, place_of
from models.assets.serial import taken
from models.declared import Asset, AssetClass
from models.declared_assets import OwnField

SCALPEL = AssetClass(
    kind="instrument",
    fields={"cycles_most": OwnField("number", required=True), "sharp": OwnField("bool"), "until": OwnField("date")},
)
FIELDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "as they should be": ({"cycles_most": 300, "sharp": True, "until": "2028-02-29", "tray": "A"}, []),
    "one is missing": ({"tray": "A"}, ["fields.cycles_most: a number expected"]),
    "one that is not known": ({"cycles_most": 1, "colour": "red"}, ["fields.colour: one of the fields of category"]),
    "a text for a number": ({"cycles_most": "300"}, ["fields.cycles_most: a number expected, got '300'"]),
    "true is no number": ({"cycles_most": True}, ["fields.cycles_most: a number expected, got True"]),
    "a number is no text": ({"cycles_most": 1, "tray": 4}, ["fields.tray: a text expected, got 4"]),
    "1 is not true": ({"cycles_most": 1, "sharp": 1}, ["fields.sharp: true or false expected, got 1"]),
    "no such day": ({"cycles_most": 1, "until": "2027-02-29"}, ["fields.until: a date like"]),
    "a week is no day": ({"cycles_most": 1, "until": "2027-W01-1"}, ["fields.until: a date like"]),
}


@pytest.mark.parametrize(("fields", "said"), FIELDS.values(), ids=FIELDS)
def test_own_fields(fields: dict[str, Any], said: list[str]) -> None:
    found = [*problems(Asset("Scalpel", "1", category="scalpel", fields=fields), category("scalpel", SCALPEL))]
    assert [each.startswith(start) for each, start in zip(found, said, strict=True)] == [True] * len(said), found


def test_what_is_built_in() -> None:
    assert {*NAMED.values()} == {*KINDS}
    assert category("instrument", None).meters == ("cycles",)
    assert category("excavator", None).kind == "machine"
    assert category(None, None).kind == category("what", None).kind == "other"
    assert category("truck", AssetClass(meters=[])).meters == ()
    assert category("truck", AssetClass(unseen_days=3)).unseen_days == 3
    assert category("truck", AssetClass()).unseen_days == KINDS["vehicle"][1]


NUMBERS: dict[str, tuple[list[Asset], list[str]]] = {
    "each its own": ([Asset("a", "1"), Asset("b", "2")], []),
    "the same": ([Asset("a", "1"), Asset("b", "1")], ["serial: '1' is the serial number of 'A0' already"]),
    "of two models": ([Asset("a", "1", model="X"), Asset("b", "1", model="Y")], []),
    "of one model": ([Asset("a", "1", model="X"), Asset("b", "1", model="X")], ["serial: '1'"]),
    "of a model that one does not name": ([Asset("a", "1", model="X"), Asset("b", "1")], ["serial: '1'"]),
    "of one that was sold": ([Asset("a", "1", state="sold"), Asset("b", "1")], []),
    "codes, however written": (
        [Asset("a", "1", giai="urn:epc:id:giai:9521321.55"), Asset("b", "2", giai="952132155")],
        ["giai: '952132155' is the code of 'A0' already"],
    ),
}


@pytest.mark.parametrize(("assets", "said"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_names_one_asset(assets: list[Asset], said: list[str]) -> None:
    found = [problem for _, problem in taken({f"A{k}": asset for k, asset in enumerate(assets)})]
    assert [each.startswith(start) for each, start in zip(found, said, strict=True)] == [True] * len(said), found


def test_components() -> None:
    parents = {"PUMP": "ENGINE", "ENGINE": "TRUCK", "CRANE": "TRUCK"}
    assert [*ancestors(parents, "PUMP")] == ["ENGINE", "TRUCK"]
    assert components(parents, "TRUCK") == ["CRANE", "ENGINE", "PUMP"]
    assert place_of(parents, {"TRUCK": "yard", "ENGINE": "shop"}, "PUMP") == ("ENGINE", "shop")
    assert place_of(parents, {"CRANE": "site"}, "PUMP") is None


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef"), max_size=6))
def test_following_parents_ends(parents: dict[str, str]) -> None:
    """Whatever was declared; an asset is part of itself exactly if it is on a ring."""
    for ident in "abcdef":
        above = [*ancestors(parents, ident)]
        assert len({ident, *above}) == len(above) + 1
        step, seen = parents.get(ident), set[str]()
        while step is not None and step not in seen and step != ident:
            seen.add(step)
            step = parents.get(step)
        assert is_part_of_itself(parents, ident) == (step == ident)
