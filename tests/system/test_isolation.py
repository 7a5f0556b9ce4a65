"""One that floods slows only itself: a gateway at a hundred times its quota, and a device behind an edge.

STOCKYARD_LONG=1 measures for longer; `make bench ONLY=ingest` has the row with its bound.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.torture import books
from tests.system.crowd import Crowd, Flood, Gateway, chatter, p99

QUOTA = 500
SECONDS = 20.0 if os.environ.get("STOCKYARD_LONG") else 3.0
NOBODY_WAITS_S = 1.5
"""Not the bound, which is a ratio and measured alone: a flood that was let in would make them wait for ever."""


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    with Crowd(tmp_path, QUOTA) as crowd:
        yield crowd


@pytest.mark.timeout(180)
def test_a_gateway_at_a_hundred_times_its_quota_slows_only_itself(crowd: Crowd) -> None:
    quiet = [Gateway(crowd.broker.port, f"dock-{k}") for k in range(4)]
    alone = p99(chatter(quiet, SECONDS))
    flood = Flood(crowd.folder, crowd.broker.port, "greedy", 100 * QUOTA)
    edge = Flood(crowd.folder, crowd.broker.port, "busy-edge", 100 * QUOTA, in_flight=8)
    beside = p99(chatter(quiet, SECONDS + 2))
    sent, mark = flood.end()
    _, edge_mark = edge.end()
    rss = crowd.rss_mb()
    for gateway in quiet:
        gateway.close()
    print(
        f"\np99 of the others {1000 * alone:.0f} ms alone, {1000 * beside:.0f} ms beside a flood of {sent} readings, "
        f"{mark} of them committed, {edge_mark} of the edge; {rss:.0f} MiB"
    )
    assert beside < NOBODY_WAITS_S
    least, most = QUOTA * (SECONDS - 1), QUOTA * (SECONDS + 10)
    assert least <= edge_mark <= most, "an edge that waits for its receipts gets its quota"
    assert mark <= most
    assert rss < 400
    told = books.query(crowd.book, "SELECT subject FROM alert WHERE rule = 'gateway_quota'")
    assert ("gateway:greedy",) in told
    counted = books.query(crowd.book, "SELECT gateway, count FROM refused_count WHERE sort = 'quota' AND count > 0")
    assert [name for name, _ in counted] == ["greedy"], "nothing of an edge that keeps to 8 in flight is dropped"
