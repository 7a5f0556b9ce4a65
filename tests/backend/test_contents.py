"""A pallet's tag moves what is on the pallet: late acts, votes and declarations end in the same books."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete, update

from backend.api.queries import evidence
from backend.book import register
from backend.book.db import read, write
from backend.book.schema import movement, scan_act
from backend.book.schema_contents import content_move
from backend.verify import verify
from models.declared import Item, PackGtin
from models.reading import Input, Reading, Scan, Tag, from_micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.pallets import BOLT, LABELS, PALLETS, TAGS
from tests.backend.stories import MIDNIGHT

NAME = f"(01){BOLT}(21)"


def at(seconds: float) -> datetime:
    return from_micros(MIDNIGHT + round(seconds * SECOND))


def scans(begin: float, *codes: str) -> list[Reading]:
    return [Scan("scanner-1", at(begin + i), code, "]C1") for i, code in enumerate(codes)]


def passes(begin: float, tag: str = PALLETS[0], way: str = "out") -> list[Reading]:
    rows = (1, 1, 3, 3) if way == "out" else (3, 3, 1, 1)
    return [Tag("door-1", at(begin + 0.7 * i), tag, row, rssi_dbm=-50.0, count=2) for i, row in enumerate(rows)]


def cartons(*serials: str) -> list[str]:
    return [f"01{BOLT}21{serial}" for serial in serials]


def net(yard: Yard) -> list[tuple[str, str, str, str]]:
    """What holds: SKU, quantity, where to, lot."""
    rows = yard.rows(movement)
    undone = {row["reverses"] for row in rows}
    return sorted(
        (row["sku"], row["quantity"], row["target"], row["lot"] or "")
        for row in rows
        if row["reverses"] is None and row["id"] not in undone
    )


def broken(yard: Yard) -> list[str]:
    return [f"{each.name}: {each.detail}" for each in verify(yard.book) if not each.ok and "assets" not in each.name]


PACKED = scans(10, "SY:PACK", LABELS[0], *cartons("A", "B\x1d10L7"), "SY:CONFIRM")
NESTED = [
    *scans(10, "SY:PACK", LABELS[1], *cartons("A"), "SY:CONFIRM", LABELS[0], *cartons("B"), LABELS[1], "SY:CONFIRM")
]
ONE = ("BOLT-M8", "1", "customer", "")
LOT = ("BOLT-M8", "1", "customer", "L7")
BACK = ("BOLT-M8", "1", "warehouse", "")
PUMPS = "011952132100010721"
STORIES: dict[str, tuple[list[Sequence[Reading]], list[tuple[str, str, str, str]]]] = {
    "two cartons": ([PACKED, passes(60)], [ONE, LOT]),
    "packed after it went": ([passes(5 - 60), PACKED], []),
    "out and in again": ([PACKED, passes(60), passes(300, way="in")], [ONE, LOT, BACK, (*BACK[:3], "L7")]),
    "one taken back later": ([PACKED, passes(16), scans(100, "SY:UNDO")], [ONE]),
    "packed elsewhere before": (
        [PACKED, scans(20, "SY:PACK", LABELS[1], *cartons("A")), passes(60), passes(90, PALLETS[1])],
        [ONE, LOT],
    ),
    "a case on a pallet": ([NESTED, passes(60)], [ONE, ONE]),
    "a case that is read by itself": ([NESTED, passes(60), passes(60.1, PALLETS[1])], [ONE, ONE]),
    "a carton with a tag": (
        [scans(10, "SY:PACK", LABELS[0], *cartons("A"), f"{PUMPS}71", f"{PUMPS}72"), passes(60), passes(60.1, TAGS[1])],
        [ONE, ("PUMP-40", "1", "customer", "")],
    ),
    "issued by a scan": (
        [PACKED, scans(30, "SY:ISSUE", "SY:LOC:desk", *cartons("A"), "SY:QTY:1"), passes(60)],
        [ONE, LOT],
    ),
    "nothing went through": ([PACKED, passes(60)[:1]], []),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_is_on_a_pallet_moves_with_it_though_all_comes_late(name: str, yard: Yard) -> None:
    """What comes first here is what happened last; random stories tell all orders (test_deriver)."""
    groups, expected = STORIES[name]
    for group in groups[::-1]:
        yard.send(group)
        yard.settle(60 * SECOND)
    yard.settle(2 * DAY)
    assert net(yard) == expected


def test_what_scans_did_with_a_carton_and_is_known_late_takes_it_off_the_pallet(yard: Yard) -> None:
    yard.send([*PACKED, *passes(60)])
    yard.settle()
    yard.send(scans(30, "SY:MOVE", "SY:LOC:desk", *cartons("A"), "SY:LOC:warehouse"))
    yard.settle()
    assert net(yard) == [LOT, BACK]
    yard.send(scans(40, "SY:PACK", LABELS[1], *cartons("B")))
    yard.settle()
    assert net(yard) == [BACK]
    assert not broken(yard)


def test_a_vote_an_eye_and_the_register_change_what_it_moved(yard: Yard) -> None:
    yard.send([*PACKED, *passes(60)])
    yard.settle()
    assert net(yard) == [ONE, LOT]
    neighbours = [each for tag in TAGS[:4] for each in passes(60.1, tag, "in")]
    yard.send(neighbours)
    yard.settle()
    assert net(yard) == [BACK, (*BACK[:3], "L7"), *[("PUMP-40", "1", "warehouse", "")] * 4]

    def declare(since: float, units: int, *, tagged: bool) -> None:
        with write(yard.book) as tx:
            body = Item("Bolt", gtins=[PackGtin(BOLT, Decimal(units))], tagged=tagged)
            stamp = {"valid_from": MIDNIGHT + round(since * SECOND), "now": yard.clock.now}
            register.put(tx, "items", "BOLT-M8", body, actor="test", **stamp)
        assert not broken(yard), "what waits for the deriver is not wrong"
        yard.settle()
        assert not broken(yard)

    declare(50, 12, tagged=False)
    assert [row for row in net(yard) if row[0] == "BOLT-M8"] == [
        ("BOLT-M8", "12", "warehouse", lot) for lot in ("", "L7")
    ]
    declare(51, 12, tagged=True)
    assert [row for row in net(yard) if row[0] == "BOLT-M8"] == []
    declare(80, 12, tagged=False)
    assert [row for row in net(yard) if row[0] == "BOLT-M8"] == []


def test_what_a_carton_moved_is_opened_by_one_call_and_damage_is_found(yard: Yard) -> None:
    yard.send([*PACKED, *passes(60), Input("door-1", at(90), "photo_eye", on=True)])
    yard.settle()
    first = yard.rows(content_move)[0]
    assert first["child"] == f"{NAME}A"
    with read(yard.book) as tx:
        found = evidence.behind(tx, first["movement"])
    assert found is not None
    assert [each.id for each in found.crossings] == [first["crossing"]]
    acts = [(each.action, each.child, each.parent) for each in found.acts]
    assert acts == [("pack", f"{NAME}A", f"(00){LABELS[0][2:]}")]
    assert len(found.readings) == 4 + 3, "four sightings; the carton's scan, the pallet's, the mode's"
    for damage in (
        delete(content_move).where(content_move.c.child == f"{NAME}A"),
        update(content_move).values(act="x"),
        update(scan_act).where(scan_act.c.child == f"{NAME}A").values(lot="L8"),
    ):
        with write(yard.book) as tx:
            tx.execute(damage)
        assert any("contents of pallets" in each for each in broken(yard))
