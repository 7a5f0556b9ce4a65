"""A shop with a workshop: parts in stock, machines with plans, and work orders on them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from backend.book import ledger, reservations, services, work_issues, work_life, work_orders, work_parts
from backend.book.db import read, repeated, write
from backend.book.schema import balance, service_done
from backend.book.schema_work import work_order, work_part
from backend.book.work_life import Ended
from backend.book.work_parts import Part
from backend.book.work_steps import Bench
from backend.registers import Registers
from models.maintenance.done import Done
from models.maintenance.work_order import WorkOrder
from models.stock.ledger import net
from tests.backend.value_book import Shop, moved, when

D = Decimal
NOW = "06-01 10:00"
TRUCK, OIL, INSPECTION = "TRUCK-1", "TRUCK-1/oil", "TRUCK-1/inspection"
FILTER, GREASE = "FILTER", "GREASE"
"""A spare at 12.50, and one that is kept by lots, at 4."""
_registers = Registers()


class Workshop(Shop):
    """What people do to work orders, each in a transaction of its own."""

    def stock(self, **quantities: int) -> None:
        """Filters and grease come: grease as lots A and B."""
        self.declare(sku=FILTER, price="12.50", purpose="spare")
        self.declare(sku=GREASE, price="4", purpose="consumable", lot_required=True)
        came = [moved("in-filter", "05-02", quantities.get("filters", 5), sku=FILTER)]
        came += [moved(f"in-{lot}", "05-03", 2, sku=GREASE, lot=lot) for lot in ("A", "B")]
        self.post(*came)

    def bench(self, tx: Any, by: str = "ann") -> Bench:
        return Bench(tx, _registers.current(tx), by, self.clock.now)

    def do(self, work: Callable[[Bench], Any], by: str = "ann") -> Any:
        def run() -> Any:
            with write(self.book) as tx:
                return work(self.bench(tx, by))

        return repeated(run)

    def make(self, ident: str = "W1", **fields: Any) -> str:
        given = {"kind": "corrective", "asset": TRUCK, "title": "Gearbox", "approved": True} | fields
        return str(self.do(lambda at: work_orders.make(at, WorkOrder(id=ident, **given))))

    def take(self, ident: str, *steps: Any, why: str | None = None) -> None:
        for what in steps:
            self.do(lambda at, what=what: work_life.take(at, ident, what, why))

    def plan(self, ident: str, planned: str = "06-02", **values: Any) -> None:
        self.do(lambda at: work_life.plan(at, ident, {"planned_at": when(planned), **values}))

    def part(self, ident: str, part: str, quantity: str, sku: str | None = FILTER, **fields: Any) -> str:
        wanted = Part(id=part, sku=sku, quantity=D(quantity), **fields)
        return str(self.do(lambda at: work_parts.plan(at, ident, wanted)))

    def issue(self, ident: str, part: str, quantity: str) -> None:
        self.do(lambda at: work_issues.issue(at, ident, part, D(quantity), at.now))

    def give_back(self, ident: str, part: str, quantity: str, place: str | None = None) -> None:
        self.do(lambda at: work_issues.give_back(at, ident, part, D(quantity), (place, at.now)))

    def complete(self, ident: str, **fields: Any) -> None:
        given = {"at": self.clock.now, "component": "gearbox"} | fields
        self.do(lambda at: work_life.complete(at, ident, Ended(**given)))

    def reopen(self, ident: str, why: str = "leaks still") -> None:
        self.do(lambda at: work_life.reopen(at, ident, why))

    def serviced(self, ident: str, plan: str, at: str) -> None:
        done = Done(id=ident, asset=TRUCK, kind="service", plan=plan, at=when(at))
        self.do(lambda bench: services.record(bench.tx, bench.register, done, bench.stamp))

    def order(self, ident: str = "W1") -> Any:
        with read(self.book) as tx:
            return tx.execute(select(work_order).where(work_order.c.id == ident)).one()

    def issued(self, ident: str = "W1") -> dict[str, str]:
        with read(self.book) as tx:
            rows = tx.execute(select(work_part).where(work_part.c.order_id == ident).order_by(work_part.c.id))
            return {row.id: row.issued for row in rows}

    def held(self, sku: str = FILTER, place: str = "desk") -> dict[str, str]:
        """On hand by lot."""
        with read(self.book) as tx:
            rows = tx.execute(select(balance).where(balance.c.sku == sku, balance.c.location == place))
            return {row.lot: row.on_hand for row in rows}

    def promised(self, sku: str = FILTER) -> Decimal:
        with read(self.book) as tx:
            return sum(reservations.allocated(tx, [sku]).values(), D(0))

    def services(self) -> list[tuple[str, bool]]:
        """What was done, as plan or component, and whether it counts."""
        rows = self.rows(service_done)
        return [(row["plan"] or row["component"], row["withdrawn_at"] is None) for row in rows]

    def net(self) -> list[tuple[str, str, Decimal]]:
        """What the ledger says that orders used, less what came back."""
        with read(self.book) as tx:
            holding = net(entry.movement for entry in ledger.entries_of(tx))
        of_work = [each for each in holding if each.reason == work_issues.REASON]
        return [
            (each.evidence[0].partition(":")[2], each.sku, each.quantity * (-1 if each.source == "production" else 1))
            for each in of_work
        ]
