"""MQTT -> InfluxDB by our projector, and by Node-RED: readings per CPU-second, and what is lost in an outage.

Both get the same messages of 50 readings of mixed kinds from one Mosquitto and write the same figures to one InfluxDB,
a row for each fix, input, meter and signal; Node-RED nothing else. Ours is two processes: one takes readings into the
book, the projector reads them there, writes the figures, and rollups and counts of ten minutes and hours besides.
Nothing is declared, so that neither derives anything. CPU is from waiting for messages until all is in InfluxDB.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.config import Telemetry
from backend.projector import lag
from backend.telemetry.influx import InfluxStore
from backend.telemetry.store import StoreAway
from simulators.torture.parts import Part, wait_for
from tests.bench.nodered.load import Edges, Load, make, plain
from tests.bench.nodered.node_red import NodeRed, cpu_s, install, peak_mb
from tests.servers import influx
from tests.servers.broker import Broker, Options
from tests.servers.influx import InfluxServer

READINGS = int(os.environ.get("STOCKYARD_NODERED_READINGS", "200000"))
OUTAGE_READINGS, AWAY_S, PER_SECOND = 40_000, 10.0, 2_000
RATIO = 3.0
EVER = 2**62
UNLIMITED = "max_queued_messages 0\nmax_inflight_messages 0\nlog_type none"


class Plant:
    """A broker, an InfluxDB, and whoever is measured between them; a name is a database and a folder."""

    def __init__(self, folder: Path, broker: Broker, server: InfluxServer) -> None:
        self.folder, self.broker, self.server = folder, broker, server
        self.parts: list[Part] = []

    def ours(self, name: str) -> tuple[Part, Part]:
        """A backend in two processes: what takes readings into the book, and the projector."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "backend.toml").write_text(
            f'[backend]\nstate_dir = "{folder}"\ngateway_readings_per_s = 1000000\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.broker.port}"\n'
            f'[telemetry]\nurl = "influxdb://127.0.0.1:{self.server.port}/{name}"\nwrite_api = "v1"\n'
        )
        book = open_engine("sqlite", folder / "book.db")
        migrate(book)
        book.dispose()
        found = [
            Part(only, folder, [sys.executable, "-m", "backend", "serve", "--only", only, "-c", "backend.toml"])
            for only in ("ingest", "projector")
        ]
        for part in found:
            self.parts.append(part)
            part.start()
        wait_for("ingest", lambda: "connected to the broker" in found[0].said(), 120)
        wait_for("the projector", lambda: self._has(name), 120)
        return found[0], found[1]

    def node_red(self, name: str, flow: str = "nodes") -> Part:
        """Node-RED, connected."""
        self.server.ask(f'CREATE DATABASE "{name}"')
        run = NodeRed(self.folder / name, (self.broker.port, self.server.port), name, flow)
        self.parts.append(run.part)
        run.part.start()
        wait_for("Node-RED", run.is_connected, 120)
        time.sleep(2.0)
        return run.part

    def _has(self, name: str) -> bool:
        try:
            return bool(self.server.ask("SELECT * FROM forever.about", name))
        except (AssertionError, OSError):
            return False

    def store(self, name: str) -> InfluxStore:
        """Ours, to be read."""
        place = Telemetry(f"influxdb://127.0.0.1:{self.server.port}/{name}", write_api="v1")
        return InfluxStore(place, (5.0, 60.0, 60.0))

    def followed(self, name: str, readings: int) -> None:
        """Wait until the book has so many readings, and the store has all of them, and all is rolled up."""
        book, store = open_engine("sqlite", self.folder / name / "book.db"), self.store(name)

        def met() -> bool:
            try:
                is_followed = sum(store.positions().streams.values()) == readings and lag(book, store) == 0
                return is_followed and not store.stale(1, EVER)
            except StoreAway:
                return False

        wait_for("all in InfluxDB", met, 300)
        book.dispose()
        store.close()

    def rows(self, name: str) -> int:
        """How many rows of figures Node-RED's database has."""
        asked = ("SELECT count(lat) FROM fix", 'SELECT count("value") FROM "value"')
        return sum(series["values"][0][1] for each in asked for series in self.server.ask(each, name))

    def missing(self, name: str, load: Load) -> int:
        """How many figures our store does not have; it must have no other."""
        store = self.store(name)
        points = store.points(sorted({of[1] for of in load.figures}), None, 0, EVER)
        store.close()
        found = {tuple(each) for each in points}
        assert len(found) == len(points)
        assert found <= load.figures
        return len(load.figures) - len(found)

    def drop(self) -> None:
        """End what still runs."""
        for part in self.parts:
            part.drop()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    install()
    with Broker(tmp_path / "broker", Options(more=UNLIMITED)) as broker, influx.on_loopback() as server:
        found = Plant(tmp_path, broker, server)
        yield found
        found.drop()


