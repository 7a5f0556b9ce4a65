"""The edge: tag reports decoded beside sllurp, and what the gateway's process costs at four busy readers.

Both ways of decoding run on the same bytes in the same process as sllurp, by turns, and the median of seven counts.
"""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from sllurp.llrp import LLRPMessage

from edge.drivers.llrp_report import compiled_reads, tag_reads, walk_reads
from models.wire import Receipt, decode_batch, encode
from tests.edge.delivery_site import MOSQUITTO, Iotcore, Mosquitto, wait_for

TAGS, ROUNDS = 2_000, 7
WALKED, COMPILED = 3.5, 12
READERS, RATE, IN_RANGE, PER_REPORT = 4, 1_000, 50, 10
WARM_S, MEASURED_S = 5, 20
MOST_CORE_PERCENT, MOST_RSS_MB = 15, 50


def tlv(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(body)) + body


def tag(number: int, kind: str) -> bytes:
    """EPC, ROSpec, antenna, RSSI, channel, first and last seen, count; with Impinj's phase, RSSI and Doppler."""
    epc = struct.pack("!IQ", 0x30000000, number)
    code = tlv(241, struct.pack("!H", 128) + epc + b"more") if kind == "EPCData" else b"\x8d" + epc
    rest = struct.pack("!BIBHBbBH", 0x89, 1, 0x81, number % 4 + 1, 0x86, -50 - number % 20, 0x87, 7)
    rest += struct.pack("!BQBQBH", 0x82, number, 0x84, number + 5, 0x88, 2)
    if kind == "Impinj":
        rest += b"".join(tlv(1023, struct.pack("!IIH", 25882, subtype, number)) for subtype in (56, 57, 68))
    return tlv(240, code + rest)


def reports(kind: str, per_report: int) -> list[bytes]:
    """TAGS tags in frames of so many."""
    bodies = [
        b"".join(tag(number, kind) for number in range(first, first + per_report))
        for first in range(0, TAGS, per_report)
    ]
    return [struct.pack("!HII", 1 << 10 | 61, 10 + len(body), 1) + body for body in bodies]


def sllurp(report: bytes) -> Any:
    return LLRPMessage(msgbytes=report)


def rates(frames: list[bytes], *decoders: Callable[[bytes], object]) -> list[float]:
    """Tags a second of this thread's time, of each decoder; they take turns, so that all see the same machine."""
    times: list[list[float]] = [[] for _ in decoders]
    for _ in range(ROUNDS):
        for decode, taken in zip(decoders, times, strict=True):
            begin = thread_time()
            for each in frames:
                decode(each)
            taken.append(thread_time() - begin)
    return [TAGS / median(taken) for taken in times]


@pytest.mark.parametrize("per_report", [1, 10, 100])
@pytest.mark.parametrize("kind", ["EPC-96", "EPCData", "Impinj"])
def test_decode(measure: Any, kind: str, per_report: int) -> None:
    frames = reports(kind, per_report)
    theirs = sllurp(frames[0]).msgdict["RO_ACCESS_REPORT"]["TagReportData"]
    ours = tag_reads(frames[0])
    assert compiled_reads(frames[0]) == walk_reads(frames[0]) == ours
    assert [each.antenna for each in ours] == [each["AntennaID"] for each in theirs]
    peer, walker, compiled = rates(frames, sllurp, walk_reads, compiled_reads)
    for name, value, least in (("walker", walker, WALKED), ("compiled layout", compiled, COMPILED)):
        row = {"group": "edge", "check": f"decode {kind}, {per_report} a report: {name}", "unit": "tags/s"}
        row |= {"value": value, "peer": "sllurp 3.0.5", "peer_value": peer}
        if per_report == PER_REPORT:
            row["bound"] = f">= {least} x peer"
        print(f"\n{row['check']}: {value / peer:.1f} x", end="")
        measure(row, ok=value >= least * peer or per_report != PER_REPORT)


