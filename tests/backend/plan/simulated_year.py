"""A year of a warehouse by the planner's own proposals: customers' orders of unequal sizes, suppliers of uneven speed.

A seed gives one world. The planner is told nothing of it: demand and lead times are measured from a history of ledger
and purchase orders. Then day after day orders are issued as far as there is stock and reserved for the rest, the
planner looks after each movement, what it proposes is approved and comes when its lead time has passed. Events of
different items are taken together, those of one never: so each is looked at before its next one.
"""

import math
import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from backend.api.approval import decide
from backend.book import ledger, purchases, register, reservations, schema
from backend.book.db import read, write
from backend.book.migrations import migrate
from backend.book.purchases import Order, OrderLine
from backend.plan.items import REORDER
from backend.planner import Planner
from models.declared import Item, Location, Supplier
from models.declared_reorder import ReorderPolicy
from models.declared_stock import Supply
from models.stock.ledger import Movement
from models.stock.reservation import Reservation
from tests.backend.books import open_quick

DAY = 86_400_000_000
START = 20_000 * DAY
HISTORY_DAYS, WARM_UP_DAYS = 365, 90
HOLDING_RATE = 0.2
A_BATCH = 4000


@dataclass
class Sku:
    """What the world knows of an item, and how it went."""

    name: str
    supplier: str
    a_day: float
    lead: tuple[float, float]
    """Mean and coefficient of variation of the supplier's lead time, days."""
    size: float
    law: str
    cost: Decimal
    order_cost: Decimal
    rng: random.Random
    on_hand: int = 0
    waiting: deque[tuple[str, int]] = field(default_factory=deque[tuple[str, int]])
    events: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """(at, quantity) of the day: orders below 0, receipts above."""
    is_short: bool = False
    cycles: int = 0
    served_cycles: int = 0
    asked: int = 0
    served: int = 0
    area: float = 0.0
    """Units x days."""
    last: int = 0

    @property
    def lead_time_demand(self) -> float:
        return self.a_day * self.lead[0]

    @property
    def quantity(self) -> int:
        """What a person would order: the economic quantity."""
        best = math.sqrt(2 * float(self.order_cost) * self.a_day * 365 / (HOLDING_RATE * float(self.cost)))
        return max(1, math.ceil(best))

    def orders(self, since: int, days: int) -> Iterator[tuple[int, int]]:
        """Customers' orders of some days: a Poisson process of sizes by the item's law."""
        at = 0.0
        while (at := at + self.rng.expovariate(self.a_day / self.size)) < days:
            yield since + int(at * DAY), self._size()

    def _size(self) -> int:
        if self.size <= 1:
            return 1
        if self.law == "geometric":
            return 1 + int(math.log(1 - self.rng.random()) / math.log(1 - 1 / self.size))
        return self.rng.randint(1, round(2 * self.size - 1))

    def lead_us(self) -> int:
        """At least a day."""
        mean, cv = self.lead
        return int(max(1.0, self.rng.gammavariate(1 / cv**2, mean * cv**2)) * DAY)


