"""Custody: who may give what to whom, what a chain does not explain, and that it cannot be changed unseen."""

from typing import Any

import pytest
from msgspec.structs import replace

from models.assets.booking import Booking, Transfer, check_free, in_the_way, progress
from models.assets.custody import Entry, Recorded, entry_hash, first_broken, gaps, holder, take
from models.assets.place import relocations
from models.assets.sighting import Sighting
from models.chain import GENESIS
from models.errors import Clash, Refused


def entry(what: str, at: int = 10, **fields: Any) -> Entry:
    known: dict[str, Any] = {"id": f"{what}-{at}", "asset": "A", "what": what, "at": at}
    return Entry(**known | fields)


OUT, BACK = entry("check_out", holder="ann", place="location:crib"), entry("check_in", 20, place="location:crib")


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ([], entry("check_out", 30, holder="bob"), None),
        ([OUT], entry("check_out", 30, holder="bob"), "checked in expected, ann has it"),
        ([OUT, BACK], entry("check_out", 30, holder="bob"), None),
        ([OUT], entry("hand_over", 30, holder="bob"), None),
        ([OUT], entry("hand_over", 30, holder="ann"), "another than ann expected"),
        ([], entry("hand_over", 30, holder="bob"), "nobody has it"),
        ([], entry("check_in", 30), "nobody has it"),
        ([OUT], entry("check_in", 30, holder="bob"), "nothing expected of a check-in"),
        ([], entry("check_out", 30), "holder: who has it"),
        ([], entry("check_out", 30, holder="bob", due_at=30), "due_at: a time after"),
        ([OUT, BACK], entry("check_out", 15, holder="bob"), "at: not before"),
    ],
)
def test_who_may_have_it(before: list[Entry], after: Entry, error: str | None) -> None:
    last_at = before[-1].at if before else None
    if error is None:
        now = take(holder(before, 100), last_at, after)
        assert now is not None
        assert now.holder == "bob"
    else:
        with pytest.raises(Refused, match=error):
            take(holder(before, 100), last_at, after)


def test_who_had_it_at_a_time() -> None:
    chain = [OUT, entry("hand_over", 15, holder="bob"), BACK]
    assert [(found := holder(chain, at)) and found.holder for at in (5, 10, 14, 15, 20)] == [
        None,
        "ann",
        "ann",
        "bob",
        None,
    ]


def test_what_a_chain_does_not_explain() -> None:
    moved = entry("check_out", 30, holder="bob", place="location:gate")
    chain = [OUT, entry("hand_over", 15, holder="bob", giver="cid"), BACK, moved]
    assert [(each.entry, each.what) for each in gaps(chain)] == [
        ("hand_over-15", "unknown_giver"),
        ("check_out-30", "moved"),
    ]
    assert gaps([OUT, BACK, replace(moved, place="location:crib")]) == []


def test_a_chain_that_was_changed_is_found() -> None:
    chain: list[Recorded] = []
    before = GENESIS
    for n, each in enumerate([OUT, BACK, entry("check_out", 30, holder="bob")], 1):
        before = entry_hash(before, n, "desk", each.at + 1, each)
        chain.append(Recorded(n, "desk", each.at + 1, each, before))
    assert first_broken(chain) is None
    changed = chain[1]._replace(entry=replace(chain[1].entry, why="never happened"))
    assert first_broken([chain[0], changed, chain[2]]) == 2
    assert first_broken([chain[0], chain[2]]) == 2
    assert first_broken([chain[0]._replace(actor="else")]) == 1


ANN = Booking(id="b1", asset="A", holder="ann", begin_at=10, end_at=20)


@pytest.mark.parametrize(("begin", "end", "free"), [(0, 10, True), (20, 30, True), (19, 30, False), (0, 11, False)])
def test_bookings_do_not_overlap(begin: int, end: int, free: bool) -> None:  # noqa: FBT001 - a table
    wanted = Booking(id="b2", asset="A", holder="bob", begin_at=begin, end_at=end)
    if free:
        check_free([ANN], wanted)
    else:
        with pytest.raises(Clash, match="b1 has it meanwhile"):
            check_free([ANN], wanted)


@pytest.mark.parametrize(
    ("holder", "since", "until", "stands"),
    [
        ("bob", 5, None, False),
        ("bob", 5, 11, True),
        ("bob", 12, None, True),
        ("ann", 12, None, False),
        ("bob", 20, 99, False),
    ],
)
def test_what_is_booked_is_not_given_to_another(holder: str, since: int, until: int | None, stands: bool) -> None:  # noqa: FBT001 - a table
    assert (in_the_way([ANN], holder, since, until) is ANN) is stands


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(5, "location:hall")], (None, None)),
        ([(5, "location:hall"), (15, None)], (15, None)),
        ([(5, "location:hall"), (15, None), (25, "location:depot")], (15, 25)),
        ([(25, "location:depot")], (25, 25)),
    ],
)
def test_how_far_a_transfer_is(places: list[tuple[int, str | None]], expected: tuple[int | None, int | None]) -> None:
    order = Transfer(id="t", asset="A", source="location:hall", target="location:depot", begin_at=10**10, end_at=10**11)
    moved = relocations("A", [Sighting(10**10 + at, "dock", str(at), "seen", place) for at, place in places], 10**12)
    gone = progress(order, moved, {"location:hall"}, {"location:depot"})
    assert tuple(None if at is None else at - 10**10 for at in gone) == expected


def test_spans_and_ends_that_cannot_be() -> None:
    with pytest.raises(Refused, match="end: a time after"):
        Booking(id="b", asset="A", holder="ann", begin_at=20, end_at=20)
    with pytest.raises(Refused, match="target: another place"):
        Transfer(id="t", asset="A", source="site:a", target="site:a", begin_at=1, end_at=2)
