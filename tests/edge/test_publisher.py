"""The publisher against real brokers, killed and restarted."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.connection import Mqtt
from edge.outbox import Outbox
from models.reading import DeviceEvent
from models.wire import Receipt, Reply, decode, encode
from tests.edge.delivery_site import MOSQUITTO, STATE, Iotcore, Mosquitto, Site, signals, wait_for


@pytest.fixture(params=["mosquitto", "iotcore"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Everything but the publisher runs; on both brokers."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    site = Site(tmp_path, Mosquitto(tmp_path) if request.param == "mosquitto" else Iotcore(tmp_path))
    yield site
    site.close()


def test_readings_arrive_in_order_are_receipted_and_the_status_is_retained(site: Site) -> None:
    publisher = site.publish()
    publisher.trackers = lambda: {"connected": 812, "silent": 3}
    site.outbox.put(signals(0, 300)).result(5)
    wait_for(lambda: len(site.backend.journal) == 300)
    assert site.backend.values() == [float(number) for number in range(300)]

    def listed_as_drained() -> bool:
        publisher.devices_changed()
        streams = site.backend.statuses[-1].streams
        return bool(streams) and (streams[0].next_seq, streams[0].outbox_depth) == (301, 0)

    wait_for(listed_as_drained)
    assert (site.backend.statuses[-1].online, site.backend.statuses[-1].devices) == (True, [STATE])
    assert site.backend.statuses[-1].trackers == {"connected": 812, "silent": 3}
    site.end_publisher()
    wait_for(lambda: not site.backend.statuses[-1].online)


def test_a_backlog_of_several_runs_drains_and_live_rows_go_beside_it(site: Site) -> None:
    for run in range(3):
        site.outbox.put(signals(run * 5000, 5000)).result(10)
        site.outbox.begin_epoch()
    started = time.monotonic()
    site.publish()
    wait_for(lambda: len(site.backend.journal) == 15000, 20)
    rate = 15000 / (time.monotonic() - started)
    assert site.backend.values() == [float(number) for number in range(15000)]
    assert site.backend.doubles == 0
    assert rate > 1000, "measured 22,000 readings/s on two idle cores"


def test_the_broker_is_killed_and_restarted_and_nothing_is_lost_or_doubled(site: Site) -> None:
    site.publish()
    for turn in range(2 if isinstance(site.broker, Mosquitto) else 1):
        futures = [site.outbox.put(signals(turn * 400 + part * 40, 40)) for part in range(10)]
        time.sleep(0.05 * turn)
        site.broker.kill()
        for future in futures:
            future.result(5)
        site.backend.subscribed.clear()
        site.broker.start()
        assert site.backend.subscribed.wait(10)
    site.outbox.put(signals(400 * turn + 400, 1)).result(5)
    wait_for(lambda: len(site.backend.journal) == 400 * turn + 401, 15)
    assert site.backend.values() == [float(number) for number in range(400 * turn + 401)]
    assert site.backend.conflicts == 0


def test_a_reply_reaches_its_device_unless_it_is_old_and_junk_changes_nothing(site: Site) -> None:
    site.publish()
    site.outbox.put(signals(0, 1)).result(5)
    wait_for(lambda: site.backend.journal)
    now = datetime.now(UTC)
    for payload in (
        b"\xff{",
        b"{}",
        encode(Reply("scanner-1", now - timedelta(seconds=31), ok=True, text="too late")),
        encode(Reply("bug", now, ok=True, text="raises")),
        encode(Reply("scanner-1", now, ok=True, text="40 x BOLT-M8 received")),
    ):
        site.backend.client.publish("stockyard/v1/dock-a/reply", payload, qos=1)
        site.backend.client.publish("stockyard/v1/dock-a/receipt", payload, qos=1)
    wait_for(lambda: site.replies)
    assert [reply.text for reply in site.replies] == ["40 x BOLT-M8 received"]
    site.outbox.put(signals(1, 1)).result(5)
    wait_for(lambda: len(site.backend.journal) == 2)


def test_a_backend_that_was_down_gets_everything_when_it_answers_again(tmp_path: Path) -> None:
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        site.backend.silent = True
        site.publish()
        site.outbox.put(signals(0, 50)).result(5)
        time.sleep(0.5)
        site.backend.silent = False
        wait_for(lambda: len(site.backend.journal) == 50, 15)
        wait_for(lambda: site.outbox.lines()[0].mark == 50)
    finally:
        site.close()


def test_a_receipt_for_more_than_was_sent_is_told_in_a_new_epoch(tmp_path: Path) -> None:
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        site.publish()
        site.outbox.put(signals(0, 5)).result(5)
        wait_for(lambda: len(site.backend.journal) == 5)
        (epoch,) = site.backend.marks
        site.backend.client.publish("stockyard/v1/dock-a/receipt", encode(Receipt(epoch, 99)), qos=1)
        wait_for(lambda: len(site.backend.marks) == 2)
        (told,) = [text for (where, _), text in site.backend.journal.items() if where != epoch]
        event = decode(told)
        assert isinstance(event, DeviceEvent)
        assert event.name == "outbox_shared"
    finally:
        site.close()


def test_the_quota_is_told_as_a_gap(tmp_path: Path) -> None:
    site = Site(tmp_path, Iotcore(tmp_path))
    try:
        site.outbox.close()
        site.outbox = Outbox(tmp_path / "small.db", 1)
        site.outbox.put(signals(0, 20000)).result(20)
        site.publish()
        (epoch,) = [line.epoch for line in site.outbox.lines()]
        wait_for(lambda: site.backend.marks.get(epoch) == 20000, 15)
        kept = len(site.backend.journal)
        assert site.backend.gaps == [(epoch, 1, 20000 - kept)]
        assert 1000 < kept < 19000
    finally:
        site.close()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_the_last_will_says_offline_and_mqtt_5_works(tmp_path: Path) -> None:
    site = Site(tmp_path, Mosquitto(tmp_path))
    try:
        publisher = site.publish(version="5")
        site.outbox.put(signals(0, 1)).result(5)
        wait_for(lambda: site.backend.journal)
        assert publisher._client is not None
        connection = publisher._client.socket()
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: [status.online for status in site.backend.statuses[-2:]] == [False, True])
    finally:
        site.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"url": "http://broker"}, "mqtt.url"),
        ({"url": "broker:1883"}, "mqtt.url"),
        ({"url": "mqtt://user:secret@broker"}, "mqtt.url"),
        ({"url": "mqtt://broker", "ca_file": Path("ca.pem")}, "mqtts"),
        ({"url": "mqtt://broker", "version": "4"}, "mqtt.version"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Mqtt(**settings)


def test_the_password_is_not_in_its_repr() -> None:
    assert "secret" not in repr(Mqtt("mqtts://broker", "dock-a", "secret"))


CERTIFICATES = """
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=test-ca
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1
printf subjectAltName=IP:127.0.0.1 > names
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem -extfile names
openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=dock-a
openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem
mosquitto_passwd -b -c passwords dock-a right
chmod a+r server.key passwords
"""


@pytest.mark.skipif(
    MOSQUITTO is None or shutil.which("openssl") is None or shutil.which("mosquitto_passwd") is None,
    reason="mosquitto, mosquitto_passwd or openssl is not installed",
)
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_with_certificates_and_a_password_and_what_is_refused(tmp_path: Path) -> None:
    """The ignored warning is paho's: it leaves a socket to the garbage collector when the handshake fails."""
    subprocess.run(["sh", "-ec", CERTIFICATES], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    tmp_path.chmod(0o755)
    broker = Mosquitto(tmp_path)
    plain = Mosquitto(tmp_path)
    secured = f"""allow_anonymous true
listener {broker.port} 127.0.0.1
require_certificate true
cafile {tmp_path}/ca.pem
certfile {tmp_path}/server.pem
keyfile {tmp_path}/server.key
allow_anonymous false
password_file {tmp_path}/passwords"""
    plain.config.write_text(f"user root\nper_listener_settings true\nlistener {plain.port} 127.0.0.1\n{secured}\n")
    site = Site(tmp_path, plain)
    client = {name: tmp_path / f"{file}" for name, file in (("cert_file", "client.pem"), ("key_file", "client.key"))}
    url, ca_file = f"mqtts://127.0.0.1:{broker.port}", tmp_path / "ca.pem"
    try:
        site.outbox.put(signals(0, 10)).result(5)
        for wrong in (
            {"password": "wrong", "ca_file": ca_file, **client},
            {"password": "right", **client},
            {"password": "right", "ca_file": ca_file},
            {"password": "right", "ca_file": tmp_path / "none.pem", **client},
        ):
            site.publish(url=url, username="dock-a", **wrong)
            time.sleep(0.3)
            site.end_publisher()
            assert not site.backend.journal, wrong
        site.publish(url=url, username="dock-a", password="right", ca_file=ca_file, **client)  # noqa: S106
        wait_for(lambda: len(site.backend.journal) == 10)
    finally:
        site.close()
