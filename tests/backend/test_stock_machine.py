"""Receipts, issues, returns, transfers, counts, prices and what is taken back, known late and said twice, in any order.

After every step the balances are the replay of the ledger, its chain stands, and all places sum to nothing. At last the
same events come to a second book in another order, some of them again: the net ledger, the balances and the value of
the open months are the same. STOCKYARD_RUNS=2000 tries a hundred such histories; without it eight are tried.
"""

import os
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from backend.book import count_decisions, counts, entered, ledger
from backend.book.counts import Put
from backend.book.db import read, write
from backend.book.schema import balance
from backend.book.work_log import Stamp
from backend.registers import Registers
from backend.verify import verify
from models.errors import Refused
from models.stock.count import Count
from models.stock.ledger import Movement, balances, first_broken, lines, net, net_digest
from tests.backend.books import DAY, SECOND
from tests.backend.value_book import Shop

D = Decimal
RUNS = int(os.environ.get("STOCKYARD_RUNS", "160")) // 20
NOW = "12-05"
DAYS = 60
AGAIN = 0.25
COSTING = {"BOLT-M8": "fifo", "GLOVE-L": "average", "SEAL": "specific"}
STRICT = "SEAL"
"""People may not take more of it than there is."""
COUNTED = ("BOLT-M8", "GLOVE-L")
PLACES = ("desk", "shelf-a")
WAYS = [
    ("supplier", "desk"),
    ("supplier", "shelf-a"),
    ("desk", "customer"),
    ("shelf-a", "customer"),
    ("customer", "desk"),
    ("desk", "supplier"),
    ("desk", "shelf-a"),
    ("shelf-a", "desk"),
]
WHY = ("wrong one", "ben")


class Event(NamedTuple):
    """What happened: a reading's `move`, what a person `entered`, a `count`, a `price`, or that one is `gone` again."""

    what: str
    ident: str
    at: int
    body: Any


def tell(shop: Shop, registers: Registers, event: Event) -> None:
    """Let a book know of it."""
    now = shop.clock.now
    if event.what == "price":
        shop.price(event.ident, event.body)
        return
    with write(shop.book) as tx:
        known = registers.current(tx)
        if event.what == "move":
            ledger.post(tx, [event.body], (), "reader", now)
        elif event.what == "entered":
            entered.put(tx, known, event.body, "ann", now)
        elif event.what == "gone" and event.body == "move":
            ledger.post(tx, [], {event.ident}, "reader", now)
        elif event.what == "gone":
            entered.reverse(tx, known, event.ident, WHY, (now, 30))
        elif counts.state_of(tx, event.ident) is None:
            count(tx, known, event)


def count(tx: Any, known: Any, event: Event) -> None:
    """Count a place twice, as if out of tolerance, and let another approve it: as late as all others of it come."""
    sku, place, quantity = event.body
    counts.open_count(tx, known, Count(id=event.ident, skus=[sku], locations=[place], at=event.at), by("ann", event, 0))
    counts.put_line(tx, event.ident, 1, Put(quantity, None, None, []), by("ann", event, 0))
    count_decisions.recount(tx, event.ident, [1], by("bob", event, 1))
    counts.put_line(tx, event.ident, 1, Put(quantity, None, None, []), by("ann", event, 2))
    count_decisions.submit(tx, event.ident, None, by("bob", event, 3))
    count_decisions.approve(tx, event.ident, None, by("bob", event, 4))


def by(actor: str, event: Event, later: int) -> Stamp:
    return Stamp(actor, event.at + later)


