"""The shipped Mosquitto configuration: TLS for real edge and backend, and nobody can speak or hear as somebody else."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import doctor_broker
from edge import doctor as edge_doctor
from edge.connection import Mqtt
from models import wire
from tests.deploy.guarded import BACKEND, USERS, Guarded, ingesting, installed, publishing, signals, wait_for
from tests.servers.certificates import OPENSSL, Authority
from tests.system.plant import books

ASK_S = 5.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if OPENSSL is None:
        pytest.skip("openssl is not installed")
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    with installed(folder / "etc", authority.server()) as broker:
        yield Guarded(broker, authority, folder)


def test_readings_reach_the_book_and_receipts_the_edge(guarded: Guarded, tmp_path: Path) -> None:
    listener = guarded.client(BACKEND, USERS[BACKEND])
    assert listener.subscribe(wire.topic("+", "status"))
    with (
        ingesting(tmp_path, guarded.backend_config()) as book,
        publishing(tmp_path, guarded.edge_config()) as outbox,
    ):
        outbox.put(signals(250)).result(5)
        wait_for(lambda: [line.mark for line in outbox.lines()] == [250])
        assert [*books.marks(book).values()] == [250]
        wait_for(lambda: any(b'"online":true' in payload for _, payload in listener.heard))
    wait_for(lambda: listener.heard and b'"online":false' in listener.heard[-1][1])
    listener.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves such a socket to the gc
def test_a_broker_that_another_authority_vouches_for_is_refused_by_both(
    guarded: Guarded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = str(Authority.make(tmp_path).ca)
    caplog.set_level(logging.WARNING)
    said = "the broker's certificate is not accepted: unable to get local issuer certificate; look at mqtt.ca_file"
    with (
        ingesting(tmp_path, guarded.backend_config(ca_file=stranger)),
        publishing(tmp_path, guarded.edge_config(ca_file=Path(stranger))) as outbox,
    ):
        outbox.put(signals(3)).result(5)
        wait_for(lambda: {r.name for r in caplog.records if said in r.message} >= {"backend.transport.mqtt"})
        wait_for(lambda: {r.name for r in caplog.records if said in r.message} >= {"edge.publisher"})
        assert [line.mark for line in outbox.lines()] == [0]
    assert said in doctor_broker.broker(guarded.backend_config(ca_file=stranger), ASK_S).detail
    (checked,) = doctor_broker.certificates(guarded.backend_config(ca_file=stranger), ASK_S)
    assert said in checked.detail
    assert not checked.ok
    found = {f.check: f.found for f in edge_doctor._certificates(guarded.edge_config(ca_file=Path(stranger)))}
    assert said in found["broker's certificate"]


def test_no_name_and_a_wrong_password_are_refused(guarded: Guarded) -> None:
    for name, password in (("", ""), ("dock-a", "guess"), ("nobody", "a")):
        client = guarded.client(name, password)
        assert client.refused is not None
        client.close()


def test_a_gateway_is_heard_and_hears_under_its_own_name_only(guarded: Guarded) -> None:
    backend = guarded.client(BACKEND, USERS[BACKEND])
    other = guarded.client("dock-b", USERS["dock-b"])
    rogue = guarded.client("dock-a", USERS["dock-a"])
    assert backend.subscribe("stockyard/v1/+/readings")
    assert backend.subscribe("stockyard/v1/+/status")
    assert other.subscribe("stockyard/v1/dock-b/receipt")
    assert other.subscribe("stockyard/v1/dock-b/reply")
    for topic in ("dock-b/readings", "dock-b/status", "dock-b/receipt", "dock-b/reply", "events/alert"):
        rogue.publish(f"stockyard/v1/{topic}", b"spoofed", retain=topic.endswith("status"))
    rogue.publish("stockyard/v1/dock-a/receipt", b"spoofed")
    for topic in ("dock-b/receipt", "dock-b/readings", "+/readings", "#", "events/#"):
        if rogue.subscribe(f"stockyard/v1/{topic}"):
            other.publish("stockyard/v1/dock-b/status", b"secret")
    assert rogue.subscribe("stockyard/v1/dock-a/receipt")
    rogue.publish("stockyard/v1/dock-a/readings", b"own")
    other.publish("stockyard/v1/dock-b/readings", b"own")
    backend.publish("stockyard/v1/dock-b/receipt", b"receipt")
    wait_for(lambda: len([p for _, p in backend.heard if p == b"own"]) == 2)
    wait_for(lambda: other.heard)
    assert [*other.heard] == [("stockyard/v1/dock-b/receipt", b"receipt")]
    assert b"spoofed" not in {payload for _, payload in backend.heard}
    assert rogue.heard == []
    for client in (backend, other, rogue):
        client.close()


def test_the_backends_name_can_be_no_gateways() -> None:
    assert not wire.is_gateway(BACKEND)


@pytest.mark.parametrize(
    ("days", "said"),
    [(31, ""), (30, "expires within 30 days, on "), (7, "within 7 days"), (1, "within 1 day,"), (-1, "expired")],
)
def test_a_certificate_that_ends_is_named_on_both_sides(
    authority: Authority, tmp_path: Path, days: int, said: str
) -> None:
    server = authority.server(days)
    with installed(tmp_path / "etc", server) as broker:
        here = Guarded(broker, authority, tmp_path)
        own = authority.client("dock-a", days)
        files = {"cert_file": own.cert, "key_file": own.key}
        backend = {
            check.name: check
            for check in doctor_broker.certificates(
                here.backend_config(**{name: str(file) for name, file in files.items()}), ASK_S
            )
        }
        edge = {finding.check: finding for finding in edge_doctor._certificates(here.edge_config(**files))}
    assert {*backend} == {*edge} == {"broker's certificate", "mqtt.cert_file"}
    for check in backend.values():
        assert (check.ok, said in check.detail) == (not said, True), check
        assert check.ok or check.next_step
    for finding in edge.values():
        assert (finding.ok, said in finding.found) == (not said, True), finding
        assert finding.ok or finding.next_step


def test_a_broker_that_asks_for_certificates_takes_those_it_knows(authority: Authority, tmp_path: Path) -> None:
    more = f"cafile {authority.ca}\nrequire_certificate true\n"
    with installed(tmp_path / "etc", authority.server(), more) as broker:
        here = Guarded(broker, authority, tmp_path)
        refused = doctor_broker.broker(here.backend_config(), ASK_S)
        assert not refused.ok
        own = authority.client("stockyard.backend")
        files = {"cert_file": str(own.cert), "key_file": str(own.key)}
        assert doctor_broker.broker(here.backend_config(**files), ASK_S).ok
        with (
            publishing(tmp_path, here.edge_config(cert_file=own.cert, key_file=own.key)) as outbox,
            ingesting(tmp_path, here.backend_config(**files)),
        ):
            outbox.put(signals(3)).result(5)
            wait_for(lambda: [line.mark for line in outbox.lines()] == [3])


def test_a_key_that_is_another_certificates_is_said_to_be(authority: Authority, guarded: Guarded) -> None:
    one, two = authority.client("one"), authority.client("two")
    check = doctor_broker.broker(guarded.backend_config(cert_file=str(one.cert), key_file=str(two.key)), ASK_S)
    assert "do not belong together" in check.detail
    mqtt = Mqtt(url=guarded.broker.url, ca_file=authority.ca, cert_file=one.cert, key_file=two.key)
    found = {finding.check: finding for finding in edge_doctor._certificates(mqtt)}
    assert "KEY_VALUES_MISMATCH" in found["broker's certificate"].found
