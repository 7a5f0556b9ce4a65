"""The composition root: the only place that builds the backend's objects and says which threads run."""

import time
from dataclasses import dataclass
from threading import Event

from sqlalchemy import Engine

from backend import dock_models, threads
from backend.api import create_app
from backend.api.server import Server
from backend.api.services import Services
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.config import Config
from backend.deriver import Deriver
from backend.ingest import Ingest
from backend.planner import Planner
from backend.predict.registry import Registry
from backend.predict.scorer import Scorer
from backend.projector import Projector
from backend.scans import ApiScans
from backend.telemetry.sql import open_telemetry
from backend.transport.mqtt import MqttTransport
from backend.web import add_page
from backend.worker import Announcer, IngestWorker

JOIN_S = 5.0


def clock() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def open_book(config: Config) -> Engine:
    """The book's engine; its doors may be decided by the models beside it."""
    dock_models.add_folder(config.state_dir / "models" / "dock")
    return open_engine(config.book.url, config.state_dir / "book.db")


@dataclass(slots=True)
class Backend:
    """All workers of one process."""

    config: Config
    book: Engine
    telemetry: Engine
    server: Server
    transport: MqttTransport

    @classmethod
    def build(cls, config: Config) -> "Backend":
        """Bind, open and migrate. Raises OSError if the address is taken."""
        host, _, port = config.backend.listen.rpartition(":")
        book = open_book(config)
        migrate(book)
        telemetry = open_telemetry(config)
        services = Services(
            book,
            clock,
            ApiScans().put,
            hosts=tuple(config.backend.hosts),
            telemetry=telemetry,
            models=Registry(config.state_dir),
        )
        app = create_app(services)
        add_page(app)
        return cls(config, book, telemetry, Server(app, host.strip("[]"), int(port)), MqttTransport(config.mqtt))

    def run(self, stop: Event) -> None:
        """Work until stop."""
        self.transport.start()
        workers = {
            "ingest": IngestWorker(Ingest(self.book, clock), self.transport, clock).run,
            "deriver": Deriver(self.book, clock).run,
            "planner": Planner(self.book, clock).run,
            "projector": Projector(self.book, self.telemetry, clock, self.config.telemetry.retention_days).run,
            "scorer": Scorer(self.book, self.telemetry, clock, Registry(self.config.state_dir)).run,
            "announcer": Announcer(self.book, self.transport).run,
            "api": self.server.run,
        }
        running = [threads.start(name, run, stop) for name, run in workers.items()]
        stop.wait()
        for thread in running:
            thread.join(JOIN_S)
        self.transport.stop()
