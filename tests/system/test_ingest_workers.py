"""Two ingest workers on one PostgreSQL book; one dies under load, the other takes its gateways, and nothing is lost.

The long form, with 1, 2 and 4 workers and their throughput, is tests/bench/test_ingest_workers.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.verify import verify
from simulators.torture.parts import wait_for
from tests.system.ingest_site import IngestSite, lost_and_doubled
from tests.system.plant import MOSQUITTO, say

MOVED_S = 10.0


@pytest.fixture
def site(tmp_path: Path, postgres_book_url: str) -> Iterator[IngestSite]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    site = IngestSite(tmp_path, postgres_book_url, gateways=4, seed=1)
    try:
        yield site
    finally:
        site.close()


@pytest.mark.timeout(300)
def test_a_killed_worker_loses_nothing(site: IngestSite) -> None:
    site.start(workers=2)
    wait_for("a commit", site.committed, 30)
    say(f"2 workers: {site.rate(1.5):.0f} readings/s")
    before = site.committed()
    site.workers["worker-0"].kill()
    moved = site.await_shared(workers=1, seconds=MOVED_S)
    site.start_worker("worker-0")
    say(f"gateways moved after {moved:.1f} s, shared again after {site.await_shared(workers=2):.1f} s")
    say(f"drained in {site.drain(60):.1f} s")
    assert site.committed() > before
    assert lost_and_doubled(site) == (0, 0, 0)
    assert [finding for finding in verify(site.book) if not finding.ok] == []
    for name in site.workers:
        site.workers[name].end()
    assert site.bugs() == []
