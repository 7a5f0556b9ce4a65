"""For those who watch the backend itself: is it there, and its figures for Prometheus."""

import shutil
from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from backend import metrics as process
from backend.api import items
from backend.api.answers import answer, documented
from backend.api.queries import alerting, figures, intake
from backend.api.services import Services, Use
from backend.book.db import read
from models.reading import from_micros

VERSION = "0.1.0"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
router = APIRouter(tags=["operation"])


@router.get("/health", responses=documented(items.Health))
def health(services: Use) -> Response:
    """200 while the book can be read; 503 otherwise."""
    with read(services.book) as tx:
        committed = intake.committed_at(tx)
    return answer(items.Health("ok", VERSION, from_micros(services.clock()), committed))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: Use) -> Response:
    """The figures of the book, its stores and this process in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Book(services))
    return Response(generate_latest(registry) + generate_latest(process.REGISTRY), media_type=MEDIA_TYPE)


class _Book(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        with read(self._services.book) as tx:
            found = [*figures.figures(tx), *alerting.figures(tx, self._services.clock()), *_stores(self._services)]
        for figure in found:
            family = CounterMetricFamily if figure.rises else GaugeMetricFamily
            metric = family(figure.name, figure.text, labels=figure.labels)
            for labels, value in figure.values:
                metric.add_metric(labels, value)
            yield metric


def _stores(services: Services) -> Iterator[figures.Figure]:
    """The telemetry store, which may be away, and the room on the disk of the book."""
    if services.lag is not None:
        rows = services.lag.rows()
        yield figures.one("stockyard_telemetry_up", "1 while the telemetry store answers", float(rows is not None))
        if rows is not None:
            yield figures.one("stockyard_projector_lag_rows", "Readings and entries that the store lacks", rows)
    if services.state_dir is not None:
        free = shutil.disk_usage(services.state_dir).free
        files = [file.stat().st_size for file in services.state_dir.glob("book.db*")]
        yield figures.one("stockyard_disk_free_bytes", "Room on the disk of state_dir", free)
        yield figures.one("stockyard_book_bytes", "Size of the book's files, where it is SQLite", sum(files))
