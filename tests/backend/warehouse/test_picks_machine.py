"""Orders, pick lists, picks, repeats and short bins in any order: nothing is picked unpromised, nothing is lost."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from backend.book import ledger, outbound, picks, register, reservations, tasks
from backend.book.db import read, write
from backend.book.schema import balance
from backend.book.schema_warehouse import warehouse_task
from backend.book.work_log import Stamp
from backend.registers import Registers
from backend.verify import verify
from models.declared import Location
from models.errors import Refused
from models.stock.ledger import Movement
from models.stock.picking import Given, Task
from tests.backend.books import DAY, Template, Yard

ON_BOTH = True
NOW = 1_795_424_400_000_000
BINS = ("desk", "shelf-a")
SKUS = ("BOLT-M8", "GLOVE-L")


class Floor(RuleBasedStateMachine):
    """Two bins, one stage, and who asks for what."""

    make: Callable[[], Yard]

    def __init__(self) -> None:
        super().__init__()
        self.yard = self.make()
        self.registers = Registers()
        self.orders: list[outbound.Order] = []
        self.done: list[tuple[str, Given]] = []
        self.received = dict.fromkeys(SKUS, 0)
        self.count = 0
        with write(self.yard.book) as tx:
            body = Location("Stage", site="yard-1")
            register.put(tx, "locations", "stage", body, valid_from=DAY, actor="test", now=DAY)

    def stamp(self) -> Stamp:
        self.yard.clock.now += 1
        return Stamp("ann", self.yard.clock.now)

    def tasks(self) -> list[Task]:
        with read(self.yard.book) as tx:
            rows = tx.execute(select(warehouse_task).order_by(warehouse_task.c.n)).all()
            return [tasks.of_row(row) for row in rows]

    def open(self) -> list[Task]:
        return [task for task in self.tasks() if task.left]

    @initialize()
    def begin_with_a_pick_list(self) -> None:
        for sku in SKUS:
            for place in BINS:
                self.receive(sku, place, 5)
        self.order([(SKUS[0], 8), (SKUS[1], 3)])
        with write(self.yard.book) as tx:
            assert picks.release(tx, self.registers.current(tx), "o0", "fefo", self.stamp()) == {}

    @rule(sku=st.sampled_from(SKUS), place=st.sampled_from(BINS), quantity=st.integers(1, 9))
    def receive(self, sku: str, place: str, quantity: int) -> None:
        stamp = self.stamp()
        moved = Movement(
            id=f"m{stamp.now}",
            at=stamp.now,
            sku=sku,
            quantity=Decimal(quantity),
            source="supplier",
            target=place,
            reason="test",
            evidence=[],
        )
        with write(self.yard.book) as tx:
            ledger.post(tx, [moved], (), *stamp)
        self.received[sku] += quantity

    @rule(lines=st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 8)), min_size=1, max_size=3))
    def order(self, lines: list[tuple[str, int]]) -> None:
        made = [outbound.OrderLine(line=n, sku=sku, quantity=Decimal(many)) for n, (sku, many) in enumerate(lines, 1)]
        wanted = outbound.Order(id=f"o{len(self.orders)}", stage="stage", due_at=NOW + DAY, lines=made)
        for _ in range(2):
            with write(self.yard.book) as tx:
                outbound.put(tx, self.registers.current(tx), wanted, self.stamp())
        self.orders.append(wanted)

    @precondition(lambda self: bool(self.orders))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        ident = data.draw(st.sampled_from([each.id for each in self.orders]))
        with write(self.yard.book) as tx:
            picks.release(tx, self.registers.current(tx), ident, "fefo", self.stamp())

    @rule(data=st.data(), wrong=st.sampled_from([None, None, None, "sku", "location"]))
    def pick(self, data: st.DataObject, wrong: str | None) -> None:
        waiting = self.open()
        if not waiting:
            return
        task = data.draw(st.sampled_from(waiting))
        quantity = data.draw(st.integers(1, int(task.left) + 1))
        stamp = self.stamp()
        self.count += 1
        fields = {"sku": task.sku, "location": task.source} | ({wrong: "stage"} if wrong else {})
        given = Given(id=f"c{self.count}", at=stamp.now, quantity=Decimal(quantity), **fields)
        if wrong is not None or quantity > task.left:
            with pytest.raises(Refused, match="expected"):
                self.confirm(task.id, given, stamp)
        else:
            assert self.confirm(task.id, given, stamp) == "created"
            self.done.append((task.id, given))

    def confirm(self, task: str, given: Given, stamp: Stamp) -> str:
        with write(self.yard.book) as tx:
            return tasks.confirm(tx, self.registers.current(tx), task, given, stamp)

    @precondition(lambda self: bool(self.done))
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        assert self.confirm(*data.draw(st.sampled_from(self.done)), self.stamp()) == "same"

    @rule(data=st.data(), what=st.sampled_from(["short", "cancel"]))
    def give_up(self, data: st.DataObject, what: str) -> None:
        waiting = self.open()
        if not waiting:
            return
        task = data.draw(st.sampled_from(waiting)).id
        for _ in range(2):
            with write(self.yard.book) as tx:
                if what == "short":
                    picks.short_pick(tx, self.registers.current(tx), task, "empty", self.stamp())
                else:
                    tasks.end(tx, task, "cancelled", "changed", self.stamp())

    @invariant()
    def nothing_is_lost_or_promised_twice(self) -> None:
        with read(self.yard.book) as tx:
            rows = tx.execute(select(balance).where(balance.c.sku.in_(SKUS))).all()
            promised = reservations.allocated(tx, SKUS)
            lines = [each for order in self.orders for each in outbound.progress(tx, order).values()]
        held = {(row.sku, row.location): Decimal(row.on_hand) for row in rows}
        found = self.tasks()
        for sku in SKUS:
            own = [task for task in found if task.sku == sku]
            assert held.get((sku, "stage"), 0) == sum(task.done for task in own)
            assert sum(held.get((sku, place), 0) for place in (*BINS, "stage")) == self.received[sku]
            for place in BINS:
                listed = sum(task.left for task in own if task.source == place)
                assert listed == promised.get((sku, place, None), 0) <= held.get((sku, place), 0)
        assert all(each.left >= 0 for each in lines)

    def teardown(self) -> None:
        assert not [f"{each.name}: {each.detail}" for each in verify(self.yard.book) if not each.ok]
        self.yard.book.dispose()


def test_picks_in_any_order(template: Template, store: str, tmp_path: Path) -> None:
    class OfStore(Floor):
        made_books = 0

        def make(self) -> Yard:  # type: ignore[override]
            OfStore.made_books += 1
            return Yard.copy(template, tmp_path / f"{OfStore.made_books}.db", NOW)

    run_state_machine_as_test(
        OfStore,
        settings=settings(
            max_examples=6 if store == "sqlite" else 2,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