class Backend:
    """Receipts each batch at once, and counts."""

    def __init__(self, port: int) -> None:
        self.readings = self.reads = 0
        self.client = client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda *_: client.subscribe("stockyard/v1/+/readings", 1)
        client.on_message = self.take
        client.connect("127.0.0.1", port)
        client.loop_start()

    def take(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        batch, _ = decode_batch(bytes(message.payload))
        self.readings += len(batch.readings)
        self.reads += sum(counted.decode(raw).count for raw in batch.readings)
        mark = batch.seq + len(batch.readings) - 1
        client.publish(message.topic.replace("readings", "receipt"), encode(Receipt(batch.epoch, mark)), qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Counted(msgspec.Struct):
    """As much of a reading as is counted."""

    count: int = 0


counted = msgspec.json.Decoder(Counted)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[tuple[int, Backend]]:
    """A broker's port, and what answers behind it."""
    broker = (Mosquitto if MOSQUITTO else Iotcore)(tmp_path)
    broker.start()
    backend = Backend(broker.port)
    yield broker.port, backend
    backend.close()
    broker.kill()


@pytest.fixture
def readers() -> Iterator[list[str]]:
    """The addresses of simulated readers, each a process of its own."""
    command = [sys.executable, "-m", "simulators", "device", "llrp", "--listen", "127.0.0.1:0"]
    command += ["--rate", str(RATE), "--tags", str(IN_RANGE), "--tags-per-report", str(PER_REPORT)]
    running = [
        subprocess.Popen([*command, "--seed", str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(READERS)
    ]
    yield [json.loads(process.stdout.readline())["address"] for process in running if process.stdout]
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture
def gateway(tmp_path: Path, readers: list[str], backend: tuple[int, Backend]) -> Iterator[int]:
    """The process id of a gateway with these readers."""
    config = tmp_path / "edge.toml"
    tables = [f'[gateway]\nname = "bench"\nstate_dir = "{tmp_path}"\n[mqtt]\nurl = "mqtt://127.0.0.1:{backend[0]}"']
    tables += [
        f'[[device]]\nname = "door-{number}"\ndriver = "llrp"\naddress = "{address}"\nwindow_s = 0.5'
        for number, address in enumerate(readers)
    ]
    config.write_text("\n".join(tables) + "\n")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "edge", "run", "-c", str(config)], stderr=log)
    yield process.pid
    process.terminate()
    assert process.wait(30) == 0, (tmp_path / "log").read_text()


def cpu_s(pid: int) -> float:
    """User and system time of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def test_process(measure: Any, gateway: int, backend: tuple[int, Backend]) -> None:
    _, told = backend
    wait_for(lambda: told.reads > READERS * RATE, 60)
    time.sleep(WARM_S)
    begin, cpu_before, reads, readings = time.monotonic(), cpu_s(gateway), told.reads, told.readings
    time.sleep(MEASURED_S)
    passed_s = time.monotonic() - begin
    percent, rss = 100 * (cpu_s(gateway) - cpu_before) / passed_s, rss_mb(gateway)
    rates = (
        f"{(told.reads - reads) / passed_s:,.0f} reads/s in {(told.readings - readings) / passed_s:,.0f} sightings/s"
    )
    print(f"\n{READERS} readers, {IN_RANGE} tags at 4 antennas each, {PER_REPORT} tags a report: {rates}", end="")
    assert (told.reads - reads) / passed_s > 0.95 * READERS * RATE
    row = {"group": "edge", "check": f"process at {rates}", "unit": "% of a core", "value": percent}
    rss_row = row | {"unit": "MB RSS", "value": rss, "bound": f"<= {MOST_RSS_MB}"}
    try:
        measure(row | {"bound": f"<= {MOST_CORE_PERCENT}"}, ok=percent <= MOST_CORE_PERCENT)
    finally:
        measure(rss_row, ok=rss <= MOST_RSS_MB)
