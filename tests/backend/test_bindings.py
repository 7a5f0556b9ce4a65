"""ASSIGN in the register: dated entries in the act's transaction, which follow the acts in whatever order they come."""

import random
from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

from backend.api.queries.stock import registered
from backend.book import register
from backend.book.db import read, write
from backend.book.schema import crossing, dirty, register_entry, scan_act
from backend.identities import identities
from backend.verify import verify
from models.declared import Asset, Desk, Device, TagBinding
from models.identity import identify
from models.reading import Reading, Scan, Tag, from_micros
from tests.backend.books import SECOND, Yard, facts
from tests.backend.stories import BOLT, GLOVE, MIDNIGHT

TAG = "e280110000000000000000aa"
EPC = f"SY:EPC:{TAG}"
FORKLIFT, CRANE = TagBinding("asset", asset="FORKLIFT-1"), TagBinding("asset", asset="CRANE-1")
GLOVES = TagBinding("stock", "GLOVE-L", Decimal(4))


def scan(at: float, data: str, device: str = "scanner-1") -> Reading:
    return Scan(device, from_micros(MIDNIGHT + round(at * SECOND)), data, "]C1")


def passes(at: float) -> list[Reading]:
    """The tag comes in by door-1."""
    antennas = enumerate((3, 3, 1, 1))
    return [
        Tag("door-1", from_micros(MIDNIGHT + round((at + k) * SECOND)), TAG, a, rssi_dbm=-50.0) for k, a in antennas
    ]


def held(yard: Yard, at: float) -> object:
    with read(yard.book) as tx:
        return register.load(tx).get("tags", TAG, MIDNIGHT + round(at * SECOND))


def declare(yard: Yard, body: TagBinding, at: float) -> register.Outcome:
    with write(yard.book) as tx:
        since = MIDNIGHT + round(at * SECOND)
        return register.put(tx, "tags", TAG, body, valid_from=since, actor="local", now=yard.clock.now)


def texts(yard: Yard) -> list[str]:
    return [row["text"] for row in sorted(yard.rows(scan_act), key=lambda row: row["at"])]


def sound(yard: Yard) -> None:
    assert not [finding for finding in verify(yard.book) if not finding.ok]


def test_an_assign_declares_what_the_tag_is_on_with_the_act(yard: Yard) -> None:
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304")])
    assert [held(yard, at) for at in (1.9, 2, 9)] == [None, GLOVES, GLOVES]
    (entry,) = yard.rows(register_entry)[-1:]
    assert (entry["actor"], entry["valid_from"]) == ("scan:dock-a/scanner-1", MIDNIGHT + 2 * SECOND)
    assert not yard.rows(dirty)
    yard.send(passes(10))
    yard.settle()
    assert [(row["sku"], row["quantity"], row["direction"]) for row in yard.rows(crossing)] == [("GLOVE-L", "4", "in")]
    sound(yard)


def test_a_pass_before_the_act_arrives_is_judged_anew(yard: Yard) -> None:
    yard.send(passes(10))
    yard.settle()
    assert [row["kind"] for row in yard.rows(crossing)] == ["unknown"]
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304")])
    yard.settle()
    assert [(row["kind"], row["sku"]) for row in yard.rows(crossing)] == [("stock", "GLOVE-L")]
    sound(yard)


@pytest.mark.parametrize("late", [scan(1.5, "SY:CANCEL"), scan(3, "SY:UNDO"), scan(1.5, "SY:RECEIVE")], ids="cur")
@pytest.mark.parametrize("before", [None, FORKLIFT])
def test_what_held_before_holds_again_when_an_act_is_withdrawn(
    late: Reading, before: TagBinding | None, yard: Yard
) -> None:
    if before is not None:
        declare(yard, before, -9)
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304"), *passes(10)])
    yard.settle()
    assert held(yard, 2) == GLOVES
    entries = len(yard.rows(register_entry))
    yard.send([late])
    yard.settle()
    assert [held(yard, at) for at in (-1, 2, 9)] == [before] * 3
    assert len(yard.rows(register_entry)) == entries + 1, "a further entry, and none deleted"
    assert [row["asset"] for row in yard.rows(crossing)] == [None if before is None else "FORKLIFT-1"]
    sound(yard)


def test_what_a_person_says_of_a_time_before_a_withdrawn_act_holds(yard: Yard) -> None:
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304")])
    yard.send([scan(3, "SY:UNDO")])
    declare(yard, FORKLIFT, -5)
    assert held(yard, 9) == FORKLIFT


def test_what_a_person_says_of_the_same_moment_holds_with_or_without_the_act(yard: Yard) -> None:
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304")])
    assert declare(yard, GLOVES, 5) == "changed", "it has to hold without the scan"
    assert declare(yard, GLOVES, 5) == "same"
    assert declare(yard, FORKLIFT, 2) == "changed"
    yard.send([scan(2.5, EPC), scan(3, "SY:ASSET:crane-1")])
    assert [held(yard, at) for at in (1, 2, 3, 5)] == [None, FORKLIFT, CRANE, GLOVES]
    yard.send([scan(3.5, "SY:UNDO"), scan(4, "SY:UNDO")])
    assert [held(yard, at) for at in (1, 2, 3, 5)] == [None, FORKLIFT, FORKLIFT, GLOVES]


def test_what_a_person_says_again_holds_against_a_scan_of_before_it_that_comes_later(yard: Yard) -> None:
    assert declare(yard, GLOVES, 0) == "created"
    assert declare(yard, GLOVES, 9) == "changed", "it holds already, and is to hold whatever comes late"
    yard.send([scan(2, "SY:ASSIGN"), scan(3, EPC), scan(4, "SY:ASSET:crane-1")])
    assert [held(yard, at) for at in (0, 4, 9)] == [GLOVES, CRANE, GLOVES]


