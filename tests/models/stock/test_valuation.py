"""Valuation: what is ours, what a movement is to costing, months and days, and a month that goes on."""

from decimal import Decimal

import pytest

from models.months import begin_of, month_text
from models.stock.costing import State, thaw
from models.stock.valuation import DAY_US, Costs, Month, Moved, event_of, kind_of, months

D = Decimal
OCTOBER = 2026 * 12 + 9


def unknown(_moved: Moved) -> None:
    """No usual price."""


def five(_moved: Moved) -> Decimal:
    return D(5)


FREE = Costs({}, unknown, {})


@pytest.mark.parametrize(
    ("ident", "kind", "found"),
    [
        ("hall-1", None, None),
        ("hall-1", "zone", None),
        ("customer", None, "customer"),
        ("ACME", "supplier", "supplier"),
        ("customer", "zone", None),
        ("van", "in_transit", None),
        ("in_transit", None, None),
    ],
)
def test_what_is_ours(ident: str, kind: str | None, found: str | None) -> None:
    assert kind_of(ident, kind, is_virtual=False) == found
    assert kind_of("lost", None, is_virtual=True) == "adjustment"


def moved(at: int, source: str, target: str, quantity: int = 1, **other: object) -> Moved:
    return Moved(at, f"m{at}", None, D(quantity), source, target, "r", **other)  # type: ignore[arg-type]


def kinds(ident: str) -> str | None:
    return kind_of(ident, None, is_virtual=False)


def test_what_a_movement_is_to_costing() -> None:
    costs = Costs({"m3": D(7)}, five, {"m1": D(2), "m2": D(2)})
    assert event_of(moved(1, "desk", "shelf"), kinds, "sale", costs) is None
    assert event_of(moved(1, "desk", "in_transit"), kinds, "sale", costs) is None
    receipt = event_of(moved(1, "supplier", "desk"), kinds, "sale", costs)
    assert receipt is not None
    assert (receipt.came, receipt.went, receipt.place) == ("receipt", None, "supplier")
    assert (receipt.price, receipt.landed) == (D(5), D(2))
    back = event_of(moved(2, "customer", "desk", evidence=("scan:1", "movement:m9")), kinds, "sale", costs)
    assert back is not None
    assert (back.came, back.price, back.landed, back.named) == ("customer return", None, D(0), ("m9",))
    found = event_of(moved(3, "adjustment", "desk"), kinds, "sale", costs)
    assert found is not None
    assert (found.came, found.price) == ("found", D(7))
    through = event_of(moved(4, "supplier", "customer"), kinds, "sale", costs)
    assert through is not None
    assert (through.came, through.went, through.place) == ("receipt", "sale", "supplier")


def story(last: int) -> list[Month]:
    begin = begin_of(OCTOBER)
    moves = [
        moved(begin, "supplier", "desk", 10),
        moved(begin + DAY_US - 1, "desk", "customer", 4),
        moved(begin + DAY_US, "desk", "customer", 3),
        moved(begin_of(OCTOBER + 1), "desk", "scrap", 1),
    ]
    costs = Costs({f"m{begin}": D(2)}, unknown, {})
    events = [event for each in moves[:last] if (event := event_of(each, kinds, "sale", costs)) is not None]
    return [*months(State("fifo"), None, events, lambda _month: "fifo")]


def test_months_and_days() -> None:
    october, november = story(4)
    assert [month_text(each.month) for each in (october, november)] == ["2026-10", "2026-11"]
    assert {flow: each.value for flow, each in october.sums().items()} == {"receipt": 20, "sale": 14}
    first = begin_of(OCTOBER) // DAY_US
    assert {flow: each.value for flow, each in october.sums(first).items()} == {"receipt": 20, "sale": 8}
    assert [october.at_end_of(first + k) for k in (-1, 0, 1)] == [(D(0), D(0)), (D(6), D(12)), (D(3), D(6))]
    assert [(each.quantity, each.value) for each in (october, november)] == [(D(3), D(6)), (D(2), D(4))]


def test_a_month_goes_on() -> None:
    (begun,), whole = story(2), story(4)
    begin = begin_of(OCTOBER)
    later = [moved(begin + DAY_US, "desk", "customer", 3), moved(begin_of(OCTOBER + 1), "desk", "scrap", 1)]
    events = [event for each in later if (event := event_of(each, kinds, "sale", FREE)) is not None]
    assert [*months(thaw(begun.state), begun, events, lambda _month: "fifo")] == whole
