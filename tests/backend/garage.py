"""A garage for tests: a book with a truck and its two plans, and a planner whose clock the test moves."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select

from backend import dues
from backend.book import events, register, schema, services
from backend.book.db import read, write
from backend.plan.services import SERVICE_DUE
from backend.planner import Planner
from models.declared import Asset, Device, Plan, Tracker
from models.maintenance import notice
from models.maintenance.done import Done
from models.maintenance.due import judge
from tests.backend.books import open_quick

DAY, MINUTE, H = 86_400_000_000, 60_000_000, 3_600_000
START = 20_000 * DAY
TRUCK = Asset("Truck", "1")
OIL = Plan("TRUCK-1", "Oil", every_hours=Decimal(80), every_days=60)
CHECK = Plan("TRUCK-1", "Check", every_days=20)


@dataclass
class Garage:
    """A book with a truck and its two plans, and a planner whose clock is `now`."""

    engine: Engine
    now: int = START
    rows: int = 0
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        self.planner = Planner(self.engine, lambda: self.now, [SERVICE_DUE])

    def put(self, kind: str, ident: str, body: Any, at: int | None = None) -> None:
        at = self.now if at is None else at
        with write(self.engine) as tx:
            register.put(tx, kind, ident, body, valid_from=at, actor="test", now=self.now)

    def run(self, hours: float, unseen: float = 0) -> None:
        """The truck's engine ran for so long in the day before now, or may have."""
        self.rows += 1
        span = {"begin_at": self.now - DAY, "end_at": self.now, "closed_at": self.now, "day": self.now // DAY}
        what = {"device_id": 1, "subject": "", "asset": "TRUCK-1", "meter": "runtime", "evidence": "[]"}
        bounds = {"least": int(hours * H), "most": int((hours + unseen) * H)}
        with write(self.engine) as tx:
            tx.execute(insert(schema.run).values(id=str(self.rows), **what, **span, **bounds))
            events.changed(tx, "asset:TRUCK-1", self.now)

    def done(self, ident: str, plan: str = "TRUCK-1/oil", back: int = 0) -> None:
        done = Done(id=ident, asset="TRUCK-1", kind="service", plan=plan, at=self.now - back)
        with write(self.engine) as tx:
            services.record(tx, register.load(tx), done, ("ann", self.now))

    def withdraw(self, ident: str) -> None:
        with write(self.engine) as tx:
            services.withdraw(tx, ident, "a mistake", ("ann", self.now))

    def plan(self, later: int = 0) -> list[tuple[str, str, str]]:
        """(subject, severity, state) of what stands after the planner has looked."""
        self.now += later
        while self.planner.step():
            pass
        table = schema.alert.c
        with read(self.engine) as tx:
            rows = tx.execute(select(schema.alert).where(table.state != "closed").order_by(table.subject)).all()
        return [(row.subject, row.severity, row.state) for row in rows]

    def called_for(self) -> list[tuple[str, str]]:
        """What the facts call for now."""
        with read(self.engine) as tx:
            known = dues.facts(tx, register.load(tx), ["TRUCK-1"], self.now)
        told = [alert for each in known if (alert := notice.alert(judge(each, self.now))) is not None]
        return sorted((alert.subject, alert.severity) for alert in told)

    def lived(self) -> list[tuple[str, str]]:
        rows = select(schema.alert.c.subject, schema.alert_event.c.what).join_from(
            schema.alert, schema.alert_event, schema.alert.c.id == schema.alert_event.c.alert_id
        )
        with read(self.engine) as tx:
            return [(row.subject, row.what) for row in tx.execute(rows.order_by(schema.alert_event.c.n))]


def make(file: Path) -> Engine:
    """A book with the truck, its tracker and its plans."""
    engine = open_quick(file)
    schema.metadata.create_all(engine)
    garage = Garage(engine)
    garage.put("assets", "TRUCK-1", TRUCK)
    garage.put("devices", "imei:1", Device("imei:1", tracker=Tracker("TRUCK-1")))
    garage.put("plans", "TRUCK-1/oil", OIL)
    garage.put("plans", "TRUCK-1/check", CHECK)
    return engine
