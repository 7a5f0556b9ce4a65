"""Random work on work orders: steps, parts with too little stock, repeats, crashes before the commit, orders reopened.

After every step stock and orders agree: each move has its entry of the ledger and each entry its move, what is promised
is what planned orders still need, nothing is below zero, a plan has one open order. What is refused changes nothing.
STOCKYARD_RUNS=2000 tries a hundred such histories; without it six are tried.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from backend.book import reservations, work_issues, work_life, work_orders
from backend.book.db import read, write
from backend.book.schema import balance, movement, service_done
from backend.book.schema_work import work_order, work_part, work_step
from backend.book.work_life import Ended
from backend.book.work_steps import Bench
from backend.verify.folds import Seen
from backend.verify.lots import reservations_stepped
from backend.verify.work import lives_legal, one_open_order, parts_posted
from models.errors import Refused
from models.maintenance.work_order import OPEN, PROMISED, STEPS
from tests.backend.workshop import FILTER, GREASE, INSPECTION, NOW, OIL, TRUCK, Workshop

D = Decimal
RUNS = int(os.environ.get("STOCKYARD_RUNS", "120")) // 20
QUICK = 6
WHY = "because"
SIMPLE = sorted({*STEPS} - {"plan", "complete", "reopen"})


class KilledError(Exception):
    """The process died before the commit."""


def kill(dies: bool) -> None:  # noqa: FBT001
    if dies:
        raise KilledError


class Work(RuleBasedStateMachine):
    """One workshop."""

    make: Callable[[], Workshop]

    def __init__(self) -> None:
        super().__init__()
        self.shop = self.make()
        self.shop.stock(filters=4)
        self.count = 0

    def ids(self) -> list[str]:
        return [row["id"] for row in self.shop.rows(work_order)]

    def tried(self, work: Callable[[Bench], Any], *, dies: bool = False, again: bool = False) -> None:
        """Refused or done; what is refused, or dies before the commit, leaves the book as it was, as a repeat does."""
        before = self.seen()
        self.shop.clock.now += 1_000_000
        try:
            with write(self.shop.book) as tx:
                work(self.shop.bench(tx))
                kill(dies)
        except (Refused, KilledError):
            assert self.seen() == before
            return
        if again:
            after = self.seen()
            with suppress(Refused), write(self.shop.book) as tx:
                work(self.shop.bench(tx))
            assert self.seen() == after

    def seen(self) -> tuple[Any, ...]:
        """How much was ever written, and how things stand."""
        with read(self.shop.book) as tx:
            written = [tx.scalar(select(func.count()).select_from(t)) for t in (movement, work_step, service_done)]
            parts = [tuple(row) for row in tx.execute(select(work_part))]
            return (*written, parts, [tuple(row) for row in tx.execute(select(work_order))])

    @rule(plan=st.sampled_from([None, None, OIL, INSPECTION]))
    def ask(self, plan: str | None) -> None:
        self.count += 1
        fields = {"kind": "corrective" if plan is None else "preventive", "plan": plan, "component": "gearbox"}
        with suppress(Refused):
            self.shop.make(f"W{self.count}", approved=self.count % 3 > 0, **fields)

    @rule(occurrence=st.integers(1, 3), more=st.integers(0, 2))
    def due(self, occurrence: int, more: int) -> None:
        covers = range(occurrence, occurrence + more + 1)
        self.tried(
            lambda at: work_orders.open_for_plan(at.tx, at.register, TRUCK, OIL, occurrence, covers, at.now), again=True
        )

    @precondition(lambda self: bool(self.ids()))
    @rule(data=st.data(), what=st.sampled_from([*SIMPLE, "start", "start"]), again=st.booleans())
    def step(self, data: st.DataObject, what: Any, again: bool) -> None:  # noqa: FBT001
        ident = data.draw(st.sampled_from(self.ids()))
        self.tried(lambda at: work_life.take(at, ident, what, WHY), again=again)

    @precondition(lambda self: bool(self.ids()))
    @rule(data=st.data(), days=st.integers(0, 3))
    def planned(self, data: st.DataObject, days: int) -> None:
        ident = data.draw(st.sampled_from(self.ids()))
        values = {"planned_at": self.shop.clock.now + days * 86_400_000_000}
        self.tried(lambda at: work_life.plan(at, ident, values))

    @precondition(lambda self: bool(self.ids()))
    @rule(data=st.data(), sku=st.sampled_from([FILTER, GREASE, None]), quantity=st.integers(1, 3))
    def part(self, data: st.DataObject, sku: str | None, quantity: int) -> None:
        ident = data.draw(st.sampled_from(self.ids()))
        fields: dict[str, Any] = {} if sku else {"what": "rags", "price": D(2)}
        self.count += 1
        with suppress(Refused):
            self.shop.part(ident, f"p{self.count}", str(quantity), sku, **fields)

    def drawn(self, data: st.DataObject) -> tuple[str, str]:
        rows = self.shop.rows(work_part)
        row = data.draw(st.sampled_from(rows))
        return row["order_id"], row["id"]

    @precondition(lambda self: bool(self.shop.rows(work_part)))
    @rule(data=st.data(), quantity=st.integers(1, 4), back=st.booleans(), dies=st.booleans())
    def hand_out(self, data: st.DataObject, quantity: int, back: bool, dies: bool) -> None:  # noqa: FBT001
        ident, part = self.drawn(data)
        if back:
            self.tried(lambda at: work_issues.give_back(at, ident, part, D(quantity), (None, at.now)), dies=dies)
        else:
            self.tried(lambda at: work_issues.issue(at, ident, part, D(quantity), at.now), dies=dies)

    @precondition(lambda self: bool(self.ids()))
    @rule(data=st.data(), used=st.none() | st.integers(0, 3), dies=st.booleans())
    def complete(self, data: st.DataObject, used: int | None, dies: bool) -> None:  # noqa: FBT001
        ident = data.draw(st.sampled_from(self.ids()))
        parts = [row["id"] for row in self.shop.rows(work_part) if row["order_id"] == ident]
        given = {} if used is None else dict.fromkeys(parts, D(used))
        ended = Ended(at=self.shop.clock.now, used=given)
        self.tried(lambda at: work_life.complete(at, ident, ended), dies=dies, again=not dies)

    @precondition(lambda self: any(row["state"] == "done" for row in self.shop.rows(work_order)))
    @rule(data=st.data(), dies=st.booleans())
    def reopen(self, data: st.DataObject, dies: bool) -> None:  # noqa: FBT001
        done = [row["id"] for row in self.shop.rows(work_order) if row["state"] == "done"]
        ident = data.draw(st.sampled_from(done))
        self.tried(lambda at: work_life.reopen(at, ident, WHY), dies=dies, again=not dies)

    @invariant()
    def stock_and_orders_agree(self) -> None:
        with read(self.shop.book) as tx:
            for check in (parts_posted, one_open_order, lives_legal, reservations_stepped):
                assert check(Seen(tx))[1] == []
            orders = {row.id: row for row in tx.execute(select(work_order))}
            for row in tx.execute(select(work_part)):
                left = D(0) if row.reservation is None else reservations.one(tx, row.reservation).left
                needed = max(D(row.quantity) - D(row.issued), D(0)) if row.sku and not row.dropped else D(0)
                assert left == (needed if orders[row.order_id].state in PROMISED else 0), row
                assert D(row.issued) >= 0
            promised = reservations.allocated(tx, [FILTER, GREASE])
            assert all(location is None for _, location, _ in promised), "nothing stays promised by an issue"
            held = {(row.sku, row.location): D(row.on_hand) for row in tx.execute(select(balance))}
            assert all(v >= 0 for (_, place), v in held.items() if place == "desk")
            out = sum((v for (_, place), v in held.items() if place == "production"), D(0))
            assert out == sum((D(r.issued) for r in tx.execute(select(work_part)) if r.sku), D(0))
            services = {row.id for row in tx.execute(select(service_done)) if row.withdrawn_at is None}
            ended = {row.service for row in orders.values() if row.state not in {*OPEN, "rejected", "cancelled"}}
            assert services == ended, "what counts as done is what orders that are done were recorded as"

    def teardown(self) -> None:
        self.shop.book.dispose()


def test_random_work_leaves_stock_and_orders_agreeing(tmp_path: Path, file_template: Path) -> None:
    count = iter(range(10**6))

    class OnCopies(Work):
        make = staticmethod(lambda: Workshop.opened(file_template, tmp_path, NOW, f"{next(count)}"))

    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    phases = [Phase.generate] if RUNS <= QUICK else [Phase.generate, Phase.shrink]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        OnCopies,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=quiet,
            phases=phases,
            derandomize=RUNS <= QUICK,
        ),
    )
