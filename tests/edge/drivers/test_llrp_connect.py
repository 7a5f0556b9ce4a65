"""TLS in front of a reader, with certificates made here by openssl: what is trusted, what is not, and what is said."""

import contextlib
import os
import pty
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from edge.driver import DeviceLost
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.llrp_connect import connect
from models.reading import Tag

EPC = "3034257bf7194e4000001a85"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """reader.pem for 127.0.0.1, other.pem for another host, edge.pem of a client; each with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    for name, host in (("reader", "IP:127.0.0.1"), ("other", "DNS:reader.example"), ("edge", "DNS:edge.example")):
        command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
        files = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
        subprocess.run([*command.split(), "-addext", f"subjectAltName={host}", *files], check=True, capture_output=True)
    return folder


class Tls:
    """A TLS listener that passes bytes on to a plain one and back, connection after connection."""

    def __init__(self, certificate: Path, target: str, clients: Path | None = None) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        if clients is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._server.getsockname())
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                with contextlib.suppress(OSError):
                    client.settimeout(5)
                    one, other = (
                        self._context.wrap_socket(client, server_side=True),
                        socket.create_connection(self._target),
                    )
                    for source, sink in ((one, other), (other, one)):
                        self._threads.append(Thread(target=pump, args=(source, sink), daemon=True))
                        self._threads[-1].start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


def pump(source: socket.socket, sink: socket.socket) -> None:
    source.settimeout(0.2)
    with source, contextlib.suppress(OSError):
        while True:
            try:
                data = source.recv(65536)
            except TimeoutError:
                if sink.fileno() == -1:
                    return
                continue
            if not data:
                break
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
    sink.close()


@pytest.fixture
def wrapped() -> Iterator[Callable[..., Tls]]:
    wrappers: list[Tls] = []

    def make(*arguments: Any, **options: Any) -> Tls:
        wrappers.append(Tls(*arguments, **options))
        return wrappers[-1]

    yield make
    for wrapper in wrappers:
        wrapper.close()


def test_a_reader_is_read_over_tls(
    scripted: Callable[..., Any],
    running: Callable[..., Any],
    llrp: Any,
    certificates: Path,
    wrapped: Callable[..., Tls],
) -> None:
    # More than one TLS record holds: a report of 1,000 tags.
    reader = scripted(llrp.report(*(llrp.tag(f"{number:024x}") for number in range(1000))))
    listener = wrapped(certificates / "reader.pem", reader.address, certificates / "edge.pem")
    settings = LlrpSettings(
        address=listener.address,
        window_s=0.05,
        tls=True,
        ca_file=str(certificates / "reader.pem"),
        cert_file=str(certificates / "edge.pem"),
        key_file=str(certificates / "edge.key"),
    )
    run = running(LlrpDriver("door-1", settings))
    run.until(lambda: sum(isinstance(reading, Tag) for reading in run.readings) == 1000)
    run.close()
    assert (run.error, run.bad) == (None, [])
    assert LlrpDriver("door-1", settings).probe().startswith("an LLRP reader of 4 antennas, firmware 1.0")


@pytest.mark.parametrize(
    ("certificate", "keys", "words"),
    [
        ("reader", {}, "self-signed certificate: put it or its issuer into ca_file"),
        ("reader", {"ca_file": "other.pem"}, "put it or its issuer into ca_file"),
        ("other", {"ca_file": "other.pem"}, "not valid for '127.0.0.1'.*: verify_host = false takes it"),
        ("reader", {"ca_file": "none.pem"}, "ca_file: no such file: .*/none.pem"),
        ("reader", {"ca_file": "reader.key"}, "ca_file: a certificate in PEM expected"),
        (
            "reader",
            {"cert_file": "edge.pem", "key_file": "reader.key"},
            "cert_file, key_file: a certificate and its key",
        ),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    certificate: str, keys: dict[str, str], words: str, certificates: Path, wrapped: Callable[..., Tls]
) -> None:
    listener = wrapped(certificates / f"{certificate}.pem", "127.0.0.1:9")
    files = {key: str(certificates / name) for key, name in keys.items()}
    with pytest.raises(DeviceLost, match=words):
        connect(LlrpSettings(address=listener.address, tls=True, **files))


def test_another_hosts_certificate_is_taken_when_that_is_said(
    scripted: Callable[..., Any], certificates: Path, wrapped: Callable[..., Tls]
) -> None:
    listener = wrapped(certificates / "other.pem", scripted().address)
    other = str(certificates / "other.pem")
    LlrpDriver("d", LlrpSettings(address=listener.address, tls=True, ca_file=other, verify_host=False)).probe()


def test_a_reader_without_tls_is_said_to_be_one(scripted: Callable[..., Any]) -> None:
    with pytest.raises(DeviceLost, match="is this the reader's TLS port"):
        connect(LlrpSettings(address=scripted().address, tls=True))


def test_nobody_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DeviceLost, match=f"connecting to 127.0.0.1:{port}: "):
        connect(LlrpSettings(address=f"127.0.0.1:{port}"))


@pytest.mark.parametrize("host", ["reader..example", "x" * 64 + ".example"])
def test_a_name_that_cannot_be_one_is_a_loss_that_says_so(host: str) -> None:
    with pytest.raises(DeviceLost, match=f"connecting to {host}:5084: "):
        connect(LlrpSettings(address=host))


def test_a_key_with_a_password_is_said_and_nobody_is_asked_for_it(certificates: Path, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    command = ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", f"{certificates}/edge.key", "-out"]
    subprocess.run([*command, str(key)], check=True, capture_output=True)
    settings = LlrpSettings("127.0.0.1:9", tls=True, cert_file=f"{certificates}/edge.pem", key_file=str(key))
    begin = "import sys, edge.drivers.llrp_connect as it, msgspec; from edge.drivers.llrp_settings import LlrpSettings;"
    code = f"{begin} it.connect(msgspec.json.decode(sys.argv[1], type=LlrpSettings))"
    command = [sys.executable, "-c", code, msgspec.json.encode(settings).decode()]
    master, slave = pty.openpty()
    try:
        # a terminal of its own, as a person at `doctor` has one: OpenSSL would ask there
        ended = subprocess.run(["setsid", "-c", *command], stdin=slave, capture_output=True, timeout=20, check=False)
    finally:
        os.close(master)
        os.close(slave)
    assert b"cert_file, key_file: a certificate and its key" in ended.stderr