@pytest.mark.timeout(1200)
def test_readings_per_cpu_second(plant: Plant, measure: Any) -> None:
    load = make(READINGS, 1)
    ingest, projector = plant.ours("ours")
    pids = (ingest.running().pid, projector.running().pid, plant.server.pid)
    before = [*map(cpu_s, pids)]
    Edges(plant.broker.port, load.messages).run()
    plant.followed("ours", load.readings)
    taken, projected, served = (cpu_s(pid) - at for pid, at in zip(pids, before, strict=True))
    memory = peak_mb(projector.running().pid)
    assert plant.missing("ours", load) == 0
    for part in (ingest, projector):
        part.end()

    both = {flow: _spent(plant, load, flow) for flow in ("nodes", "function")}
    spent = {flow: cpu for flow, (cpu, _) in both.items()}
    print(
        f"\n{load.readings:,} readings, {len(load.figures):,} figures in {load.rows:,} rows; CPU: "
        f"projector {projected:.2f} s ({memory:.0f} MB), ingest into the book {taken:.2f} s; Node-RED with its own "
        f"nodes {spent['nodes']:.2f} s, with one function instead {spent['function']:.2f} s; InfluxDB itself for ours "
        f"{served:.2f} s, for Node-RED {both['nodes'][1]:.2f} and {both['function'][1]:.2f} s. "
        f"Readings per CPU-second: projector {load.readings / projected:,.0f}, "
        f"with ingest {load.readings / (taken + projected):,.0f}, "
        + ", ".join(f"Node-RED {flow} {load.readings / each:,.0f}" for flow, each in spent.items())
    )
    row = {"group": "ingest", "check": "MQTT -> InfluxDB, mixed kinds, 50 a message", "unit": "readings/CPU-second"}
    facts = {"value": load.readings / projected, "peer": "Node-RED", "peer_value": load.readings / spent["nodes"]}
    measure(row | facts | {"bound": f">= {RATIO:g}x"}, ok=spent["nodes"] / projected >= RATIO)


def _spent(plant: Plant, load: Load, flow: str) -> tuple[float, float]:
    """Seconds of CPU that Node-RED takes for it, and InfluxDB meanwhile."""
    peer = plant.node_red(flow, flow)
    pids = (peer.running().pid, plant.server.pid)
    before = [*map(cpu_s, pids)]
    plain(plant.broker.port, load.messages)
    wait_for("all in InfluxDB", lambda: plant.rows(flow) == load.rows, 300)
    spent, served = (cpu_s(pid) - at for pid, at in zip(pids, before, strict=True))
    peer.drop()
    return spent, served


@pytest.mark.timeout(600)
def test_influxdb_is_away_for_ten_seconds(plant: Plant, measure: Any) -> None:
    load = make(OUTAGE_READINGS, 2)
    rate = PER_SECOND / 50
    ours = plant.ours("ours")
    _while_away(plant.server, Thread(target=Edges(plant.broker.port, load.messages).run, args=(rate,)))
    plant.followed("ours", load.readings)
    lost = plant.missing("ours", load)
    for part in ours:
        part.end()
    plant.node_red("peer")
    _while_away(plant.server, Thread(target=plain, args=(plant.broker.port, load.messages, rate)))
    time.sleep(10.0)
    peer_lost = load.rows - plant.rows("peer")
    print(f"\nof {load.rows:,} rows Node-RED lost {peer_lost:,}")
    row = {"group": "ingest", "check": f"figures lost, InfluxDB away for {AWAY_S:g} s", "unit": "figures"}
    measure(row | {"value": lost, "peer": "Node-RED, rows", "peer_value": peer_lost, "bound": "0"}, ok=lost == 0)


def _while_away(server: InfluxServer, load: Thread) -> None:
    load.start()
    time.sleep(5.0)
    server.kill()
    time.sleep(AWAY_S)
    server.start()
    load.join(300)
    assert not load.is_alive()
