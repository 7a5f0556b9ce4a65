"""1, 2 and 4 ingest workers on one PostgreSQL book, and one of the four killed under load.

The machine is shared by workers, database, broker and gateways: with two cores more workers do not mean more readings.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backend.verify import verify
from simulators.torture.parts import wait_for
from tests.servers.postgres import Cluster, cluster
from tests.system.ingest_site import IngestSite, lost_and_doubled
from tests.system.plant import MOSQUITTO

SECONDS = float(os.environ.get("STOCKYARD_SECONDS", "15"))
GATEWAYS = 8
MOVED_S = 10.0
DRAINED_S = 120.0


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A PostgreSQL whose commits wait for the disk."""
    with cluster(quick=False) as made:
        yield made


def site_of(folder: Path, durable: Cluster) -> IngestSite:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    return IngestSite(folder, durable.database(), GATEWAYS, seed=1)


def run(site: IngestSite, workers: int) -> float:
    """Readings per second by so many workers."""
    site.start(workers)
    wait_for("a commit", site.committed, 60)
    return site.rate(SECONDS)


@pytest.mark.timeout(900)
def test_throughput_and_a_killed_worker(tmp_path: Path, durable: Cluster, measure: Callable[..., Any]) -> None:
    rates: dict[int, float] = {}
    row = {"group": "ingest", "unit": "readings/s", "peer": "1 worker"}
    for workers in (1, 2, 4):
        folder = tmp_path / str(workers)
        folder.mkdir()
        with closing(site_of(folder, durable)) as site:
            rates[workers] = run(site, workers)
            facts = {"check": f"{workers} ingest workers on PostgreSQL", "value": rates[workers]}
            measure(row | facts | {"peer_value": rates[1]}, ok=rates[workers] > 0)
            moved = kill_one(site, workers) if workers > 1 else 0.0
            site.drain(DRAINED_S)
            found = lost_and_doubled(site)
            broken = [finding for finding in verify(site.book) if not finding.ok]
            if workers > 1:
                check = f"one of {workers} workers killed -9: its gateways moved within"
                bound = f"<= {MOVED_S:g} s"
                shown = {"group": "ingest", "check": check, "value": moved, "unit": "s", "bound": bound}
                measure(shown, ok=moved <= MOVED_S)
            check = f"{workers} workers: readings lost, doubled or changed, invariants broken"
            shown = {"group": "ingest", "check": check, "value": sum(found) + len(broken), "unit": "", "bound": "0"}
            measure(shown, ok=(*found, broken) == (0, 0, 0, []))


def kill_one(site: IngestSite, workers: int) -> float:
    """kill -9 of a worker while gateways send; how long until others had its gateways."""
    site.workers["worker-0"].kill()
    moved = site.await_shared(workers - 1, DRAINED_S)
    site.rate(SECONDS / 3)
    return moved
