"""A history is the same for the same seed, small enough, fast, reduced as the contract says, and arrives whole."""

import io
import json
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import paho.mqtt.client as mqtt
import pytest

from models import wire
from models.reading import Scan, Tag, micros
from simulators import agenda, commands, history, radio
from simulators.outbox import SentRows, read
from simulators.paths import Motion
from simulators.scenario import BadScenario, Scenario, load
from simulators.sending import Broker, HistorySender, Progress
from simulators.warehouse import Passing, TagPass

DEMO = Path(__file__).parents[2] / "simulators" / "scenarios" / "demo.toml"


def past(days: int, limit: int = 400_000) -> tuple[list[bytes], str]:
    """Readings and truth of the demo's world."""
    scenario, truth = load(DEMO), io.StringIO()
    scenario = Scenario(scenario.seed, scenario.start, scenario.truth, scenario.door, scenario.scanner, days)
    site = commands.past(scenario, truth)
    stage = history.HistoryStage(site.world, scenario, limit)
    return [text for _, chunk in history.readings(site, stage, days) for text in chunk], truth.getvalue()


@pytest.fixture(scope="module")
def month() -> tuple[list[bytes], str]:
    begun = time.perf_counter()
    made = past(30)
    assert time.perf_counter() - begun < 30
    return made


def test_a_month_is_within_its_limit(month: tuple[list[bytes], str]) -> None:
    assert 150_000 <= len(month[0]) <= 400_000


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert past(2) == past(2)


def test_readings_are_valid_and_in_order_of_their_time(month: tuple[list[bytes], str]) -> None:
    decoded = [wire.decode(text) for text in month[0][:20_000]]
    assert all(one.at <= other.at for one, other in pairwise(decoded))
    kinds = Counter(type(reading) for reading in decoded)
    assert kinds[Tag] > 100 * kinds[Scan] / 2 > 0
    assert {reading.device for reading in decoded} == {"door-1", "door-2", "scanner-1"}
    assert all(reading.device_at for reading in decoded if reading.device == "door-2")


def test_every_read_of_the_truth_is_in_a_sighting(month: tuple[list[bytes], str]) -> None:
    told = sum(line["reads"] for line in map(json.loads, month[1].splitlines()) if line["what"] == "told")
    readings = map(wire.decode, month[0])
    assert told == sum(reading.count or 0 for reading in readings if isinstance(reading, Tag))


def test_the_mix_of_passes(month: tuple[list[bytes], str]) -> None:
    passes = [line for line in map(json.loads, month[1].splitlines()) if line["what"] == "pass"]
    kinds = Counter(line["kind"] for line in passes)
    assert 8_000 < len(passes) < 14_000
    assert kinds["in"] > kinds["out"] > kinds["static"] > 0
    assert min(kinds["turn"], kinds["past"]) > 300
    assert 0.005 < sum(line["last_seen"] is None for line in passes) / len(passes) < 0.08


def test_beyond_the_limit_the_doors_hear_nothing_and_the_truth_says_so() -> None:
    texts, truth = past(2, limit=3000)
    told = [line for line in map(json.loads, truth.splitlines()) if line["what"] == "told"]
    assert len(texts) < 3400
    assert any(line["of"] and not line["reads"] for line in told)
    assert sum(line["reads"] for line in told) == sum(getattr(wire.decode(text), "count", 0) or 0 for text in texts)


def test_reads_within_half_a_second_are_one_sighting() -> None:
    at_us = np.array([0, 100_000, 499_999, 500_000, 600_000])
    ones = np.ones(5, dtype=np.int64)
    rssi, none = np.array([-60.0, -55.5, -70.0, -61.0, -61.0]), np.zeros(5)
    found = radio.Reads(at_us, ones * 0, ones, rssi, ones * [3, 4, 5, 6, 7], none, none)
    tags = (TagPass("p1", "aa", None, 0),)
    passing = Passing("door-1", "in", 0, Motion((0.0, 1.0), ((0.0, 0.0), (0.0, 1.0))), tags, 0)
    (first_us, first), (second_us, second) = history.reduce(passing, found, 2_000_000)
    assert (first_us, second_us) == (499_999, 600_000)
    assert (first.count, first.rssi_dbm, first.rssi_mean_dbm, first.channel) == (3, -55.5, -61.83, 4)
    assert first.first_at is not None
    assert (micros(first.first_at), micros(first.at)) == (0, 499_999)
    assert first.device_at is not None
    assert micros(first.device_at) == 2_499_999
    assert second.count == 2


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)


