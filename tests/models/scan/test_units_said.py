"""A person says how much in a unit of the item: the book gets its own unit exactly, or the desk says why not."""

from decimal import Decimal

import msgspec
import pytest

from models.scan import Item, fold
from models.stock.item import Units
from tests.models.scan.scanning import BOLT, DESK, E_BOLT, PACK, scans

UNITS = Units.of("each", [("box", 100, 1), ("third", 100, 3)], whole=True)
ITEMS = {
    BOLT: Item("BOLT-M8", "Bolt", tagged=False, measures=UNITS),
    PACK: Item("BOLT-M8", "Bolt, pack", tagged=False, units=Decimal(50), measures=UNITS),
}
E_PACK = f"01{PACK}"


@pytest.mark.parametrize(
    ("code", "said", "text"),
    [
        (E_BOLT, "SY:QTY:2:box", "200 x BOLT-M8 received at desk"),
        (E_BOLT, "SY:QTY:0.5:box", "50 x BOLT-M8 received at desk"),
        (E_BOLT, "SY:QTY:3:third", "100 x BOLT-M8 received at desk"),
        (E_PACK, "SY:QTY:3", "150 x BOLT-M8 received at desk"),
        (E_PACK, "SY:QTY:3:box", "300 x BOLT-M8 received at desk"),
        (E_PACK, "SY:QTY:25:each", "25 x BOLT-M8 received at desk"),
        (E_PACK, "SY:QTY:0.01", "quantity: a whole number of each expected, 0.5 each is 1/2"),
        (E_BOLT, "SY:QTY:2.5", "quantity: a whole number of each expected, 2.5 each is 5/2"),
        (E_BOLT, "SY:QTY:1:third", "quantity: 1 third is 100/3 trade items, which no decimal is exactly"),
        (E_BOLT, "SY:QTY:1:pallet", "unit: one of each, box, third expected, got 'pallet'"),
        (E_BOLT, "SY:QTY:x:box", "quantity: a positive number expected"),
    ],
)
def test_what_is_said_in_a_unit(code: str, said: str, text: str) -> None:
    _, done = fold(msgspec.structs.replace(DESK, items=ITEMS), None, scans("SY:RECEIVE", "SY:LOC:desk", code, said))
    assert done[0].text.startswith(text)
    assert done[0].ok == text.endswith("at desk")
