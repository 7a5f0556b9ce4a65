"""`stockyard doctor`: a healthy backend is called so, and each fault is named with its next step."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import update

from backend import doctor, site
from backend.book import schema
from backend.book.db import open_engine, write
from backend.book.migrations import migrate
from backend.book.status import note_status
from backend.check import Check
from backend.config import Backend, Config, Mqtt
from backend.ingest import Ingest
from backend.telemetry import open_store
from models.reading import Fix, from_micros
from models.wire import DeviceState, Status, encode
from tests.backend.books import batch

EXAMPLE = Path(__file__).parents[2] / "deploy" / "site.example.toml"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Place(NamedTuple):
    """A state_dir with a book, and free ports for the page and a broker."""

    config: Config
    folder: Path

    def look(self) -> dict[str, Check]:
        return {check.name: check for check in doctor.checks(self.config)}

    def refused(self) -> dict[str, str]:
        """The next step of each check that failed."""
        found = {name: check.next_step for name, check in self.look().items() if not check.ok}
        assert all(found.values()), "a fault without a next step"
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    now = time.time_ns() // 1000
    listen = f"127.0.0.1:{free_port()}"
    mqtt = Mqtt(url=f"mqtt://127.0.0.1:{free_port()}")
    config = Config(backend=Backend(state_dir=str(tmp_path), listen=listen), mqtt=mqtt)
    book = open_engine("sqlite", tmp_path / "book.db")
    migrate(book)
    site.apply(book, EXAMPLE, now, "test")
    states = [DeviceState(name, "reading", from_micros(now)) for name in ("door-1", "door-2", "scanner-1")]
    with write(book) as tx:
        note_status(tx, "dock-a", encode(Status(online=True, devices=states)), now)
    trackers = [encode(Fix(f"imei:3563070424410{n}", from_micros(now), 51.0, 3.7)) for n in (13, 21)]
    Ingest(book, lambda: now).take([batch("A" * 12, 1, trackers)])
    book.dispose()
    telemetry = open_store(config)
    telemetry.prepare()
    telemetry.close()
    return Place(config, tmp_path)


@pytest.fixture
def broker(place: Place) -> Iterator[None]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    port = place.config.mqtt.url.rpartition(":")[2]
    passwords = place.folder / "mosquitto.conf"
    passwords.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(passwords)], stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                break
        time.sleep(0.02)
    yield
    process.terminate()
    process.wait(10)


@pytest.mark.usefixtures("broker")
def test_a_healthy_backend(place: Place) -> None:
    found = place.look()
    assert {name: check.detail for name, check in found.items() if not check.ok} == {}
    assert {"clock", "disk", "state_dir", "book", "telemetry", "broker", "listen"} <= set(found)
    assert found["device dock-a/door-1"].detail == "reading, nothing read yet"


def test_no_broker_and_no_book(place: Place) -> None:
    (place.folder / "book.db").unlink()
    assert place.refused() == {
        "book": "stockyard migrate -c backend.toml",
        "broker": "start the broker, or correct mqtt.url and mqtt.password_file",
    }
    assert not (place.folder / "book.db").exists(), "it changes nothing"


def test_something_else_answers_in_its_place(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ASK_S", 0.3)
    with socket.socket() as page, socket.socket() as silent:
        page.bind(("127.0.0.1", int(place.config.backend.listen.rpartition(":")[2])))
        silent.bind(("127.0.0.1", int(place.config.mqtt.url.rpartition(":")[2])))
        page.listen()
        silent.listen()
        found = place.look()
    assert "Address already in use" in found["listen"].detail
    assert "no MQTT answer" in found["broker"].detail or "timed out" in found["broker"].detail


def test_a_damaged_and_a_future_book(place: Place) -> None:
    book = open_engine("sqlite", place.folder / "book.db")
    with write(book) as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    book.dispose()
    assert place.refused()["book"] == "install the newer program"
    file = place.folder / "book.db"
    file.write_bytes(b"not a database" * 1000)
    assert "restore a backup" in place.refused()["book"]


def test_silent_devices_and_a_clock_that_went_back(place: Place) -> None:
    book = open_engine("sqlite", place.folder / "book.db")
    with write(book) as tx:
        ahead = time.time_ns() // 1000 + 3_600_000_000
        tx.execute(update(schema.gateway).values(online=False, last_seen=ahead))
    book.dispose()
    found = place.look()
    assert found["device dock-a/door-1"].detail == "gateway offline, nothing read yet"
    assert found["device dock-a/door-1"].next_step == "look at gateway 'dock-a': `stockyard-edge doctor`"
    assert found["clock"].next_step == "set it: run an NTP client"


def test_a_telemetry_store_that_is_not_one(place: Place) -> None:
    for file in place.folder.glob("telemetry.db*"):
        file.unlink()
    assert place.look()["telemetry"].ok, "it is made when the backend runs"
    (place.folder / "telemetry.db").write_bytes(b"not a database" * 1000)
    assert "remove telemetry.db" in place.refused()["telemetry"]