class Backend:
    """Commits contiguously and answers; every seventh batch is not answered."""

    def __init__(self, port: int) -> None:
        self.texts: list[bytes] = []
        self.batches = 0
        self.topics: Counter[str] = Counter()
        self.subscribed = Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_message = self.take
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("#", qos=1)
        self.client.loop_start()
        assert self.subscribed.wait(5)

    def take(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        self.topics[message.topic] += 1
        if not message.topic.endswith("/readings"):
            return
        batch, _gap = wire.decode_batch(message.payload)
        if batch.seq <= len(self.texts) + 1:
            self.texts += [bytes(raw) for raw in batch.readings[len(self.texts) + 1 - batch.seq :]]
        self.batches += 1
        if self.batches % 7:
            client.publish(
                "stockyard/v1/dock-a/receipt", wire.encode(wire.Receipt(batch.epoch, len(self.texts))), qos=1
            )

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_history_arrives_whole_although_receipts_are_lost(broker: int, tmp_path: Path) -> None:
    texts, _ = past(2)
    backend, rows, shown = Backend(broker), SentRows(tmp_path / "history.db"), list[Progress]()
    sender = HistorySender("dock-a", rows, shown.append)
    chunks = ((number / 4, texts[number::4]) for number in range(4))
    sent = [text for number in range(4) for text in texts[number::4]]
    assert sender.run(Broker(f"mqtt://127.0.0.1:{broker}"), chunks, Event())
    backend.close()
    rows.close()
    assert backend.texts == sent
    assert set(backend.topics) == {"stockyard/v1/dock-a/readings", "stockyard/v1/dock-a/receipt"}
    assert (shown[-1].made, shown[-1].committed, shown[-1].expected) == (len(sent), len(sent), len(sent))
    kept = read(tmp_path / "history.db")
    assert list(kept.next_seq.values()) == [len(sent) + 1]
    assert [text for _, text in kept.rows(rows.epoch)] == sent
    with sqlite3.connect(tmp_path / "history.db") as book:
        assert book.execute("SELECT next_seq, mark, highest_receipted FROM epochs").fetchone() == (
            len(sent) + 1,
            len(sent),
            len(sent),
        )


def test_a_history_can_be_stopped(broker: int, tmp_path: Path) -> None:
    stop, rows = Event(), SentRows(tmp_path / "history.db")
    threading.Timer(1.0, stop.set).start()
    sender = HistorySender("dock-a", rows, lambda _: None)
    assert not sender.run(Broker(f"mqtt://127.0.0.1:{broker}"), iter([(1.0, [b"{}"])]), stop)
    rows.close()


def test_a_scenario_is_refused_by_field(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    for wrong, word in (
        (DEMO.read_text() + "\nhistroy = 3\n", "histroy"),
        (DEMO.read_text().replace("seed = 7", 'seed = "x"'), "seed"),
        (DEMO.read_text().replace("5084", "x"), "listen"),
        ("seed = ", "Invalid"),
    ):
        path.write_text(wrong)
        with pytest.raises(BadScenario, match=word):
            load(path)
    with pytest.raises(BadScenario, match="No such file"):
        load(tmp_path / "none.toml")


def test_the_live_start_is_computed_fast() -> None:
    begun = time.perf_counter()
    scenario = load(DEMO)
    agenda.play_history(commands.past(scenario), scenario.history_days)
    assert time.perf_counter() - begun < 3
