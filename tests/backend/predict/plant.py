"""A book with assets and trackers, a telemetry store with what they told, and a model that scores them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select

from backend.book import alerts, register, schema, services
from backend.book.db import read, write
from backend.plan.risk import FAILURE_RISK
from backend.planner import Planner
from backend.predict.registry import Registry
from backend.predict.scorer import Scorer
from backend.telemetry import sql
from backend.telemetry.rows import Sample, Step
from models.declared import Asset, Device, Tracker
from models.maintenance.done import Done
from models.predict.history import UNITS
from tests.backend.books import open_quick
from tests.backend.telemetry.samples import sample
from tests.models.predict import fleet

IMEI = "imei:35630704244{:04}"
MINUTE = 60_000_000


@dataclass
class Plant:
    """Stores in one folder, with a clock that the test moves."""

    path: Path
    now: int
    book: Engine = field(init=False)
    telemetry: sql.SqlStore = field(init=False)

    def __post_init__(self) -> None:
        self.book = open_quick(self.path / "book.db")
        schema.metadata.create_all(self.book)
        self.telemetry = sql.SqlStore(open_quick(self.path / "telemetry.db"))
        self.telemetry.prepare()
        self.registry = Registry(self.path)
        self.scorer = Scorer(self.book, self.telemetry, lambda: self.now, self.registry)
        self.planner = Planner(self.book, lambda: self.now, (FAILURE_RISK,))

    def close(self) -> None:
        """End the connections."""
        self.book.dispose()
        self.telemetry.close()

    def mount(self, asset: str, number: int, at: int = fleet.START) -> str:
        """A tracker comes on an asset."""
        device = IMEI.format(number)
        body = Asset(f"Truck {asset}", asset)
        with write(self.book) as tx:
            register.put(tx, "assets", asset, body, valid_from=fleet.START, actor="test", now=self.now)
            tracker = Device(device, tracker=Tracker(asset))
            register.put(tx, "devices", device, tracker, valid_from=at, actor="test", now=self.now)
        return device

    def tell(self, device: str, made: fleet.Made, span: tuple[int, int]) -> None:
        """The tracker's readings of a span are in the telemetry store."""
        samples: list[Sample] = []
        for name, (times, values) in made.readings.items():
            for at, value in zip(times.tolist(), values.tolist(), strict=True):
                if span[0] <= at < span[1]:
                    content = int.from_bytes(sha256(f"{device} {name} {at}".encode()).digest()[:7], "big")
                    samples.append(sample(device, at, content, (name, UNITS[name], value)))
        self.telemetry.write(Step(samples=samples))

    def repair(self, asset: str, at: int, ident: str = "r-1", failed_at: int | None = None) -> None:
        """Somebody repaired a gearbox."""
        done = Done(id=ident, asset=asset, kind="repair", at=at, component="gearbox", failed_at=failed_at)
        with write(self.book) as tx:
            services.record(tx, register.load(tx), done, ("test", self.now))

    def take_back(self, ident: str = "r-1") -> None:
        """It was recorded by mistake."""
        with write(self.book) as tx:
            services.withdraw(tx, ident, "the wrong machine", ("test", self.now))

    def streams(self, mark: int, at: int) -> None:
        """The book has committed so much of a stream that the telemetry store knows nothing of, the first of `at`."""
        with write(self.book) as tx:
            tx.execute(insert(schema.gateway).values(id=1, name="g"))
            tx.execute(insert(schema.stream).values(id=1, gateway_id=1, epoch="0" * 12, mark=mark))
            first = {"stream_id": 1, "seq": 1, "kind": "tag", "device_id": 1, "at": at, "received_at": at}
            tx.execute(insert(schema.journal).values(first | {"content": 1, "body": b"{}"}))

    def rows(self, table: Any = schema.risk, order: Sequence[str] = ("asset", "at")) -> list[Any]:
        """Every row of a table."""
        with read(self.book) as tx:
            return list(tx.execute(select(table).order_by(*(table.c[name] for name in order))))

    def alerts(self) -> list[tuple[str, str]]:
        """(state, subject) of each alert, the oldest first."""
        return [(row.state, row.subject) for row in self.rows(schema.alert, ("n",))]

    def plan(self) -> list[tuple[str, str]]:
        """The planner looks, and what then is alerted."""
        while self.planner.step():
            pass
        return self.alerts()

    def close_alert(self) -> None:
        """A person says that it is over."""
        with write(self.book) as tx:
            alerts.close_one(tx, self.rows(schema.alert, ("n",))[-1].id, "ann", self.now)
