"""What an order has come to follows from what left for it, and what it earned from its lines; classes of counts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from backend.book.schema_warehouse import stock_count
from backend.valuer import Valuer
from models.declared import Item
from models.declared_stock import Supply
from tests.backend.books import DAY
from tests.backend.warehouse.floors import Floor

DUE = "2026-11-24T12:00:00Z"


def order(floor: Floor, ident: str, quantity: str, price: str | None = None, status: int = 201) -> None:
    line = {"line": 1, "sku": "NUT-M8", "quantity": quantity, "price": price}
    floor.put(f"outbound/{ident}", status, stage="stage", due=DUE, lines=[line])


def states(floor: Floor) -> dict[str, str]:
    return {one["id"]: one["state"] for one in floor.get("outbound")["items"]}


def test_an_order_is_what_left_for_it_until_somebody_ends_it(floor: Floor) -> None:
    floor.declare("items", "NUT-M8", Item("Nut"))
    floor.move("NUT-M8", 100, ("supplier", "stage"))
    for ident in ("o1", "o2", "o3"):
        order(floor, ident, "10")
    assert states(floor) == {"o1": "open", "o2": "open", "o3": "open"}
    floor.move("NUT-M8", 14, ("stage", "customer"))
    assert states(floor) == {"o1": "shipped", "o2": "partly_shipped", "o3": "open"}
    assert [one["id"] for one in floor.get("outbound", state="partly_shipped")["items"]] == ["o2"]
    assert [one["id"] for one in floor.get("outbound", state="open", limit=1)["items"]] == ["o3"]
    floor.post("outbound/o2/close", reason="the customer takes what came")
    floor.post("outbound/o2/close", reason="again")
    floor.post("outbound/o2/cancel", 409, reason="no")
    floor.move("NUT-M8", 5, ("stage", "customer"))
    assert states(floor) == {"o1": "shipped", "o2": "closed", "o3": "partly_shipped"}, "what leaves later is of others"
    floor.move("NUT-M8", 5, ("customer", "stage"))
    floor.move("NUT-M8", 2, ("customer", "stage"))
    assert states(floor)["o3"] == "open", "it came back"
    floor.post("outbound/o3/cancel", reason="late")
    assert states(floor)["o3"] == "cancelled"


def cogs(floor: Floor) -> list[tuple[Any, ...]]:
    floor.yard.clock.now += DAY
    Valuer(floor.yard.book, floor.yard.clock).settle_all()
    now = datetime.fromtimestamp(floor.yard.clock.now / 1_000_000, UTC)
    made = floor.get("reports/cogs", sku="NUT-M8", **{"from": "2026-11-01T00:00:00Z", "to": now.isoformat()})
    names = [column["name"] for column in made["columns"]]
    return [tuple(dict(zip(names, row, strict=True))[name] for name in ("quantity", "revenue")) for row in made["rows"]]


def test_what_was_sold_for_the_price_of_its_line_earned_that(floor: Floor) -> None:
    floor.declare("items", "NUT-M8", Item("Bolt", price=Decimal(20)))
    floor.move("NUT-M8", 100, ("supplier", "stage"))
    order(floor, "o1", "10", "15")
    order(floor, "o1", "10", "15", 200)
    order(floor, "o1", "10", "16", 409)
    order(floor, "o2", "10")
    assert floor.get("outbound/o1")["lines"][0]["price"] == "15"
    floor.move("NUT-M8", 12, ("stage", "customer"))
    assert cogs(floor) == [("12", "190.00")], "10 x 15 + 2 x 20"
    floor.move("NUT-M8", 1, ("stage", "customer"))
    floor.move("NUT-M8", 3, ("customer", "stage"))
    assert cogs(floor) == [("10", "150.00")], "three of those for 20 came back"


def test_items_that_a_count_names_no_class_of_have_the_measured_one(floor: Floor) -> None:
    """Of what was used in a year, bolts are worth most; what was never used has none."""
    for sku, price in (("NUT-M8", 10), ("MASK-3", 1)):
        floor.declare("items", sku, Item(sku, supplies=[Supply("PUMPWORKS", price=Decimal(price))]))
        floor.move(sku, 200, ("supplier", "bin-1"))
        floor.move(sku, 100, ("bin-1", "customer"))
    floor.move("TAPE-48", 10, ("supplier", "bin-1"))
    asked: dict[str, Any] = {"locations": ["bin-1"], "by": "ann", "classes": {"MASK-3": "B"}}
    floor.put("counts/c1", **asked)
    floor.move("MASK-3", 50, ("bin-1", "customer"))
    assert floor.put("counts/c1", 200, **asked)["outcome"] == "same"
    floor.put("counts/c1", 409, **asked | {"classes": {"MASK-3": "B", "NUT-M8": "C"}})
    assert [row["classes"] for row in floor.yard.rows(stock_count)] == ['{"MASK-3": "B", "NUT-M8": "A"}']
