"""What stock is worth in the book: in any order of arrival, over closed months, with costs that become known later."""

from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from backend import valuer
from backend.book import purchases, register
from backend.book.db import write
from backend.book.purchases import Order, OrderLine
from backend.book.schema_costs import value_month
from backend.valuer import pause_s
from backend.verify import verify
from models.declared import Desk, Device, Location
from models.errors import Clash
from models.months import BadPeriod, month_text
from tests.backend.books import Template
from tests.backend.value_book import SKU, Shop, moved, said, when

D = Decimal


@pytest.fixture
def shop(template: Template, tmp_path: Path) -> Shop:
    made = Shop.opened(template, tmp_path, "12-05")
    made.declare()
    return made


A = [
    moved("a1", "10-03", 100),
    moved("a2", "10-05", 100),
    moved("a3", "10-20", 120, "sold"),
    moved("a4", "11-02", 50),
    moved("a5", "11-10", 80, "sold"),
]


def prices(shop: Shop) -> None:
    for movement, amount in (("a1", "10"), ("a2", "12"), ("a4", "15")):
        shop.price(movement, amount)


def test_a_month_after_the_other(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    assert shop.sums("2026-10") == {"receipt": "2200", "sale": "1240"}
    assert shop.sums("2026-11") == {"receipt": "750", "sale": "960"}
    rows = shop.value()
    assert [(row["quantity"], row["value"]) for row in rows.values()] == [("80", "960"), ("50", "750")]
    assert not [finding for finding in verify(shop.book) if not finding.ok]


def test_what_holds_no_more_is_worth_nothing(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    shop.valuer.settle_all()
    shop.post(withdrawn=["a2"])
    shop.valuer.settle_all()
    assert shop.sums("2026-10") == {"receipt": "1000", "sale": "1200"}
    assert shop.sums("2026-11") == {"receipt": "750", "sale": "1200", "sale true-up": "100"}
    shop.post(A[1])
    assert shop.sums("2026-11") == {"receipt": "750", "sale": "960"}


def test_a_late_movement_of_a_closed_month_is_a_delta_in_the_open_one(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    assert shop.close("2026-10")
    assert not shop.close("2026-10")
    (closed,) = shop.posted()
    assert (closed.what, month_text(closed.period), said([closed])) == (
        "close",
        "2026-10",
        {"receipt": "2200", "sale": "1240"},
    )
    shop.post(moved("late", "10-04", 10))
    shop.price("late", "11")
    shop.valuer.settle_all()
    first, delta = shop.posted()
    assert first == closed, "what was posted never changes"
    assert (delta.what, month_text(delta.period), month_text(delta.origin)) == ("delta", "2026-11", "2026-10")
    assert sorted(delta.causes) == ["cost:price-late", "movement:late"]
    assert said([delta]) == {"receipt": "110", "sale": "-10"}
    assert shop.sums("2026-10") == {"receipt": "2310", "sale": "1230"}, "by event time, as is known now"
    assert said(shop.posted()) == shop.sums("2026-10")
    assert shop.close("2026-11")
    assert not [finding for finding in verify(shop.book) if not finding.ok]


def test_what_moves_nothing_between_closed_months_posts_nothing(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    shop.close("2026-11")
    before = shop.posted()
    shop.post(moved("inside", "10-06", 5, "desk>warehouse"))
    shop.declare("10-01", reorder_min=D(7))
    shop.valuer.settle_all()
    assert shop.posted() == before


def test_months_are_closed_in_order_when_they_are_over(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    with pytest.raises(BadPeriod, match="2026-12 is not"):
        shop.close("2026-12")
    assert shop.close("2026-11")
    assert [month_text(each.period) for each in shop.posted()] == ["2026-10", "2026-11"], "those before it too"
    assert not shop.close("2026-10")


def test_cents_are_carried(shop: Shop) -> None:
    """Three thirds of 0.01 more than 3 x 3.33: nothing is lost between closings."""
    shop.post(moved("r", "08-01", 3), *(moved(f"s{k}", f"{k:02}-09", 1, "sold") for k in (8, 9, 10)))
    shop.price("r", "1.115")
    for month in ("2026-08", "2026-09", "2026-10"):
        shop.close(month)
    lines = [{line.flow: line.amount for line in each.lines} for each in shop.posted()]
    assert [each["sale"] for each in lines] == [D("1.12"), D("1.11"), D("1.12")]
    assert [each["receipt"] for each in lines] == [D("3.35"), 0, 0]


def test_a_landed_cost_is_shared_by_what_holds(shop: Shop) -> None:
    shop.declare(sku="NUT-M8", price="1.50")
    shop.post(moved("r1", "10-01", 10), moved("r2", "10-02", 20, sku="NUT-M8"), moved("s1", "10-03", 5, "sold"))
    shop.price("r1", "3")
    shop.cost(id="freight", what="landed", amount=D(12), share="value", receipts=["r1", "r2"])
    assert shop.sums("2026-10") == {"landed": "6", "receipt": "30", "sale": "18"}
    assert shop.sums("2026-10", "NUT-M8") == {"landed": "6", "receipt": "30"}
    shop.price("r1", "9", "better", replaces="price-r1")
    assert shop.sums("2026-10", "NUT-M8") == {"landed": "3", "receipt": "30"}, "who shares it is valued anew"
    shop.post(withdrawn=["r2"])
    assert shop.sums("2026-10") == {"landed": "12", "receipt": "90", "sale": "51"}
    shop.cost(id="less", what="landed", amount=D(6), share="quantity", receipts=["r1"], replaces="freight")
    assert shop.sums("2026-10") == {"landed": "6", "receipt": "90", "sale": "48"}


def test_a_price_is_replaced_not_changed(shop: Shop) -> None:
    shop.post(A[0])
    assert [shop.price("a1", "10"), shop.price("a1", "10")] == ["created", "same"]
    with pytest.raises(Clash, match="other content"):
        shop.price("a1", "11")
    with pytest.raises(Clash, match="cost price-a1 prices it"):
        shop.price("a1", "11", "again")
    assert shop.price("a1", "11", "again", replaces="price-a1") == "created"
    with pytest.raises(Clash, match="replaced already"):
        shop.price("a1", "12", "third", replaces="price-a1")
    assert shop.sums("2026-10") == {"receipt": "1100"}


def test_which_price_holds(shop: Shop) -> None:
    """Its own, else declared of the lot, else of the item from then on, else the supplier's."""
    shop.post(moved("r1", "10-01", 1, lot="L1"), moved("r2", "10-02", 1, lot="L2"), moved("r3", "09-01", 1))
    assert shop.sums("2026-10") == {"receipt": "0"}
    assert shop.value()[f"{SKU} {2026 * 12 + 9}"]["uncosted"] == '["r1","r2"]'
    shop.declare("09-15", price="5")
    assert shop.sums("2026-10") == {"receipt": "10"}
    assert shop.sums("2026-09") == {"receipt": "0"}, "it was not so then"
    shop.cost(id="c1", what="price", amount=D(7), sku=SKU, since=moved("x", "10-01", 1).at)
    assert shop.sums("2026-10") == {"receipt": "14"}
    shop.cost(id="c2", what="price", amount=D(8), sku=SKU, lot="L2", since=moved("x", "09-01", 1).at)
    assert shop.sums("2026-10") == {"receipt": "15"}
    shop.price("r1", "1")
    assert shop.sums("2026-10") == {"receipt": "9"}


def test_another_method_holds_from_the_next_month_on(shop: Shop) -> None:
    shop.post(*A)
    prices(shop)
    shop.declare("10-10", costing="average")
    assert shop.sums("2026-10") == {"receipt": "2200", "sale": "1240"}
    assert shop.sums("2026-11") == {"receipt": "750", "sale": "1052.307692307692"}


def order(shop: Shop, ident: str, at: str, price: str) -> None:
    line = OrderLine(sku=SKU, quantity=D(10), price=D(price))
    with write(shop.book) as tx:
        purchases.put(tx, Order(id=ident, supplier=None, ordered_at=when(at), lines=[line]), "test", shop.clock.now)


def test_a_receipt_costs_what_its_order_line_says(shop: Shop) -> None:
    """Whichever is known first; what fills two lines costs their mean."""
    order(shop, "P1", "09-20", "7")
    shop.post(moved("r1", "10-02", 10))
    assert shop.sums("2026-10") == {"receipt": "70"}
    shop.post(moved("r2", "10-09", 5), moved("r3", "10-10", 5))
    assert shop.sums("2026-10") == {"receipt": "140"}, "what was not ordered costs what one last cost"
    order(shop, "P2", "10-05", "9")
    assert shop.sums("2026-10") == {"receipt": "160"}, "an order that is written down later"
    shop.post(moved("r0", "09-25", 4))
    assert shop.sums("2026-09") == {"receipt": "28"}
    assert shop.sums("2026-10") == {"receipt": "160"}, "six of the next fill the first order's rest, at its price"


def test_scanned_by_mistake_and_undone_goes_back_at_its_own_cost(shop: Shop) -> None:
    shop.post(*A, moved("undo", "10-06", 100, "returned", reason="scan undo"))
    prices(shop)
    assert shop.sums("2026-10") == {"receipt": "2200", "supplier return": "1200", "sale": "1240"}


def test_what_goes_back_later_does_not_change_what_its_receipt_cost(shop: Shop) -> None:
    with write(shop.book) as tx:
        lines = [OrderLine(sku=SKU, quantity=D(10), price=D(5))]
        order = Order(id="PO", supplier=None, ordered_at=when("09-01"), lines=lines)
        purchases.put(tx, order, "test", shop.clock.now)
    shop.post(moved("a1", "10-03", 10))
    assert shop.sums("2026-10") == {"receipt": "50"}
    shop.post(moved("b1", "11-03", 4, "returned"), moved("b2", "11-04", 6, "returned"))
    shop.post(moved("late", "10-02", 1, "sold"))
    assert shop.sums("2026-10") == {"receipt": "50", "sale": "0", "sale true-up": "5"}
    assert shop.sums("2026-11") == {"supplier return": "50"}
    assert not [finding for finding in verify(shop.book) if not finding.ok]


def test_what_is_no_receipt_takes_no_part_of_a_landed_cost(shop: Shop) -> None:
    shop.post(moved("a1", "10-03", 10), moved("t1", "10-04", 10, "desk>warehouse"))
    shop.price("a1", "5")
    shop.cost(id="freight", what="landed", amount=D(100), share="quantity", receipts=["a1", "t1"])
    assert shop.sums("2026-10") == {"landed": "100", "receipt": "50"}


def test_it_works_while_others_do_and_rests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [pause_s(busy) for busy in (0.0, 0.1, 10.0)] == [1.0, 5.0, 60.0]
    monkeypatch.setattr(valuer, "MOST_PAUSE_S", 0.05)
    stop = Event()
    worker = Thread(target=shop.valuer.run, args=(stop,))
    worker.start()
    shop.post(*A[:2])
    until = monotonic() + 20
    while len(shop.rows(value_month)) < 1 and monotonic() < until:
        stop.wait(0.02)
    stop.set()
    worker.join(10)
    assert not worker.is_alive()
    assert [row["quantity"] for row in shop.rows(value_month)] == ["200"]


def test_a_place_is_a_suppliers_since_a_desk_receives_from_it(shop: Shop) -> None:
    shop.declare(price="5")
    shop.post(moved("a1", "10-03", 10, "gate>desk"))
    desk = Device(name="hand-7", gateway="dock-a", desk=Desk("desk", "gate", "customer"))
    for kind, ident, body in (
        ("locations", "gate", Location("Gate", virtual=True)),
        ("devices", "dock-a/hand-7", desk),
    ):
        shop.valuer.settle_all()
        with write(shop.book) as tx:
            register.put(tx, kind, ident, body, valid_from=when("01-01"), actor="test", now=shop.clock.now)
    assert shop.sums("2026-10") == {"receipt": "50"}
    assert not [finding for finding in verify(shop.book) if not finding.ok]
