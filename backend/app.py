"""The composition root: the only place that builds the backend's objects and says which threads run."""

import gc
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from backend import dock_models, threads
from backend.asset_valuer import AssetValuer
from backend.book.db import open_engine
from backend.book.lease import Lost, Wanted
from backend.book.migrations import migrate
from backend.condition_watch import ConditionWatch
from backend.config import Config
from backend.deriver import Deriver
from backend.discovery import Discovery
from backend.fairness import Bounds
from backend.ingest import Ingest
from backend.keeping.retention import Retention
from backend.keeping.sealed_days import Sealer
from backend.leases import BookLeases, FileLeases, Leases, Run
from backend.notify import Notifier
from backend.planner import Planner
from backend.predict.registry import Registry
from backend.predict.scorer import Scorer
from backend.projector import Projector, lag
from backend.prover import Prover
from backend.quota import QuotaWatch
from backend.rules import rules_of
from backend.scans import ApiScans
from backend.server import Server
from backend.telemetry import open_store
from backend.telemetry.store import Store
from backend.transport.mqtt import MqttTransport
from backend.valuer import Valuer
from backend.watchdog import Watchdog
from backend.worker import Announcer, IngestWorker

if TYPE_CHECKING:
    from fastapi import FastAPI

JOIN_S = 5.0


PARTS = ("ingest", "deriver", "planner", "projector", "scorer", "announcer", "notifier", "valuer", "api")
"""What `serve` runs. Of those that share a book, each but ingest and the API is run by one process at a time."""
BESIDE_PLANNER = frozenset({"retention", "prover", "conditions"})
BEAT_S = 0.2
HEAD_START_S = 1.0
"""So long, and no longer, the other workers let ingest commit first: each has something to load, and it is urgent."""


def clock() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def open_book(config: Config) -> Engine:
    """The book's engine; its doors may be decided by the models beside it."""
    dock_models.add_folder(config.state_dir / "models" / "dock")
    return open_engine(config.book.url, config.state_dir / "book.db")


def _transport(config: Config, qos: int = 1) -> MqttTransport:
    return MqttTransport(config.mqtt, Bounds(readings_per_s=config.backend.gateway_readings_per_s), qos)


def _server(config: Config, book: Engine, telemetry: Store) -> Server:
    host, _, port = config.backend.listen.rpartition(":")
    return Server(partial(_api, config, book, telemetry), host.strip("[]"), int(port))


def _api(config: Config, book: Engine, telemetry: Store) -> "FastAPI":
    from backend.api import create_app  # noqa: PLC0415 - a process without it is smaller by a fifth
    from backend.api.services import Services  # noqa: PLC0415
    from backend.api.store_lag import StoreLag  # noqa: PLC0415
    from backend.web import add_page  # noqa: PLC0415

    services = Services(
        book,
        clock,
        ApiScans().put,
        hosts=tuple(config.backend.hosts),
        telemetry=telemetry,
        models=Registry(config.state_dir),
        lag=StoreLag(partial(lag, book, telemetry)),
        state_dir=config.state_dir,
        modules=config.backend.modules,
        webhooks=config.webhook,
        undo_days=config.backend.undo_days,
    )
    app = create_app(services)
    add_page(app)
    return app