class Stock(RuleBasedStateMachine):
    """One book, and what it was told."""

    make: Callable[[str], Shop]

    def __init__(self) -> None:
        super().__init__()
        self.shop = self.make("first")
        self.registers = Registers()
        self.told: list[Event] = []
        self.times: set[int] = set()

    def tell(self, event: Event) -> None:
        tell(self.shop, self.registers, event)
        self.told.append(event)

    def free(self, days: float) -> int:
        """A time so many days ago that nothing else has: two things at one place and moment have no order."""
        at = self.shop.clock.now - DAY - round(days * DAY)
        while at in self.times:
            at += SECOND
        self.times.add(at)
        return at

    def of(self, *kinds: str) -> list[Event]:
        gone = {event.ident for event in self.told if event.what == "gone"}
        return [event for event in self.told if event.what in kinds and event.ident not in gone]

    @rule(
        days=st.integers(0, DAYS * 24).map(lambda hours: hours / 24),
        way=st.sampled_from(WAYS),
        sku=st.sampled_from(sorted(COSTING)),
        quantity=st.sampled_from(["1", "2.5", "7", "40"]),
        what=st.sampled_from(["move", "move", "entered"]),
    )
    def move(self, days: float, way: tuple[str, str], sku: str, quantity: str, what: str) -> None:
        if what == "entered" and sku == STRICT:
            return
        ident, at = f"m{len(self.told)}", self.free(days)
        source, target = way
        lot = None if sku in COUNTED else f"L{at // SECOND % 2}"
        fields: dict[str, Any] = {"sku": sku, "lot": lot, "source": source, "target": target, "reason": what}
        self.tell(Event(what, ident, at, Movement(id=ident, at=at, quantity=D(quantity), evidence=[], **fields)))

    @rule(
        days=st.integers(0, DAYS * 24).map(lambda hours: hours / 24),
        sku=st.sampled_from(COUNTED),
        place=st.sampled_from(PLACES),
        quantity=st.integers(0, 50),
    )
    def count(self, days: float, sku: str, place: str, quantity: int) -> None:
        self.tell(Event("count", f"c{len(self.told)}", self.free(days), (sku, place, D(quantity))))

    @precondition(lambda self: bool(self.of("move", "entered")))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.of("move", "entered")))
        self.tell(Event("gone", event.ident, event.at, event.what))

    @precondition(lambda self: bool(self.receipts()))
    @rule(data=st.data(), amount=st.sampled_from(["1.10", "3", "0.07"]))
    def price(self, data: st.DataObject, amount: str) -> None:
        event = data.draw(st.sampled_from(self.receipts()))
        self.tell(Event("price", event.ident, event.at, amount))

    @rule()
    def value(self) -> None:
        self.shop.valuer.settle_all()

    def receipts(self) -> list[Event]:
        priced = {event.ident for event in self.told if event.what == "price"}
        known = self.of("move", "entered")
        return [event for event in known if event.body.source == "supplier" and event.ident not in priced]

    @precondition(lambda self: bool(self.told))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        before = self.held()
        tell(
            self.shop, self.registers, data.draw(st.sampled_from([e for e in self.told if is_repeatable(e, self.told)]))
        )
        assert self.held() == before

    @rule(place=st.sampled_from(PLACES), more=st.integers(1, 9), lot=st.sampled_from(["L0", "L1"]))
    def a_person_takes_no_more_than_there_is(self, place: str, more: int, lot: str) -> None:
        there = max(self.held().get((place, STRICT, lot), D(0)), D(0))
        fields: dict[str, Any] = {"sku": STRICT, "lot": lot, "source": place, "target": "customer", "reason": "no"}
        wanted = Movement(id="greedy", at=self.shop.clock.now, quantity=there + more, evidence=[], **fields)
        with pytest.raises(Refused, match="that the book has"), write(self.shop.book) as tx:
            entered.put(tx, self.registers.current(tx), wanted, "ann", self.shop.clock.now)

    def held(self) -> dict[tuple[str, str, str | None], Decimal]:
        with read(self.shop.book) as tx:
            rows = tx.execute(select(balance).order_by(balance.c.location, balance.c.sku, balance.c.lot))
            return {(r.location, r.sku, r.lot or None): D(r.on_hand) for r in rows if r.on_hand != "0"}

    @invariant()
    def the_book_is_whole(self) -> None:
        with read(self.shop.book) as tx:
            entries = [*ledger.entries_of(tx)]
        assert first_broken(entries) is None
        movements = [entry.movement for entry in entries]
        held = self.held()
        assert balances(movements) == held
        assert not any(sum((q for (_, each, _), q in held.items() if each == sku), D(0)) for sku in COSTING)
        stands = {each.id: each for each in net(movements) if each.reason != "count"}
        assert stands == {event.ident: event.body for event in self.of("move", "entered")}
        for sku in COUNTED:
            for place in PLACES:
                assert held.get((place, sku, None), D(0)) == self.says(sku, place)

    def says(self, sku: str, place: str) -> Decimal:
        """What is there by the last count and what moved since."""
        counted = [event for event in self.told if event.what == "count" and event.body[:2] == (sku, place)]
        last = max(counted, key=lambda event: event.at, default=None)
        since, found = (0, D(0)) if last is None else (last.at, last.body[2])
        moves = [event.body for event in self.of("move", "entered") if event.at > since]
        sides = [line for each in moves for line in lines(each)]
        return found + sum((line.quantity for line in sides if (line.sku, line.location) == (sku, place)), D(0))

    def teardown(self) -> None:
        second = self.make("second")
        registers = Registers()
        chance = random.Random(len(self.told))
        for event in shuffled(self.told, chance):
            tell(second, registers, event)
            if chance.random() < 0.1:
                second.valuer.step()
        assert facts(self.shop) == facts(second)
        for shop in (self.shop, second):
            assert not [each for each in verify(shop.book) if not each.ok]
            shop.book.dispose()


