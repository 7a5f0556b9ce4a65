"""/metrics: what Prometheus reads, every name documented, and cheap however large the book is."""

import re
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, insert

from backend import metrics
from backend.api import create_app
from backend.api.store_lag import StoreLag
from backend.book import journal, schema
from backend.book.db import read, write

README = Path(__file__).parents[3] / "deploy" / "README.md"
LARGE = {"journal", "crossing", "scan_act", "run", "travel", "presence", "movement", "event", "risk", "alert_event"}
"""Tables that grow with every reading: no query of /metrics may read through one."""


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels by name."""
    rows = re.findall(r"(?m)^\| `(stockyard_\w+)` \| (\w+) \| ([\w, ]*) ?\|", README.read_text(encoding="utf-8"))
    return {name: (kind, {*filter(None, re.split(r", *", labels.strip()))}) for name, kind, labels in rows}


def scraped(client: Any) -> dict[str, Metric]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


@pytest.fixture
def whole(site: Any, tmp_path: Path) -> Any:
    """The API with a store and a disk to tell of, and something of everything in the book."""
    with write(site.book) as tx:
        held = journal.lock_stream(tx, "dock-a", "0123456789AB")
        journal.add_gap(tx, held.id, (900, 1099), "outbox quota", (1, 1))
        journal.add_gap(tx, held.id, (1200, 1200), "receipted rows evicted", (1, 1))
        journal.keep_envelope(tx, 'bad"gate\\way\n', "unreadable", b"x", 1)
        journal.count_refused(tx, "dock-a", "pruned", 7, 1)
        tx.execute(insert(schema.dirty).values(step="dock", device_id=1, subject="x", since=5_000_000, until=9))
    site.services = replace(site.services, lag=StoreLag(lambda: 12), state_dir=tmp_path)
    with TestClient(create_app(site.services), "http://127.0.0.1:8000") as client:
        site.client = client
        yield site


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (found,) = [s.value for family in families.values() for s in family.samples if (s.name, s.labels) == (name, labels)]
    return found


def test_every_name_is_documented_with_its_type_and_labels(whole: Any) -> None:
    families = scraped(whole.client)
    told = {
        name if family.type != "counter" else f"{name}_total": (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for name, family in families.items()
        if name.startswith("stockyard_") and not name.endswith("_created")
    }
    assert told == documented()
    assert all(family.documentation for family in families.values())


def test_what_is_told_is_so(whole: Any) -> None:
    families = scraped(whole.client)
    assert value(families, "stockyard_quota_dropped_readings_total", gateway="dock-a") == 200
    assert value(families, "stockyard_gaps", gateway="dock-a") == 2
    assert value(families, "stockyard_refused_payloads_total", gateway="dock-a", sort="pruned") == 7
    assert value(families, "stockyard_refused_payloads_total", gateway='bad"gate\\way\n', sort="envelope") == 1
    assert value(families, "stockyard_dirty_keys") == 1
    assert value(families, "stockyard_dirty_oldest_seconds") == 5
    assert value(families, "stockyard_projector_lag_rows") == 12
    assert value(families, "stockyard_telemetry_up") == 1
    assert value(families, "stockyard_disk_free_bytes") > 0
    with read(whole.book) as tx:
        newest = tx.exec_driver_sql("SELECT MAX(n) FROM event").scalar()
    assert value(families, "stockyard_events_unpublished") == newest
    assert value(families, "stockyard_outbox_depth", gateway="dock-a") == 3


def test_commits_are_counted(site: Any) -> None:
    before = scraped(site.client)
    with metrics.committing():
        """A transaction."""
    metrics.committed(50)
    metrics.book_away()
    after = scraped(site.client)
    for name, more in (
        ("stockyard_ingest_commit_seconds_count", 1),
        ("stockyard_ingest_commit_readings_sum", 50),
        ("stockyard_ingest_book_refusals_total", 1),
    ):
        assert value(after, name) - value(before, name) == more
    assert value(after, "stockyard_ingest_book_away") == 1
    metrics.committed(0)
    assert value(scraped(site.client), "stockyard_ingest_book_away") == 0


def test_nothing_reads_through_a_table_that_grows(whole: Any) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(whole.book, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    scraped(whole.client)
    plans: list[str] = []
    with read(whole.book) as tx:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans += [row.detail for row in rows]
    assert plans
    scans = [plan for plan in plans if plan.startswith("SCAN") and plan.split()[1] in LARGE]
    assert [plan for plan in scans if "ix_event_unpublished" not in plan] == []


def test_a_store_that_hangs_or_fails_is_told_to_be_away() -> None:
    let_go, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        let_go.wait(30)
        return 7

    lag = StoreLag(hang, wait_s=0.05)
    assert [lag.rows(), lag.rows()] == [None, None]
    assert len(asked) == 1, "one question at a time"
    let_go.set()
    while (rows := lag.rows()) is None:
        """The answer of before."""
    assert rows == 7

    answers: list[int] = []

    def fail() -> int:
        if not answers:
            raise TimeoutError
        return answers[0]

    lag = StoreLag(fail)
    assert lag.rows() is None
    answers.append(3)
    assert lag.rows() == 3, "it is asked again"


def test_a_process_without_the_api_listens_by_itself() -> None:
    server = metrics.listen("127.0.0.1:0")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"stockyard_ingest_commit_seconds", "process_resident_memory_bytes"} <= names
