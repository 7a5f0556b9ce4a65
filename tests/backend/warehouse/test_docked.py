"""What stands at the dock and may not be promised holds up neither the planner nor the other goods."""

from decimal import Decimal
from typing import Any

from sqlalchemy import event

from backend.book import outbound
from backend.book.db import read
from tests.backend.warehouse.floors import Bin, Floor

DUE = "2026-11-24T12:00:00Z"


def waited_for(floor: Floor, quantity: str, order: str = "o1") -> None:
    floor.declare("bins", "bin-1", Bin(capacity=Decimal(500)))
    floor.put(f"outbound/{order}", stage="stage", due=DUE, lines=[{"line": 1, "sku": "GLOVE-L", "quantity": quantity}])


def planned(floor: Floor) -> list[tuple[str, str, str | None, str]]:
    floor.yard.clock.now += 1
    floor.plan()
    return sorted((t["kind"], t["quantity"], t["lot"], t["state"]) for t in floor.get("tasks")["items"])


def test_a_lot_that_may_not_be_used_goes_to_nobody(floor: Floor) -> None:
    waited_for(floor, "5")
    floor.post("lots/GLOVE-L/L1/quarantine", reason="wet")
    floor.move("GLOVE-L", 8, ("supplier", "desk"), lot="L1")
    assert planned(floor) == [("put_away", "8", "L1", "open")]


def test_goods_that_others_wait_for_first_go_to_a_bin(floor: Floor) -> None:
    waited_for(floor, "5")
    floor.put(
        "reservations/early",
        sku="GLOVE-L",
        quantity="7",
        purpose="work_order",
        reference="w1",
        need_at="2026-11-24T01:00:00Z",
    )
    floor.move("GLOVE-L", 8, ("supplier", "desk"))
    assert planned(floor) == [("cross_dock", "1", None, "open"), ("put_away", "7", None, "open")]


def test_two_lots_serve_one_line_of_an_order_with_a_long_name(floor: Floor) -> None:
    waited_for(floor, "9", "o" * 64)
    for lot in ("L1", "L2"):
        floor.move("GLOVE-L", 5, ("supplier", "desk"), lot=lot)
    assert planned(floor) == [
        ("cross_dock", "4", "L2", "open"),
        ("cross_dock", "5", "L1", "open"),
        ("put_away", "1", "L2", "open"),
    ]


def test_orders_that_were_served_cost_nothing_more(floor: Floor) -> None:
    """An order stays open when it has left: what is asked of the book does not grow with those that there were."""

    def asked() -> int:
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            found.append(statement)

        event.listen(floor.yard.book, "before_cursor_execute", note)
        with read(floor.yard.book) as tx:
            assert [each.order for each in outbound.waiting(tx, "GLOVE-L")] == ["o9"]
        event.remove(floor.yard.book, "before_cursor_execute", note)
        return len(found)

    waited_for(floor, "5", "o9")
    before = asked()
    floor.move("GLOVE-L", 9, ("supplier", "bin-1"))
    for n in range(3):
        waited_for(floor, "1", f"o{n}")
        floor.post(f"outbound/o{n}/release")
    assert asked() == before
