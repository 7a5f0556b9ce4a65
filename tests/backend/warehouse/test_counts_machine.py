"""Counts, movements and late entries in any order: at last the book is what was counted and what moved since.

Goods move between two bins and the world; some of it is told at once, some late, some never (a theft). Bins are
counted meanwhile, and counts are approved whenever. However that came, and as often as it was said, the book of each
bin is in the end what its last count found, and what was told to have moved after that.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from backend.book import count_decisions, counts, ledger
from backend.book.counts import Put
from backend.book.db import read, write
from backend.book.schema import balance
from backend.book.schema_warehouse import counted
from backend.book.work_log import Stamp
from backend.registers import Registers
from backend.verify import verify
from models.stock.count import Count, Counted, Key, adjustments
from models.stock.ledger import Movement
from tests.backend.books import Template, Yard

ON_BOTH = True
NOW = 1_795_424_400_000_000
BINS = ("desk", "shelf-a")
SKU = "BOLT-M8"


class Went(NamedTuple):
    """A physical move."""

    at: int
    source: str
    target: str
    quantity: int


class Warehouse(RuleBasedStateMachine):
    """What is there, what the book was told of it, and the counts."""

    make: Callable[[], Yard]

    def __init__(self) -> None:
        super().__init__()
        self.yard = self.make()
        self.registers = Registers()
        self.there = dict.fromkeys(BINS, 0)
        self.told: list[Went] = []
        self.late: list[Went] = []
        self.waiting: list[tuple[str, str, int, int]] = []
        self.settled: list[tuple[str, str, int, int]] = []
        self.moves = self.made = 0

    def tick(self) -> int:
        self.yard.clock.now += 1
        return self.yard.clock.now

    @rule(
        way=st.sampled_from([("supplier", "desk"), ("supplier", "shelf-a"), ("desk", "shelf-a"), ("desk", "customer")]),
        quantity=st.integers(1, 9),
        told=st.sampled_from(["now", "now", "late", "never"]),
    )
    def move(self, way: tuple[str, str], quantity: int, told: str) -> None:
        source, target = way
        quantity = min(quantity, self.there.get(source, quantity))
        if quantity:
            went = Went(self.tick(), source, target, quantity)
            for place, sign in ((source, -1), (target, 1)):
                if place in self.there:
                    self.there[place] += sign * quantity
            if told == "now":
                self.post(went)
            elif told == "late":
                self.late.append(went)

    def post(self, went: Went) -> None:
        wanted = Movement(
            id=f"m{went.at}",
            at=went.at,
            sku=SKU,
            quantity=Decimal(went.quantity),
            source=went.source,
            target=went.target,
            reason="test",
            evidence=[],
        )
        for _ in range(2):
            with write(self.yard.book) as tx:
                ledger.post(tx, [wanted], (), "test", self.tick())
        self.told.append(went)

    @precondition(lambda self: bool(self.late))
    @rule(data=st.data())
    def tell_late(self, data: st.DataObject) -> None:
        self.post(self.late.pop(data.draw(st.integers(0, len(self.late) - 1))))

    @rule(place=st.sampled_from(BINS))
    def count(self, place: str) -> None:
        if any(place == other for _, other, _, _ in self.waiting):
            return
        self.made += 1
        ident, now = f"c{self.made}", self.tick()
        put = Put(Decimal(self.there[place]), None, None, [])
        with write(self.yard.book) as tx:
            register = self.registers.current(tx)
            asked = Count(id=ident, skus=[SKU], locations=[place], at=now)
            assert [counts.open_count(tx, register, asked, Stamp("ann", now)) for _ in "ab"] == ["created", "same"]
            assert [counts.put_line(tx, ident, 1, put, Stamp("ann", now)) for _ in "ab"] == ["created", "same"]
        self.waiting.append((ident, place, now, self.there[place]))

    @precondition(lambda self: bool(self.waiting))
    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        made = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        ident, place, at, quantity = made
        with write(self.yard.book) as tx:
            for line in counts.lines(tx, ident):
                if line.state == "recount":
                    at = self.tick()
                    quantity = self.there[place]
                    count_decisions.recount(tx, ident, None, Stamp("bob", at))
                    counts.put_line(tx, ident, 1, Put(Decimal(quantity), at, None, []), Stamp("ann", at))
        with write(self.yard.book) as tx:
            stamp = Stamp("bob", self.tick())
            if counts.lines(tx, ident)[0].state == "recount":
                count_decisions.end(tx, ident, "cancelled", "untidy", stamp)
                return
            count_decisions.submit(tx, ident, None, stamp)
            for _ in range(2):
                count_decisions.approve(tx, ident, None, stamp)
        self.settled.append((ident, place, at, quantity))

    @invariant()
    def the_book_is_what_was_counted_and_moved_since(self) -> None:
        held = self.held()
        for place in BINS:
            counted_at, start = max(((at, q) for _, p, at, q in self.settled if p == place), default=(0, 0))
            since = [went for went in self.told if went.at > counted_at]
            assert held[place] == start + sum(
                went.quantity * ((went.target == place) - (went.source == place)) for went in since
            )

    def held(self) -> dict[str, int]:
        with read(self.yard.book) as tx:
            rows = tx.execute(select(balance).where(balance.c.sku == SKU, balance.c.location.in_(BINS)))
            return dict.fromkeys(BINS, 0) | {row.location: int(row.on_hand) for row in rows}

    def teardown(self) -> None:
        while self.late:
            self.post(self.late.pop())
        self.the_book_is_what_was_counted_and_moved_since()
        with read(self.yard.book) as tx:
            rows = tx.execute(select(counted)).all()
        for place in BINS:
            own = [Counted(r.id, Key(SKU, place), r.at, Decimal(r.quantity), []) for r in rows if r.location == place]
            moves = [(w.at, Decimal(w.quantity * ((w.target == place) - (w.source == place)))) for w in self.told]
            rule_says = adjustments(own, moves)
            assert {r.id: Decimal(r.adjustment) for r in rows if r.location == place} == rule_says
        assert not [each for each in verify(self.yard.book) if not each.ok]
        self.yard.book.dispose()


def test_counts_and_movements_in_any_order(template: Template, store: str, tmp_path: Path) -> None:
    class OfStore(Warehouse):
        made_books = 0

        def make(self) -> Yard:  # type: ignore[override]
            OfStore.made_books += 1
            return Yard.copy(template, tmp_path / f"{OfStore.made_books}.db", NOW)

    few = 8 if store == "sqlite" else 2
    run_state_machine_as_test(
        OfStore,
        settings=settings(
            max_examples=few, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
