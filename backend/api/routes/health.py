"""For those who watch the backend itself: is it there, and its figures for Prometheus."""

from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from backend.api import items
from backend.api.answers import answer, documented
from backend.api.queries import figures, intake
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
    """The book's figures in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Book(services))
    return Response(generate_latest(registry), media_type=MEDIA_TYPE)


class _Book(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        with read(self._services.book) as tx:
            found = figures.figures(tx)
        for figure in found:
            family = CounterMetricFamily if figure.rises else GaugeMetricFamily
            metric = family(figure.name, figure.text, labels=figure.labels)
            for labels, value in figure.values:
                metric.add_metric(labels, value)
            yield metric
