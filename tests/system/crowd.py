"""A real broker and a real backend that many gateways send to: quiet ones, whose waiting is measured, and a flood."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.outbox_file import new_epoch
from models import wire
from models.reading import Signal
from simulators.torture.parts import Part, free_port, wait_for
from tests.servers.broker import Broker, Options

FLOOD = Path(__file__).with_name("flood.py")
COMPRESSED = 20
NAMES = ("load", "speed", "pressure")


class Crowd:
    """Broker and backend, in a folder of their own; `with` starts both, and ends them however it goes."""

    def __init__(self, folder: Path, quota: int, broker: Options | None = None, *, only: str | None = None) -> None:
        self.folder = folder
        self.broker = Broker(folder / "broker", broker)
        self.state = folder / "backend"
        self.api = f"127.0.0.1:{free_port()}"
        config = f'[backend]\nstate_dir = "{self.state}"\nlisten = "{self.api}"\ngateway_readings_per_s = {quota}\n'
        (folder / "backend.toml").write_text(f'{config}[mqtt]\nurl = "mqtt://127.0.0.1:{self.broker.port}"\n')
        self.backend = self.process("backend", only)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.drop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def process(self, name: str, only: str | None) -> Part:
        """A process of the backend, not yet started: the whole, or these parts."""
        parts = [] if only is None else ["--only", only]
        return Part(name, self.folder, [sys.executable, "-m", "backend", "serve", "-c", "backend.toml", *parts])

    @property
    def book(self) -> Path:
        return self.state / "book.db"

    def start(self) -> None:
        """Start both; returns when the backend has subscribed."""
        self.broker.start()
        self.start_backend()

    def start_backend(self) -> None:
        """Returns when it has subscribed."""
        said = len(self._log())
        self.backend.start()
        wait_for("the backend", lambda: "connected to the broker" in self._log()[said:], 60)

    def _log(self) -> str:
        return self.backend.log.read_text(errors="replace") if self.backend.log.exists() else ""

    def rss_mb(self) -> float:
        """What the backend holds in memory now, MiB."""
        status = Path(f"/proc/{self.backend.running().pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def drop(self) -> None:
        """Both are gone after this."""
        self.backend.drop()
        self.broker.kill()


class Gateway:
    """A gateway of raw MQTT that sends one batch at a time, and notes how long each waited for its receipt."""

    def __init__(self, port: int, name: str, part: str = "") -> None:
        self.name = name
        self.epoch = new_epoch()
        self.next_seq = 1
        self.waits: list[float] = []
        self.receipts: list[tuple[str, int]] = []
        self._sent: dict[int, float] = {}
        self._payloads: dict[int, bytes] = {}
        self._moved_at = time.monotonic()
        self._lock = Lock()
        self.client = Client(CallbackAPIVersion.VERSION2, f"{name}-test{part}")
        subscribed = Event()
        self.client.on_connect = lambda client, *_: client.subscribe(wire.topic(name, "receipt"), 1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = self._heard
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(10), f"{name} is not let in"
        wait_for(f"a receipt for {name}", self._asked, 30)
        self.receipts.clear()

    def _asked(self) -> bool:
        """Ask for the mark, until the backend has subscribed and answers."""
        if not self.receipts:
            payload = wire.encode_batch(self.epoch, 1, datetime.now(UTC), [])
            self.client.publish(wire.topic(self.name, "readings"), payload, qos=1)
            time.sleep(0.1)
        return bool(self.receipts)

    def send(self, readings: int) -> None:
        """The next batch."""
        now = datetime.now(UTC)
        texts = [
            wire.encode(Signal(f"device-{k % 3}", now, NAMES[k % 3], float(self.next_seq + k), "1"))
            for k in range(readings)
        ]
        self.send_texts(texts)

    def send_texts(self, texts: list[bytes]) -> None:
        """The next batch, of these readings."""
        payload = wire.encode_batch(
            self.epoch, self.next_seq, datetime.now(UTC), texts, compress=len(texts) > COMPRESSED
        )
        self.next_seq += len(texts)
        with self._lock:
            self._sent[self.next_seq - 1] = time.monotonic()
            self._payloads[self.next_seq - 1] = payload
        self.client.publish(wire.topic(self.name, "readings"), payload, qos=1)

    def again(self, silence_s: float = 10.0) -> None:
        """Send all that has no receipt once more, as an edge does, if none of it was receipted for so long."""
        now = time.monotonic()
        with self._lock:
            is_time = bool(self._sent) and now - max(self._moved_at, min(self._sent.values())) > silence_s
            waiting = [self._payloads[seq] for seq in sorted(self._sent)] if is_time else []
            self._moved_at = now if is_time else self._moved_at
        for payload in waiting:
            self.client.publish(wire.topic(self.name, "readings"), payload, qos=1)

    @property
    def unreceipted(self) -> int:
        with self._lock:
            return len(self._sent)

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            receipt = msgspec.json.decode(message.payload, type=wire.Receipt)
        except msgspec.MsgspecError:
            return
        now = time.monotonic()
        self.receipts.append((receipt.epoch, receipt.seq))
        with self._lock:
            for seq in [seq for seq in self._sent if receipt.epoch == self.epoch and seq <= receipt.seq]:
                self.waits.append(now - self._sent.pop(seq))
                del self._payloads[seq]
                self._moved_at = now

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def chatter(gateways: Sequence[Gateway], seconds: float, every_s: float = 0.2, readings: int = 5) -> list[float]:
    """Quiet gateways send for so long; how long each of their batches waited for its receipt, in seconds."""
    for gateway in gateways:
        gateway.waits.clear()
    ends = time.monotonic() + seconds

    def speak(gateway: Gateway, offset: float) -> None:
        time.sleep(offset)
        while time.monotonic() < ends:
            gateway.send(readings)
            time.sleep(every_s)

    threads = [Thread(target=speak, args=(gateway, every_s * k / len(gateways))) for k, gateway in enumerate(gateways)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for("receipts for the quiet ones", lambda: not any(gateway.unreceipted for gateway in gateways), 30)
    return [wait for gateway in gateways for wait in gateway.waits]


def p99(waits: Sequence[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(waits, n=100)[98]


class Flood:
    """Another process that sends batches of 500 in a gateway's name as fast as it is told to."""

    def __init__(self, folder: Path, port: int, gateway: str, per_s: int, in_flight: int = 0) -> None:
        command = [sys.executable, str(FLOOD), str(port), gateway, str(per_s), str(in_flight)]
        self.log = folder / f"{gateway}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for("the flood", lambda: "sending" in self.log.read_text(), 20)

    def end(self) -> tuple[int, int]:
        """End it: readings it sent, and how far its receipts came."""
        self.process.terminate()
        self.process.wait(10)
        said = self.log.read_text().split()
        return int(said[-2]), int(said[-1])
