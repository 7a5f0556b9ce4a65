"""How fast readings become durable facts: real messages of 50, a real broker, all steps on, projector, planners beside.

The load is mixed_world's. STOCKYARD_LOAD_SECONDS (default 40) makes it last longer; 900 is about ten million readings.
"""

import os
import time
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from models import wire
from tests.bench.ingest_site import INTAKE, REST, Site, answer, bare_rows_per_s, cost, fsync_ms, noted
from tests.bench.mixed_world import Gateway

SECONDS = float(os.environ.get("STOCKYARD_LOAD_SECONDS", "40"))
LEAST_PER_S, MOST_RSS_MB, BEHIND_S = 10_000, 150, 5
STEP = 1_000_000 if SECONDS >= 300 else 100_000
"""RSS is printed each so many readings."""
SAMPLE_S = 1.0
PEER_ROWS, GROUP = 100_000, 5000


@pytest.mark.timeout(round(SECONDS) * 2 + 300)
def test_mixed_load(tmp_path: Path, measure: Any) -> None:
    disk_ms = fsync_ms(tmp_path)
    payloads = (payload for _, payload in Gateway(0, 0, 1).messages())
    texts = list(islice(chain.from_iterable(wire.decode_batch(each)[0].readings for each in payloads), PEER_ROWS))
    peer = bare_rows_per_s(tmp_path, [bytes(text) for text in texts], GROUP)
    with Site(tmp_path) as site:
        site.start("intake", INTAKE)
        site.start("rest", REST)
        site.start("projector", "projector")
        time.sleep(3)
        before = {name: site.cost(name) for name in site.running}
        broker_before = cost(site.broker.pid)
        publisher = site.publisher("--seconds", str(SECONDS))
        rss: list[tuple[int, float]] = []
        while publisher.poll() is None:
            rss.append((site.marks(), site.cost("intake").rss_mb))
            time.sleep(SAMPLE_S)
        lag = site.lag()
        found = answer(publisher, 60)
        after = {name: site.cost(name) for name in site.running}
        broker = cost(site.broker.pid)
        assert site.marks() == found["readings"] + 50 * found["left"] or not found["left"]
        caught_up_s = _wait_until_followed(site)
    cpu = {name: 1e6 * (after[name].cpu_s - before[name].cpu_s) / found["readings"] for name in after}
    cpu["broker"] = 1e6 * (broker.cpu_s - broker_before.cpu_s) / found["readings"]
    cpu["publisher"] = found["cpu_us"]
    print(f"\nCPU microseconds a reading: { {name: round(us, 1) for name, us in cpu.items()} }; fsync {disk_ms:.2f} ms")
    print(f"RSS of intake, MB, by readings: {_every(rss, STEP)}; readings {found['readings']:,}")
    print(f"projector: {lag:,} readings behind at the end, none after {caught_up_s:.1f} s")
    print(f"from sending to the receipt: p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms at full load")
    row = {"group": "ingest", "check": "mixed kinds to committed, 50 a message, all steps", "unit": "readings/s"}
    facts = {"value": found["per_s"], "peer": "sqlite3, bare rows", "peer_value": peer}
    most_mb = max(each for _, each in rss)
    mb = {
        "group": "ingest",
        "check": "the same: most RSS of the ingest process",
        "unit": "MB",
        "value": most_mb,
    }
    behind = {"group": "ingest", "check": "the same: projector behind at the end", "unit": "readings", "value": lag}
    results = [
        (behind | {"bound": f"<= {BEHIND_S} s of readings"}, lag <= BEHIND_S * found["per_s"]),
        (mb | {"bound": f"<= {MOST_RSS_MB} MB"}, most_mb <= MOST_RSS_MB),
        (row | facts | {"bound": f">= {LEAST_PER_S:,} readings/s"}, found["per_s"] >= LEAST_PER_S),
    ]
    missed = [each for each, ok in results if not noted(measure, each, ok=ok)]
    assert not missed


def _every(rss: list[tuple[int, float]], step: int) -> dict[str, float]:
    """The first sample after each so many readings, and the last."""
    firsts = {at // step: (at, mb) for at, mb in reversed(rss)}
    return {f"{at:,}": round(mb, 1) for at, mb in (*sorted(firsts.values()), rss[-1])}


def _wait_until_followed(site: Site) -> float:
    began = time.monotonic()
    while site.lag() > 0 and time.monotonic() < began + 60:
        time.sleep(0.2)
    return time.monotonic() - began