@pytest.mark.parametrize(
    ("giai", "label"),
    [
        ("urn:epc:id:giai:9521321.MIX-7", "80049521321MIX-7"),
        ("urn:epc:id:grai:9521321.00007.41", "80030952132100007041"),
    ],
)
def test_the_label_of_a_registered_asset_is_the_asset_also_if_it_is_registered_later(
    giai: str, label: str, yard: Yard
) -> None:
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, label)])
    assert texts(yard)[0].endswith("is no asset of the register; a tag with this code needs no binding")
    with write(yard.book) as tx:
        asset = Asset("Mixer", "7", giai=giai)
        register.put(tx, "assets", "MIXER-7", asset, valid_from=MIDNIGHT, actor="local", now=MIDNIGHT)
    yard.settle()
    assert texts(yard) == ["tag ..000000aa is on asset MIXER-7"]
    assert held(yard, 2) == TagBinding("asset", asset="MIXER-7")
    sound(yard)


def test_a_person_can_give_a_tag_back_to_what_its_code_says(yard: Yard) -> None:
    declare(yard, FORKLIFT, -5)
    declare(yard, TagBinding("epc"), 5)
    with read(yard.book) as tx:
        held = register.load(tx)
    kinds = [identify(TAG, identities(held, MIDNIGHT + at * SECOND, TAG)).kind for at in (0, 5)]
    assert kinds == ["asset", "unknown"]


def test_the_list_of_the_register_leaves_out_what_was_withdrawn(yard: Yard) -> None:
    declare(yard, FORKLIFT, -5)
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, f"01{GLOVE}304")])
    yard.send([scan(3, "SY:UNDO")])
    with read(yard.book) as tx:
        (shown,) = registered(tx, "tags", MIDNIGHT + 9 * SECOND, TAG)
    assert (bytes(shown.body), shown.actor) == (b'{"thing":"asset","asset":"FORKLIFT-1"}', "local")


def test_another_thing_is_said_to_be_another(yard: Yard) -> None:
    yard.send([scan(0, "SY:ASSIGN"), scan(1, EPC), scan(2, "SY:ASSET:forklift-1")])
    yard.send([scan(3, EPC), scan(4, f"01{GLOVE}304"), scan(5, EPC), scan(6, f"01{GLOVE}304")])
    yard.settle()
    first, second, third = texts(yard)
    assert (first, third) == ("tag ..000000aa is on asset FORKLIFT-1", "tag ..000000aa is on 4 x GLOVE-L")
    assert second == "tag ..000000aa is on 4 x GLOVE-L; it was on FORKLIFT-1"


def test_another_scanner_s_late_act_is_named_too(yard: Yard) -> None:
    yard.send([scan(10, "SY:ASSIGN"), scan(11, EPC), scan(12, f"01{GLOVE}304")])
    yard.send([scan(k, code, "scanner-2") for k, code in enumerate(("SY:ASSIGN", EPC, "SY:ASSET:crane-1"))])
    desk = Device(gateway="dock-a", name="scanner-2", desk=Desk("desk", "supplier", "customer"))
    with write(yard.book) as tx:
        register.put(tx, "devices", "dock-a/scanner-2", desk, valid_from=0, actor="test", now=MIDNIGHT)
    yard.settle()
    assert texts(yard)[-1] == "tag ..000000aa is on 4 x GLOVE-L; it was on CRANE-1"
    assert [held(yard, at) for at in (1, 2, 12)] == [None, CRANE, GLOVES]
    sound(yard)


def test_readings_taken_in_one_by_one_see_what_those_before_them_assigned(yard: Yard) -> None:
    """A message with a reading whose effect fails is committed reading by reading, in one transaction."""
    yard.send([*passes(-10)[:1], scan(0, "SY:ASSIGN"), scan(1, EPC)])
    careful = yard.message([scan(2, f"01{GLOVE}304"), *passes(10), scan(60, "SY:CONFIRM")])
    outcome = yard.ingest._attempt([careful], careful=True)
    assert outcome is not None
    assert [
        each.row["sku"] for each in outcome.derived if each.step == "dock" and each.row["closed_at"] > MIDNIGHT
    ] == ["GLOVE-L"]
    yard.settle()
    sound(yard)


STORY: Sequence[Sequence[Reading]] = [
    [scan(0, "SY:ASSIGN"), scan(1, EPC)],
    [scan(2, "SY:ASSET:forklift-1")],
    [scan(3, EPC), scan(4, f"01{BOLT}307")],
    [scan(5, "SY:UNDO"), *passes(20)],
]


def test_every_order_comes_to_the_same_register(template: Path, tmp_path: Path) -> None:
    """Whatever withdraws, changes or repeats what was assigned between: register, rows and ledger are equal."""
    found: list[dict[str, object]] = []
    for number, order in enumerate([*permutations(STORY)][::3]):
        yard = Yard.copy(template, tmp_path / f"{number}.db", MIDNIGHT + 60 * SECOND)
        chance = random.Random(number)
        for group in order:
            yard.send(group)
            if chance.random() < 0.5:
                yard.deriver.step()
        yard.settle()
        found.append(facts(yard.book))
        yard.book.dispose()
    assert [held == found[0] for held in found] == [True] * 8
    assert (TAG, MIDNIGHT + 2 * SECOND, str(FORKLIFT)) in found[0]["tags"]  # type: ignore[operator]
    assert str(found[0]["tags"]).count(TAG) == 1
