"""What is on a pallet at a time, and who moves it: the pallet's tag, a tag of its own, or a scan."""

from collections.abc import Collection
from decimal import Decimal

import pytest

from models.dock.direction import Direction
from models.stock.contents import Carton, Packed, Scanned, carton_name, cartons, goes_along, held_at
from models.stock.posting import Content, Places, Went, movement_of_content

P, Q, CASE = "(00)095213210000000421", "(00)095213210000000438", "(00)095213210000000445"
A, B = carton_name("09521321500013", "A"), carton_name("09521321500013", "B")


def pack(child: str, parent: str, at: int, ident: str = "a") -> Packed:
    return Packed(child, parent, at, ident, None, (f"{ident}{at}",))


def on(pallet: str, acts: list[Packed], at: int = 9, by_itself: Collection[str] = ()) -> list[str]:
    return sorted(each.packed.child for each in cartons(pallet, held_at(acts, at), by_itself))


NONE = frozenset[str]()
NESTED = [pack(A, CASE, 1), pack(B, P, 2), pack(CASE, P, 3)]


@pytest.mark.parametrize(
    ("acts", "pallet", "at", "by_itself", "expected"),
    [
        ([pack(A, P, 1), pack(B, P, 2)], P, 9, NONE, [A, B]),
        ([pack(A, P, 1), pack(B, P, 2)], P, 1, NONE, [A]),
        ([pack(A, P, 1), pack(A, Q, 2)], P, 9, NONE, []),
        ([pack(A, P, 1), pack(A, Q, 2)], P, 1, NONE, [A]),
        ([pack(A, P, 1, "b"), pack(A, Q, 1, "a")], P, 9, NONE, [A]),
        (NESTED, P, 9, NONE, [A, B]),
        (NESTED, P, 2, NONE, [B]),
        (NESTED, CASE, 9, NONE, [A]),
        (NESTED, P, 9, {CASE}, [B]),
        (NESTED, P, 9, {B}, [A]),
        ([pack(A, P, 1), pack(P, Q, 2), pack(Q, P, 3)], P, 9, NONE, [A]),
        ([pack("e280110000000000000000aa", P, 1)], P, 9, NONE, []),
    ],
)
def test_what_is_on_a_pallet(
    acts: list[Packed], pallet: str, at: int, by_itself: Collection[str], expected: list[str]
) -> None:
    assert on(pallet, acts, at, by_itself) == on(pallet, acts[::-1], at, by_itself) == expected


def test_the_acts_lead_from_the_carton_up_to_the_pallet() -> None:
    (found,) = cartons(P, held_at([pack(A, CASE, 1), pack(CASE, P, 3)], 9), ())
    assert (found.gtin, found.serial, [act.parent for act in found.acts]) == ("09521321500013", "A", [CASE, P])


@pytest.mark.parametrize(
    ("scans", "direction", "passes", "expected"),
    [
        ([], "out", [20], True),
        ([("issue", 15)], "out", [20], False),
        ([("move", 15)], "in", [20], False),
        ([("issue", 21)], "out", [20], True),
        ([("receive", 5)], "out", [20], True),
        ([("issue", 5)], "out", [20], False),
        ([("issue", 5)], "in", [20], True),
        ([("return", 5)], "in", [20], False),
        ([("issue", 5)], "out", [12, 20], True),
        ([("issue", 5), ("return", 6)], "out", [20], True),
    ],
)
def test_a_carton_goes_along_unless_a_scan_has_moved_it(
    scans: list[tuple[str, int]], direction: Direction, passes: list[int], *, expected: bool
) -> None:
    """It was packed at 10 and its pallet passes at 20."""
    carton = Carton("09521321500013", "A", (pack(A, P, 10),))
    known = [Scanned(action, at, action) for action, at in scans]
    assert goes_along(carton, known, Went("c", direction, 20), passes) is expected


def test_a_carton_moves_as_its_pallet_went_unless_its_own_tag_does() -> None:
    went, places = Went("c1", "out", 20), Places("warehouse")
    content = Content(A, "BOLT-M8", Decimal(40), "L1", is_tagged=False, scans=["aa", "bb"])
    moved = movement_of_content(went, content, places)
    again = movement_of_content(went, Content(A, "BOLT-M8", Decimal(40), "L1", is_tagged=False, scans=["cc"]), places)
    assert moved is not None
    assert again is not None
    assert (moved.sku, moved.lot, moved.quantity, moved.source, moved.target, moved.at) == (
        "BOLT-M8", "L1", Decimal(40), "warehouse", "customer", 20
    )  # fmt: skip
    assert (moved.reason, moved.evidence) == ("dock crossing", ["crossing:c1", "scan:aa", "scan:bb"])
    assert moved.id != again.id, "packed by another act it is another movement"
    tagged = Content(A, "BOLT-M8", Decimal(40), None, is_tagged=True, scans=[])
    assert movement_of_content(went, tagged, places) is None
    assert movement_of_content(Went("c1", "none", 20), content, places) is None
