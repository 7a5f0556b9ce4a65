"""What one process of the backend counts about itself for Prometheus: how long commits take, and how large they are.

The book's own figures are the API's to tell (backend/api/queries/figures.py); a process without the API listens by
itself, `stockyard serve --metrics HOST:PORT`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=REGISTRY)
COMMIT_SECONDS = Histogram(
    "stockyard_ingest_commit_seconds",
    "How long the transaction of one group of messages took",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    registry=REGISTRY,
)
COMMIT_READINGS = Histogram(
    "stockyard_ingest_commit_readings",
    "How many new readings one transaction committed",
    buckets=(1, 10, 50, 100, 200, 500, 1000, 2000, 5000, 10_000),
    registry=REGISTRY,
)
BOOK_AWAY = Gauge("stockyard_ingest_book_away", "1 while the book refuses and messages wait", registry=REGISTRY)
BOOK_REFUSALS = Counter("stockyard_ingest_book_refusals", "Transactions that the book refused", registry=REGISTRY)


@contextmanager
def committing() -> Generator[None]:
    """Time a transaction of ingest; one that fails is no commit."""
    begin = perf_counter()
    yield
    COMMIT_SECONDS.observe(perf_counter() - begin)


def committed(readings: int) -> None:
    """A transaction of so many readings is durable."""
    COMMIT_READINGS.observe(readings)
    BOOK_AWAY.set(0)


def book_away() -> None:
    """The book refused a transaction; what was in it waits."""
    BOOK_REFUSALS.inc()
    BOOK_AWAY.set(1)


def listen(address: str) -> WSGIServer:
    """Serve this process's figures at HOST:PORT, for processes without the API. Raises OSError if it is taken."""
    host, _, port = address.rpartition(":")
    server, _ = start_http_server(int(port), host.strip("[]") or "127.0.0.1", registry=REGISTRY)
    return server