@dataclass(slots=True)
class Backend:
    """The workers of one process."""

    config: Config
    book: Engine
    telemetry: Store
    server: Server | None
    transport: MqttTransport
    only: frozenset[str]
    settled: Event = field(default_factory=Event)
    """Set once ingest here has committed what waited for it."""

    @classmethod
    def build(cls, config: Config, only: Collection[str] = PARTS) -> "Backend":
        """Bind, open and migrate, for some of PARTS. Raises OSError if the address is taken."""
        book = open_book(config)
        migrate(book)
        telemetry = open_store(config)
        server = _server(config, book, telemetry) if "api" in only else None
        return cls(config, book, telemetry, server, _transport(config), frozenset(only))

    @property
    def url(self) -> str:
        """Of the API and the page, or ""."""
        return "" if self.server is None else self.server.url

    def run(self, stop: Event) -> None:
        """Work until stop."""
        gc.freeze()  # what is imported stays: no collection looks at it again
        watchdog = Watchdog()
        if self.only & {"ingest", "announcer"}:
            self.transport.follow(())
            self.transport.start()
        leases, workers = self._workers(watchdog)
        running = [threads.start("leases", leases.run, stop)]
        if "ingest" in workers:
            running.append(threads.start("ingest", workers.pop("ingest"), stop))
            self.settled.wait(HEAD_START_S)
        running += [threads.start(name, run, stop) for name, run in workers.items()]
        watchdog.ready()
        stop.wait()
        watchdog.stopping()
        for thread in running:
            thread.join(JOIN_S)
        self.transport.stop()

    def _workers(self, watchdog: Watchdog) -> tuple[Leases, dict[str, Run]]:
        """What runs here, by name, and what says when."""
        single: dict[str, Callable[[], Run]] = {
            "deriver": lambda: Deriver(self.book, clock).run,
            "planner": lambda: Planner(self.book, clock, rules_of(self.config.backend.modules)).run,
            "projector": lambda: Projector(self.book, self.telemetry, clock, self.config.telemetry.retention_days).run,
            "scorer": lambda: Scorer(self.book, self.telemetry, clock, Registry(self.config.state_dir)).run,
            "announcer": lambda: Announcer(self.book, self.transport).run,
            "notifier": lambda: Notifier(self.book, clock, self.config.webhook, self.config.mail).run,
            "valuer": lambda: Valuer(self.book, clock, self._assets()).run,
        }
        if "planner" in self.only:
            single["retention"] = self._retention
            if "assets" in self.config.backend.modules:
                single["prover"] = lambda: Prover(self.book).run
                single["conditions"] = lambda: ConditionWatch(self.book, self.telemetry, clock).run
        wanted = [name for name in single if name in self.only or name in BESIDE_PLANNER]
        leases, ingesting = self._ingesting(wanted, watchdog)
        workers = {name: leases.while_held(name, single[name]()) for name in wanted} | ingesting
        if self.server is not None:
            workers["api"] = self.server.run
        if "ingest" not in self.only:
            workers["beat"] = _beating(watchdog)
        return leases, workers

    def _assets(self) -> AssetValuer | None:
        return AssetValuer(self.book, clock) if "assets" in self.config.backend.modules else None

    def _retention(self) -> Run:
        sealer = Sealer(self.book, clock, self.config.book.journal_days, self.telemetry)
        return Retention(self.book, clock, self.config.book.history_days, sealer).run

    def _ingesting(self, parts: list[str], watchdog: Watchdog) -> tuple[Leases, dict[str, Run]]:
        """Who says what this process may do, and the workers that take readings in, if it does."""
        ingests = "ingest" in self.only
        quota = QuotaWatch(self.book, self.transport.pressure, clock, lambda: self.transport.followed).run
        if self.book.dialect.name == "sqlite":
            files = FileLeases(self.config.state_dir)
            worker = self._ingest_worker(watchdog)

            def take_all(stop: Event) -> None:
                self.transport.follow(None)
                worker.run(stop)

            taking = files.while_held("ingest", take_all, watchdog.beat)
            return files, {"ingest": taking, "quota": quota} if ingests else {}
        wanted = Wanted([*parts, *(["discovery"] if ingests else [])], ingests)
        leases = BookLeases(self.book, wanted, self.transport.follow)
        worker = self._ingest_worker(watchdog, leases.lost)
        found = Discovery(self.book, partial(_transport, self.config, qos=0), leases.poke)
        discovery = leases.while_held("discovery", found.run)
        return leases, {"ingest": worker.run, "discovery": discovery, "quota": quota} if ingests else {}

    def _ingest_worker(self, watchdog: Watchdog, lost: Lost | None = None) -> IngestWorker:
        worker = IngestWorker(Ingest(self.book, clock, lost), self.transport, clock)
        worker.beat, worker.settled = watchdog.beat, self.settled
        return worker


def _beating(watchdog: Watchdog) -> Run:
    """Says that a process without the ingest loop is alive."""

    def beat(stop: Event) -> None:
        while not stop.wait(BEAT_S):
            watchdog.beat()

    return beat