def world(seed: int, count: int) -> list[Sku]:
    """Items whose lead-time demand is between 0.5 and 400 units, from one supplier for 25 of them."""
    rng = random.Random(seed)
    suppliers = [(f"S{n}", (rng.uniform(4, 25), rng.uniform(0.1, 0.4))) for n in range(max(2, count // 25))]
    found: list[Sku] = []
    for n in range(count):
        supplier, lead = suppliers[n % len(suppliers)]
        a_day = math.exp(rng.uniform(math.log(0.5), math.log(400))) / lead[0]
        size = max(rng.choice([1.0, 1.0, 2.0, 4.0, 8.0, 15.0]), a_day / 2)
        money = Decimal(rng.randint(2, 60)), Decimal(rng.randint(10, 60))
        law = rng.choice(["geometric", "uniform"])
        found.append(Sku(f"SKU-{n:03d}", supplier, a_day, lead, size, law, *money, random.Random(f"{seed}/{n}")))
    return found


class Year:
    """One world, one book, one policy."""

    def __init__(self, file: Path, skus: list[Sku], formula: str) -> None:
        self.skus = {sku.name: sku for sku in skus}
        self.now, self.n, self.measured_from = START, 0, START
        self.book: Engine = open_quick(file)
        migrate(self.book)
        self.planner = Planner(self.book, lambda: self.now, [REORDER])
        self.touched: dict[str, int] = {}
        self.arrivals: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
        self.approved = 0
        self._declare(formula)
        self._history()

    def _declare(self, formula: str) -> None:
        with write(self.book) as tx:

            def put(kind: str, ident: str, body: object) -> None:
                register.put(tx, kind, ident, body, valid_from=START, actor="test", now=START)  # type: ignore[arg-type]

            put("locations", "supplier", Location("Suppliers", kind="supplier"))
            put("locations", "customer", Location("Customers", kind="customer"))
            put("locations", "warehouse", Location("Warehouse", kind="site"))
            for name in sorted({sku.supplier for sku in self.skus.values()}):
                put("suppliers", name, Supplier(name))
            for name, sku in self.skus.items():
                supply = Supply(sku.supplier, price=sku.cost)
                put(
                    "items",
                    name,
                    Item(name, whole=True, supplier=sku.supplier, supplies=[supply], **_how(sku, formula)),
                )

    def _history(self) -> None:
        """A year in which people ordered whenever an economic quantity was used up."""
        moves: list[Movement] = []
        orders: list[Order] = []
        for sku in self.skus.values():
            used, total = 0, 0
            for at, size in [*sku.orders(START, HISTORY_DAYS)]:
                moves.append(self._moved(sku.name, at, size, "warehouse", "customer"))
                used, total = used + size, total + size
                if used >= sku.quantity and (came := at + sku.lead_us()) < START + HISTORY_DAYS * DAY:
                    line = OrderLine(sku=sku.name, quantity=Decimal(used))
                    orders.append(Order(id=f"H-{len(orders)}", supplier=sku.supplier, ordered_at=at, lines=[line]))
                    moves.append(self._moved(sku.name, came, used, "supplier", "warehouse"))
                    total, used = total - used, 0
            sku.on_hand = math.ceil(1.5 * sku.lead_time_demand) + sku.quantity
            opening = sku.on_hand + total
            ends = ("adjustment", "warehouse") if opening > 0 else ("warehouse", "adjustment")
            if opening:
                moves.append(self._moved(sku.name, START, abs(opening), *ends))
        moves.sort(key=lambda each: each.at)
        for low in range(0, len(moves), A_BATCH):
            with write(self.book) as tx:
                ledger.post(tx, moves[low : low + A_BATCH], (), "test", START)
        with write(self.book) as tx:
            for order in orders:
                purchases.put(tx, order, "test", order.ordered_at)
        self.now = START + HISTORY_DAYS * DAY

    def run(self, days: int, warm_up: int = WARM_UP_DAYS) -> None:
        """Warm up, and then the days that count."""
        self.measured_from = self.now + warm_up * DAY
        for _ in range(warm_up + days):
            self._day()
        for sku in self.skus.values():
            self._hold(sku, self.now)

    def _day(self) -> None:
        begin = self.now
        for name, sku in self.skus.items():
            came = [(at, quantity) for of, at, quantity in self.arrivals[begin // DAY] if of == name]
            sku.events = sorted([*came, *((at, -size) for at, size in sku.orders(begin, 1))])
        for turn in range(max(len(sku.events) for sku in self.skus.values())):
            events = [(sku, *sku.events[turn]) for sku in self.skus.values() if turn < len(sku.events)]
            with write(self.book) as tx:
                self._take(tx, events)
            self.now = max(self.now, *(at for _, at, _ in events))
            self._plan()
        self.arrivals.pop(begin // DAY, None)
        self.now = begin + DAY

    def _take(self, tx: Connection, events: list[tuple[Sku, int, int]]) -> None:
        moves: list[Movement] = []
        for sku, at, quantity in events:
            self.touched[sku.name] = at
            self._hold(sku, at)
            if quantity > 0:
                moves.append(self._moved(sku.name, at, quantity, "supplier", "warehouse"))
                moves += self._arrive(tx, sku, at, quantity)
            else:
                moves += self._ask(tx, sku, at, -quantity)
        ledger.post(tx, moves, (), "test", self.now)

    def _arrive(self, tx: Connection, sku: Sku, at: int, quantity: int) -> list[Movement]:
        """A cycle ends; who waits is served first."""
        if at >= self.measured_from:
            sku.cycles += 1
            sku.served_cycles += not sku.is_short
        sku.on_hand += quantity
        moves: list[Movement] = []
        while sku.waiting and sku.on_hand:
            ident, wanted = sku.waiting.popleft()
            given = min(wanted, sku.on_hand)
            sku.on_hand -= given
            reservations.fulfil(tx, ident, Decimal(given), "test", self.now)
            moves.append(self._moved(sku.name, at, given, "warehouse", "customer"))
            if given < wanted:
                sku.waiting.appendleft((ident, wanted - given))
        sku.is_short = bool(sku.waiting)
        return moves

    def _ask(self, tx: Connection, sku: Sku, at: int, wanted: int) -> list[Movement]:
        given = min(wanted, sku.on_hand)
        if at >= self.measured_from:
            sku.asked, sku.served = sku.asked + wanted, sku.served + given
        sku.on_hand -= given
        if given < wanted:
            sku.is_short = True
            self.n += 1
            ident = f"order-{self.n}"
            terms = {"purpose": "order", "reference": ident, "need_at": at}
            rest = Reservation(id=ident, sku=sku.name, quantity=Decimal(wanted - given), **terms)  # type: ignore[arg-type]
            reservations.reserve(tx, rest, "test", self.now)
            sku.waiting.append((ident, wanted - given))
        return [self._moved(sku.name, at, given, "warehouse", "customer")] if given else []

    def _plan(self) -> None:
        """The planner looks; what it proposes is ordered at the moment of the event that it looked at."""
        while self.planner.step():
            pass
        with read(self.book) as tx:
            table = schema.proposal
            found = tx.execute(select(table.c.id, table.c.sku, table.c.quantity).where(table.c.state == "open")).all()
        if not found:
            return
        with write(self.book) as tx:
            for ident, name, quantity in found:
                at = self.touched.get(name, self.now)
                decide(tx, ident, "approved", ("test", None, at))
                due = at + self.skus[name].lead_us()
                self.arrivals[due // DAY].append((name, due, int(quantity)))
                self.approved += 1

    def _hold(self, sku: Sku, at: int) -> None:
        since = max(sku.last, self.measured_from)
        sku.area += sku.on_hand * max(0, at - since) / DAY
        sku.last = at

    def _moved(self, sku: str, at: int, quantity: int, source: str, target: str) -> Movement:
        self.n += 1
        what = {"sku": sku, "quantity": Decimal(quantity), "reason": "simulated", "evidence": ["test:year"]}
        return Movement(id=f"m{self.n}", at=at, source=source, target=target, **what)  # type: ignore[arg-type]


def _how(sku: Sku, formula: str) -> dict[str, object]:
    """By hand: one and a half times what is used while an order is on its way, and the economic quantity above it."""
    if formula == "by hand":
        least = math.ceil(1.5 * sku.lead_time_demand)
        return {"reorder_min": Decimal(least), "reorder_max": Decimal(least + sku.quantity)}
    terms = {"formula": formula, "order_cost": sku.order_cost, "holding_rate": Decimal(str(HOLDING_RATE))}
    return {"reorder": ReorderPolicy(**terms)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class Score:
    """What a group of items reached."""

    cycles: int
    service: float
    margin: float
    """Half of the 95 % confidence interval; items are drawn, not cycles."""
    fill: float
    holding: float
    """What their stock would cost in a year, in money."""


def score(skus: list[Sku], days: int) -> Score:
    """Over items: cycles served of all, units served of all."""
    cycles, served = sum(sku.cycles for sku in skus), sum(sku.served_cycles for sku in skus)
    share = served / max(1, cycles)
    squares = sum((sku.served_cycles - share * sku.cycles) ** 2 for sku in skus)
    margin = 1.96 * math.sqrt(squares * len(skus) / max(1, len(skus) - 1)) / max(1, cycles)
    fill = sum(sku.served for sku in skus) / max(1, sum(sku.asked for sku in skus))
    holding = sum(sku.area / days * float(sku.cost) * HOLDING_RATE for sku in skus)
    return Score(cycles, share, margin, fill, holding)