def is_repeatable(event: Event, told: list[Event]) -> bool:
    """A reading's movement that was taken back since would hold again: its fact would have come back."""
    return event.what != "move" or not any((e.what, e.ident) == ("gone", event.ident) for e in told)


def shuffled(told: list[Event], chance: random.Random) -> list[Event]:
    """Another order, with some of it twice; of one movement: itself, its price, that it is gone.

    What prices or takes back a movement that nobody knows, or that is gone, is refused: it cannot be known before.
    """
    known: dict[str, float] = {}
    arrivals: list[tuple[float, int, Event]] = []
    for n, event in sorted(enumerate(told), key=lambda each: each[1].what == "gone"):
        known[event.ident] = max(chance.random(), known.get(event.ident, 0.0))
        arrivals.append((known[event.ident], n, event))
    again = [each for each in arrivals if chance.random() < AGAIN and is_repeatable(each[2], told)]
    arrivals += [(chance.uniform(key, 2), n, event) for key, n, event in again]
    return [event for _, _, event in sorted(arrivals, key=lambda each: each[:2])]


def facts(shop: Shop) -> dict[str, Any]:
    """What must be equal: the net ledger, what is where, and what it is worth month by month."""
    with read(shop.book) as tx:
        movements = [entry.movement for entry in ledger.entries_of(tx)]
    return {"net": net_digest(movements), "balances": balances(movements), "value": shop.value()}


def declare(template: Path, folder: Path) -> None:
    """A book with the items, of which nothing is left to be valued."""
    shop = Shop.opened(template, folder, NOW, "declared")
    for sku, costing in COSTING.items():
        negative = "refuse" if sku == STRICT else "allow"
        shop.declare("01-01", sku, costing=costing, negative=negative, price="2")
    shop.valuer.settle_all()
    shop.book.dispose()


@pytest.mark.timeout(1800)
def test_stock_in_any_order(file_template: Path, tmp_path: Path) -> None:
    declare(file_template, tmp_path)

    class OfStore(Stock):
        books = 0

        def make(self, name: str) -> Shop:  # type: ignore[override]
            OfStore.books += 1
            return Shop.opened(tmp_path / "declared.db", tmp_path, NOW, f"{name}-{OfStore.books}")

    run_state_machine_as_test(
        OfStore,
        settings=settings(
            max_examples=max(RUNS, 2),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            phases=(Phase.generate,),
        ),
    )
