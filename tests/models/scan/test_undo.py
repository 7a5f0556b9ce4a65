"""UNDO: the last acts of a scanner, one after the other, while they are fresh."""

import pytest

from tests.models.scan.scanning import BOLT, E_BOLT, S, acts, said

START = ["SY:RECEIVE", "SY:LOC:desk", f"01{BOLT}304"]
DONE = "4 x BOLT-M8 received at desk"
NOTHING = "nothing to take back"


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([*START, "SY:UNDO"], [DONE, f"taken back: {DONE}"]),
        ([*START, "SY:UNDO", "SY:UNDO"], [DONE, f"taken back: {DONE}", NOTHING]),
        (
            [*START, f"01{BOLT}305", "SY:UNDO", "SY:UNDO"],
            [DONE, DONE.replace("4", "5", 1), f"taken back: {DONE.replace('4', '5', 1)}", f"taken back: {DONE}"],
        ),
        (["SY:UNDO"], [NOTHING]),
        ([*START, 299, "SY:UNDO"], [DONE, f"taken back: {DONE}"]),
        ([*START, 300, "SY:UNDO"], [DONE, f"{NOTHING}: the last act is more than 5 minutes old"]),
        (
            [*START, "SY:ISSUE", "nonsense", "SY:UNDO"],
            [DONE, "barcode: Failed to parse GS1 AI from 'nonsense'.", f"taken back: {DONE}"],
        ),
        (
            [*START, E_BOLT, "SY:UNDO"],
            [DONE, "something waits: scan CONFIRM or CANCEL first, then UNDO", "1 x BOLT-M8 received at desk"],
        ),
        ([*START, 600, "SY:UNDO"], [DONE, NOTHING]),
    ],
)
def test_the_last_act_is_taken_back(codes: list[str | int], texts: list[str]) -> None:
    found = said(*codes)
    assert [text for text in found if not text.startswith("barcode")] == [
        t for t in texts if not t.startswith("barcode")
    ]


def test_an_undo_has_what_it_takes_back_and_who_did() -> None:
    done, undo = acts(*START, "SY:BADGE:ben", "SY:UNDO")
    assert (undo.action, undo.ok, undo.at, undo.badge) == ("undo", True, 5 * S, "ben")
    assert (undo.undoes, undo.undone, undo.undone_at) == (done.id, "receive", done.at)
    assert (undo.sku, undo.quantity, undo.location, undo.code) == (done.sku, done.quantity, done.location, done.code)
    assert len(undo.evidence) == 2
    assert not {*undo.evidence} & {*done.evidence}


def test_no_more_than_ten_are_remembered() -> None:
    found = acts(*START, *[f"01{BOLT}305"] * 11, *["SY:UNDO"] * 11)
    assert [act.action for act in found[12:]] == ["undo"] * 10 + ["refused"]
