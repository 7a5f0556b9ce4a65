"""Work orders in the book: parts and stock never disagree, and what follows from an order's end follows at once."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from backend.book import alerts, meter_notes, register, reservations, schema, work_life, work_lines, work_orders
from backend.book.db import read, write
from backend.book.schema import movement
from backend.book.schema_use import downtime
from backend.book.schema_work import work_move, work_order, work_step
from backend.book.work_lines import Spent
from backend.planner import Planner
from models.alert import Alert
from models.declared import Plan
from models.declared_plans import Package
from models.errors import Clash, NotFound, Refused
from models.maintenance.work_order import WorkOrder
from models.maintenance.work_task import Task
from models.reading import from_micros
from models.stock.reservation import Reservation
from tests.backend.books import Template
from tests.backend.value_book import moved, when
from tests.backend.workshop import FILTER, GREASE, INSPECTION, NOW, OIL, TRUCK, Workshop

D = Decimal


@pytest.fixture
def shop(tmp_path: Path, template: Template) -> Iterator[Workshop]:
    shop = Workshop.opened(template, tmp_path, NOW)
    shop.stock()
    yield shop
    shop.book.dispose()


def test_an_order_from_request_to_closed_with_all_that_it_costs(shop: Workshop) -> None:
    tasks = [Task(text="Noise gone", required=True), Task(text="Oil pressure", kind="value", least=D(3), unit="bar")]
    assert shop.make(approved=False, failed_at=when("05-31"), tasks=tasks) == "created"
    assert shop.make(approved=False, failed_at=when("05-31"), tasks=tasks) == "same"
    with pytest.raises(Clash, match="other content"):
        shop.make(title="Another")
    with pytest.raises(Clash, match="start: a work order that is approved or planned expected, it is request"):
        shop.take("W1", "start")
    shop.take("W1", "approve", "approve")
    shop.part("W1", "p1", "2")
    shop.part("W1", "p2", "3", sku=None, what="Rags", price=D("0.333"))
    assert shop.promised() == 0, "an order that is not planned promises nothing"
    shop.plan("W1", assignee="bob")
    assert shop.promised() == 2
    shop.take("W1", "start", "start")
    shop.do(
        lambda at: work_lines.spend(
            at, "W1", Spent(id="h", kind="labour", what="bob", at=1, hours=D("1.5"), rate=D(40))
        )
    )
    shop.do(lambda at: work_lines.spend(at, "W1", Spent(id="x", kind="other", what="crane", at=1, amount=D("99.995"))))
    with pytest.raises(Refused, match=r"tasks: answers expected before it is done: 1 'Noise gone'"):
        shop.complete("W1")
    shop.do(lambda at: work_lines.answer(at, "W1", 1, "ok", None))
    shop.do(lambda at: work_lines.answer(at, "W1", 2, "2.9", None))
    shop.complete("W1", codes={"cause": "upkeep", "remedy": "replaced"})
    shop.complete("W1")
    costs = json.loads(shop.order().costs)
    assert costs == {"labour": "60.00", "parts": "26.00", "other": "100.00", "total": "186.00", "uncosted": 0}
    assert (shop.held(), shop.promised(), shop.issued()) == ({"": "3"}, 0, {"p1": "2", "p2": "3"})
    assert shop.services() == [("gearbox", True)]
    shop.take("W1", "close")
    with pytest.raises(Clash, match="reopen: a work order that is done expected, it is closed"):
        shop.reopen("W1")
    sums = shop.sums("2026-06", FILTER)
    assert sums["work order"] == "25", "the valuer comes to what the order has as its cost of parts"


def test_too_little_stock_leaves_everything_as_it_was(shop: Workshop) -> None:
    shop.make()
    shop.part("W1", "p1", "5")
    shop.part("W1", "p2", "3", GREASE)
    shop.take("W1", "start")
    shop.do(lambda at: work_life.stand_still(at, "W1", when("05-31"), planned=False, reason="gearbox"))
    before = (shop.held(), shop.held(GREASE), shop.promised(), len(shop.rows(work_move)), len(shop.rows(work_step)))
    with pytest.raises(Refused, match="at most the 5 that are available"):
        shop.complete("W1", used={"p1": D(6)})
    with pytest.raises(Refused, match="component: what was repaired expected, or the remedy no_fault"):
        shop.complete("W1", component=None)
    with pytest.raises(Refused, match=r"cause: one of .*, got 'replaced'"):
        shop.complete("W1", codes={"cause": "replaced"})
    with pytest.raises(NotFound, match="parts: parts of the work order expected, got 'p3'"):
        shop.complete("W1", used={"p3": D(1)})
    after = (shop.held(), shop.held(GREASE), shop.promised(), len(shop.rows(work_move)), len(shop.rows(work_step)))
    assert (after, shop.services(), shop.rows(downtime)[0]["end_at"]) == (before, [], None)
    shop.complete("W1", used={"p1": D(4)})
    assert (shop.held(), shop.held(GREASE)) == ({"": "1"}, {"A": "0", "B": "1"}), "what expires first, lot by lot"
    assert (shop.promised(), shop.promised(GREASE)) == (0, 0), "what was not used is released"
    assert shop.rows(downtime)[0]["end_at"] == shop.clock.now


def test_what_is_promised_to_others_is_not_taken(shop: Workshop) -> None:
    other = Reservation(
        id="r", sku=FILTER, quantity=D(4), location="desk", purpose="order", reference="O", need_at=shop.clock.now
    )
    shop.do(lambda at: reservations.reserve(at.tx, other, *at.stamp))
    shop.make()
    shop.part("W1", "p1", "2", location="desk")
    shop.plan("W1")
    assert shop.promised() == 6, "a demand may be more than there is: so it is ordered"
    shop.take("W1", "start")
    with pytest.raises(Refused, match="at most the 1 that are available"):
        shop.complete("W1")
    shop.declare(since="05-04", sku=FILTER, price="12.50", purpose="spare", negative="allow")
    shop.complete("W1", used={"p1": D(7)})
    assert (shop.held(), shop.issued()) == ({"": "-2"}, {"p1": "7"}), "where the item says that this is allowed"


def test_opened_again_it_is_as_before_by_further_entries(shop: Workshop) -> None:
    shop.make(plan=OIL, kind="preventive")
    shop.part("W1", "p1", "3")
    shop.part("W1", "p2", "1", GREASE, location="desk", lot="B")
    shop.take("W1", "start")
    shop.issue("W1", "p1", "2")
    shop.issue("W1", "p1", "1")
    shop.give_back("W1", "p1", "1")
    shop.complete("W1", component=None, used={"p1": D(1)})
    assert (shop.held(), shop.held(GREASE)) == ({"": "4"}, {"A": "2", "B": "1"})
    assert sorted(each[2] for each in shop.net()) == [-1, -1, 1, 1, 2]
    entries = len(shop.rows(movement))
    shop.reopen("W1")
    shop.reopen("W1")
    assert (shop.held(), shop.held(GREASE)) == ({"": "3"}, {"A": "2", "B": "2"}), "what was handed out before stays out"
    assert (shop.issued(), shop.promised(), shop.promised(GREASE)) == ({"p1": "2", "p2": "0"}, 1, 1)
    assert (shop.services(), shop.order().costs, shop.order().done_at) == ([(OIL, False)], None, None)
    assert len(shop.rows(movement)) == entries + 2
    shop.complete("W1", component=None, used={"p1": D(3)})
    assert (shop.held(), shop.held(GREASE), shop.issued()) == ({"": "2"}, {"A": "2", "B": "1"}, {"p1": "3", "p2": "1"})
    assert shop.services() == [(OIL, False), (OIL, True)]
    assert json.loads(shop.order().costs)["parts"] == "41.50"
    shop.reopen("W1")
    shop.make("W2", plan=INSPECTION)
    with pytest.raises(Clash, match="TRUCK-1/oil has W1"):
        shop.make("W3", plan=OIL)


def test_it_is_not_opened_again_where_what_came_back_is_gone(shop: Workshop) -> None:
    shop.make()
    shop.part("W1", "p1", "3")
    shop.take("W1", "start")
    shop.issue("W1", "p1", "3")
    shop.complete("W1", used={"p1": D(1)})
    assert (shop.held(), shop.issued()) == ({"": "4"}, {"p1": "1"})
    shop.post(moved("gone", "06-01", 4, "desk>customer", sku=FILTER))
    steps = len(shop.rows(work_step))
    with pytest.raises(Refused, match="at most the 0 of FILTER that the book has at desk expected, got 2"):
        shop.reopen("W1")
    assert (shop.order().state, shop.issued(), len(shop.rows(work_step))) == ("done", {"p1": "1"}, steps)


def test_what_was_issued_last_comes_back_first_each_to_its_lot(shop: Workshop) -> None:
    shop.make()
    shop.part("W1", "p1", "3", GREASE)
    shop.take("W1", "start")
    shop.issue("W1", "p1", "3")
    assert shop.held(GREASE) == {"A": "0", "B": "1"}
    for held in ({"A": "0", "B": "2"}, {"A": "1", "B": "2"}):
        shop.give_back("W1", "p1", "1")
        assert shop.held(GREASE) == held
    with pytest.raises(Refused, match="at most the 1 that were issued"):
        shop.give_back("W1", "p1", "2")


def test_a_plan_has_one_open_order_that_lists_what_was_missed(shop: Workshop) -> None:
    def due(occurrence: int, *covers: int) -> str | None:
        return shop.do(lambda at: work_orders.open_for_plan(at.tx, at.register, TRUCK, OIL, occurrence, covers, at.now))

    first = due(1)
    assert due(1, 1, 2, 3) == first
    assert json.loads(shop.order(str(first)).covers) == [1, 2, 3]
    shop.take(str(first), "cancel", why="not needed")
    assert due(1, 1, 2, 3) is None, "who cancelled it does not want it again"
    second = due(2)
    shop.take(str(second), "start")
    shop.complete(str(second), component=None)
    third = due(3)
    assert third not in {None, first, second}
    with pytest.raises(Clash, match=f"has {third}"):
        shop.reopen(str(second))
    assert shop.do(lambda at: work_orders.open_by_plan(at.tx, [TRUCK])) == {(TRUCK, OIL): third}


def test_an_alert_has_one_order_and_is_over_with_it_if_its_rule_says_so(shop: Workshop) -> None:
    told = {
        "zone_alert": Alert("zone_alert", "z", "critical", "Truck is out", json.dumps({"asset": TRUCK})),
        "service_due": Alert(
            "service_due",
            "s",
            "warning",
            "Oil is due",
            json.dumps({"asset": TRUCK, "plan": OIL, "occurrence": 4, "covers": [4, 5]}),
        ),
        "odometer_drift": Alert("odometer_drift", f"asset:{TRUCK}/odometer", "warning", "Odometers differ", "{}"),
        "unknown_tag": Alert("unknown_tag", "tag:ab", "warning", "Unknown", "{}"),
    }
    for each in told.values():
        shop.do(lambda at, each=each: alerts.raise_alert(at.tx, each, at.now, "rule"))
    ids = {row["rule"]: row["id"] for row in shop.rows(schema.alert)}
    asked = WorkOrder(id="", kind="corrective", asset="", title="", priority="urgent", component="mast")

    def order_of(rule: str) -> tuple[str, bool]:
        made: tuple[str, bool] = shop.do(lambda at: work_orders.from_alert(at, ids[rule], asked))
        return made

    with pytest.raises(Refused, match="asset: expected, as the alert says of none"):
        order_of("unknown_tag")
    by_hand = shop.do(lambda at: work_orders.open_for_plan(at.tx, at.register, TRUCK, OIL, 4, (), at.now))
    made = {rule: order_of(rule) for rule in ("zone_alert", "service_due", "odometer_drift")}
    assert made["service_due"] == (by_hand, True)
    assert {rule: order_of(rule) for rule in made} == {rule: (ident, False) for rule, (ident, _) in made.items()}
    for ident, _ in made.values():
        shop.take(ident, "start")
        shop.complete(ident, component=None)
    states = {row["rule"]: row["state"] for row in shop.rows(schema.alert)}
    assert states == {"zone_alert": "closed", "service_due": "closed", "odometer_drift": "open", "unknown_tag": "open"}
    row = shop.order(made["zone_alert"][0])
    assert (row.title, row.priority, row.component, row.kind) == ("Truck is out", "urgent", "mast", "corrective")
    assert (OIL, True) in shop.services()


def test_what_is_not_right_becomes_one_request(shop: Workshop) -> None:
    tasks = [Task(text="Brakes", required=True), Task(text="Cold start", kind="value", least=D(-10), most=D(5))]
    shop.make(kind="inspection", tasks=tasks, team="north")
    shop.take("W1", "start")
    for said in ("ok", "not_ok", "not_ok", "not_applicable"):
        shop.do(lambda at, said=said: work_lines.answer(at, "W1", 1, said, None))
    with pytest.raises(Refused, match="said: a number expected"):
        shop.do(lambda at: work_lines.answer(at, "W1", 2, "cold", None))
    for said in ("-10.5", "-11"):
        shop.do(lambda at, said=said: work_lines.answer(at, "W1", 2, said, None))
    found = {row["title"]: (row["state"], row["origin"], row["team"]) for row in shop.rows(work_order) if row["origin"]}
    assert found == {
        "Brakes: not_ok, ok expected": ("request", "W1", "north"),
        "Cold start: -10.5, -10 to 5 expected": ("request", "W1", "north"),
    }
    shop.complete("W1", component=None)
    with pytest.raises(Clash, match="answer: a work order that is in_progress or on_hold expected, it is done"):
        shop.do(lambda at: work_lines.answer(at, "W1", 1, "ok", None))


def test_a_reading_of_a_meter_is_noted_and_the_last_one_counts(shop: Workshop) -> None:
    shop.make(kind="inspection", tasks=[Task(text="Hours", kind="reading", meter="engine_hours", most=D(5000))])
    shop.take("W1", "start")
    for said in ("4810", "4811.5", "4811.5"):
        shop.do(lambda at, said=said: work_lines.answer(at, "W1", 1, said, None))
    with read(shop.book) as tx:
        (note,) = meter_notes.standing(tx, TRUCK, "engine_hours")
    assert (note.what, note.value, note.at) == ("reading", 17_321_400_000, shop.clock.now)


def test_a_plan_that_says_so_has_its_order_by_itself(shop: Workshop) -> None:
    begun = from_micros(when("03-01"))
    declared = {
        OIL: Plan(TRUCK, "Oil", every_days=30, starts_at=begun, auto_order=True, packages=[Package("Filters", 2)]),
        INSPECTION: Plan(TRUCK, "Inspection", every_days=30, starts_at=begun),
        "CRANE-1/oil": Plan("CRANE-1", "Not near", every_days=300, starts_at=begun, auto_order=True),
    }
    with write(shop.book) as tx:
        for ident, plan in declared.items():
            register.put(tx, "plans", ident, plan, valid_from=when("03-01"), actor="test", now=shop.clock.now)
    planner = Planner(shop.book, shop.clock)
    for _ in range(3):
        shop.clock.now += 60_000_000
        planner.step()
    (row,) = shop.rows(work_order)
    assert (row["plan"], row["state"], json.loads(row["covers"]), row["title"]) == (OIL, "approved", [1, 2, 3], "Oil")
    assert [task.text for task, _ in shop.do(lambda at: work_lines.tasks(at.tx, row["id"])).values()] == ["Filters"]


def test_an_order_is_cancelled_before_its_downtime_begins(shop: Workshop) -> None:
    shop.make()
    shop.do(lambda at: work_life.stand_still(at, "W1", when("06-03"), planned=True, reason="gearbox"))
    shop.take("W1", "cancel", why="not needed")
    (stop,) = shop.rows(downtime)
    assert (stop["end_at"], stop["withdrawn_why"]) == (None, "work order W1 was over before")


def test_a_cost_finer_than_a_cent_is_the_same_again(shop: Workshop) -> None:
    shop.make()
    shop.take("W1", "start")
    spent = Spent(id="c1", kind="other", what="hire", at=shop.clock.now, amount=D("10.125"))
    assert [shop.do(lambda at: work_lines.spend(at, "W1", spent)) for _ in range(2)] == ["created", "same"]
