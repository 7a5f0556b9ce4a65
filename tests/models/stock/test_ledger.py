from collections.abc import Sequence
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chain import GENESIS
from models.stock.ledger import (
    BadMovement,
    Entry,
    Movement,
    balances,
    canonical,
    difference,
    entry_hash,
    first_broken,
    lines,
    net,
    net_digest,
    reversal,
)
from models.units import BadQuantity

D = Decimal
S = 1_000_000


def movement(ident: str = "m1", quantity: int | Decimal = 40, at: int = 5 * S, lot: str | None = None) -> Movement:
    return Movement(
        id=ident,
        at=at,
        sku="BOLT-M8",
        lot=lot,
        quantity=D(quantity),
        source="supplier",
        target="desk",
        reason="scan receive",
        evidence=["scan:00"],
    )


def chain(movements: Sequence[Movement]) -> list[Entry]:
    entries: list[Entry] = []
    for n, each in enumerate(movements, 1):
        previous = entries[-1].hash if entries else GENESIS
        entries.append(Entry(n, 100 * n, each, entry_hash(previous, n, 100 * n, each)))
    return entries


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"quantity": D(0)}, "quantity"),
        ({"quantity": D(-1)}, "quantity"),
        ({"quantity": D("NaN")}, "quantity"),
        ({"target": "supplier"}, "target"),
        ({"sku": ""}, "sku"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_cannot_be_a_movement(change: dict[str, object], why: str) -> None:
    with pytest.raises((BadMovement, BadQuantity), match=why):
        msgspec.structs.replace(movement(), **change)


def test_canonical_text() -> None:
    assert canonical(movement(quantity=D("4E+1"))) == (
        b'{"at":5000000,"evidence":["scan:00"],"id":"m1","quantity":"40","reason":"scan receive",'
        b'"sku":"BOLT-M8","source":"supplier","target":"desk"}'
    )
    assert canonical(movement(quantity=D("40.0"))) == canonical(movement())
    assert canonical(movement(lot="L1")) != canonical(movement())


def test_two_lines_that_cancel() -> None:
    out, into = lines(movement(lot="L1"))
    assert (out.location, out.quantity, into.location, into.quantity) == ("supplier", D(-40), "desk", D(40))
    assert balances([movement(), movement("m2", D(2), lot="L1")]) == {
        ("desk", "BOLT-M8", None): D(40),
        ("desk", "BOLT-M8", "L1"): D(2),
        ("supplier", "BOLT-M8", None): D(-40),
        ("supplier", "BOLT-M8", "L1"): D(-2),
    }


def test_the_chain_finds_each_kind_of_damage() -> None:
    entries = chain([movement(f"m{k}", D(k)) for k in range(1, 7)])
    assert first_broken(entries) is None
    assert first_broken(entries[3:], entries[2].hash, 4) is None
    damaged = {
        "changed": [*entries[:2], entries[2]._replace(movement=movement("m3", D(4))), *entries[3:]],
        "recorded at another time": [*entries[:2], entries[2]._replace(recorded_at=1), *entries[3:]],
        "taken out": entries[:2] + entries[3:],
        "swapped": [*entries[:2], entries[3], entries[2], *entries[4:]],
    }
    assert {what: first_broken(rows) for what, rows in damaged.items()} == dict.fromkeys(damaged, 3)


def test_an_entry_and_its_reversal_cancel_and_a_second_reversal_restores() -> None:
    first = movement()
    back = reversal(first)
    again = reversal(back)
    assert (back.reverses, back.at, back.source, back.target) == ("m1", first.at, "desk", "supplier")
    assert net([first, back]) == []
    assert net([first, back, again]) == net([again, first, back]) == [first]
    assert balances([first, back]) == {}
    assert net_digest([first, back, again]) == net_digest([first]) != net_digest([])
    with pytest.raises(BadMovement, match="reversed twice"):
        net([first, back, msgspec.structs.replace(back, id="other")])


def test_difference_goes_there_and_back() -> None:
    old, new, kept = movement("old"), movement("new", D(12)), movement("kept", D(1))
    posted = [old, kept]
    there = difference(posted, [new, kept])
    assert [(each.id, each.reverses) for each in there] == [(reversal(old).id, "old"), ("new", None)]
    posted += there
    assert difference(posted, [kept, new]) == []
    posted += difference(posted, [old, kept])
    assert net(posted) == net([old, kept])
    with pytest.raises(BadMovement, match="other content"):
        difference(posted, [movement("old", D(41))])


MOVEMENTS = st.builds(
    Movement,
    id=st.uuids().map(str),
    at=st.integers(0, 10**15),
    sku=st.sampled_from(["A", "B"]),
    lot=st.sampled_from([None, "L1", "L2"]),
    quantity=st.decimals(min_value="0.000001", max_value=999_999, places=6),
    source=st.sampled_from(["supplier", "desk"]),
    target=st.sampled_from(["customer", "warehouse"]),
    reason=st.just("test"),
    evidence=st.just(["scan:00"]),
)
LEDGERS = st.lists(MOVEMENTS, max_size=12, unique_by=lambda each: each.id)


@given(LEDGERS)
def test_all_locations_sum_to_zero_per_sku_and_lot(movements: list[Movement]) -> None:
    found = balances(movements)
    for sku in ("A", "B"):
        for lot in (None, "L1", "L2"):
            assert sum(quantity for (_, *key), quantity in found.items() if key == [sku, lot]) == 0


@given(LEDGERS, st.lists(st.integers(0, 4095), max_size=6), st.randoms(use_true_random=False))
def test_the_net_ledger_does_not_depend_on_the_way_it_came_about(
    movements: list[Movement], versions: list[int], chance: Random
) -> None:
    posted: list[Movement] = []
    wanted = movements
    for chosen in [*versions, 4095]:
        wanted = [each for k, each in enumerate(movements) if chosen >> k & 1]
        posted += difference(posted, wanted)
    assert net(posted) == net(wanted)
    assert balances(posted) == balances(wanted)
    assert len({each.id for each in posted}) == len(posted)
    shuffled = list(posted)
    chance.shuffle(shuffled)
    assert net_digest(shuffled) == net_digest(wanted)
    assert first_broken(chain(posted)) is None
