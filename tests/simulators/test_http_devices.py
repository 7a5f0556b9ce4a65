"""The simulated phones and provider as commands: what they say over HTTP, judged by the standard library's HTTP."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from simulators import device_http
from simulators.cli import app
from simulators.devices.aemp import FAULTS, AempServer, Shown

COMMAND = (sys.executable, "-c", "from simulators.cli import main; main()", "device")
NAMESPACE = "{http://standards.iso.org/iso/15143/-3}"


class Server:
    """Answers every request with what `status` says next, and keeps what it was sent."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.heard: list[tuple[str, str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.heard.append((self.command, self.path, body.decode()))
                self.send_response(server.statuses.pop(0) if server.statuses else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"127.0.0.1:{self.http.server_address[1]}"
        Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@contextmanager
def device(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """A started device and its ready line; ended by its pid."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline()), process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stdout
        process.stdout.close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def stamps(heard: list[tuple[str, str, str]], form: str) -> set[tuple[str, str]]:
    """(identifier, time) of every record that the server was sent."""
    if form == "json":
        bodies = [json.loads(body) for _, _, body in heard]
        each = [
            (body["device_id"], location)
            for body in bodies
            for location in (body["location"] if isinstance(body["location"], list) else [body["location"]])
        ]
        return {(number, location["timestamp"]) for number, location in each}
    texts = [urlsplit(path).query if form == "query" else body for _, path, body in heard]
    return {(values["id"][0], values["timestamp"][0]) for values in map(parse_qs, texts)}


@pytest.mark.parametrize("form", ["query", "form", "json"])
def test_phones_tell_their_records_and_write_the_truth(server: Server, tmp_path: Path, form: str) -> None:
    server.statuses = [503, 400]
    truth = tmp_path / "truth.jsonl"
    options = ["--connect", f"http://{server.address}", "--id", "phone", "--phones", "2", "--form", form]
    options += ["--records-per-request", "3", "--rate", "90", "--for", "0.6", "--truth", str(truth), "--json"]
    result = CliRunner().invoke(app, ["device", "osmand", *options])
    assert result.exit_code == 0, result.output
    ready, summary = (json.loads(line) for line in result.output.splitlines())
    assert (ready["ready"], ready["id"], ready["phones"]) == ("osmand", "phone", 2)
    told = lines(truth)
    assert summary["offered"] == summary["acked"] == len(told) > 40
    assert {line["imei"] for line in told} == {"phone", "phone-2"}
    assert all(line["acked"] for line in told)
    assert len(stamps(server.heard, form)) == len(told), "what was not answered with 200 came again"
    assert len(server.heard) >= len(told) / 3 + 2
    assert {method for method, _, _ in server.heard} == {"GET" if form == "query" else "POST"}


def test_with_trouble_a_phone_repeats_and_its_clock_goes_wrong(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_http, "FLUSH_S", 1.0)
    truth = tmp_path / "truth.jsonl"
    options = ["--connect", server.address, "--id", "phone", "--rate", "200", "--for", "2", "--trouble", "0.2"]
    result = CliRunner().invoke(app, ["device", "osmand", *options, "--truth", str(truth), "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    told = lines(truth)
    assert any("told" in line for line in told)
    assert len(server.heard) > len(stamps(server.heard, "query")), "some came twice"


def get(url: str, headers: dict[str, str] | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=5) as answer:
        return bytes(answer.read())


def pages(url: str) -> list[ET.Element]:
    found = []
    following: str | None = url
    while following:
        found.append(ET.fromstring(get(following)))  # noqa: S314 - our own
        links = {link.findtext(f"{NAMESPACE}rel"): link for link in found[-1].findall(f"{NAMESPACE}Links")}
        following = links["next"].findtext(f"{NAMESPACE}href") if "next" in links else None
    return found


def test_a_fleet_is_shown_in_pages_and_its_truth_written(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    options = ["--listen", "127.0.0.1:0", "--machines", "7", "--per-page", "3", "--every-s", "1", "--seed", "2"]
    with device("aemp", *options, "--truth", str(truth), "--json") as (ready, process):
        assert (ready["ready"], ready["machines"]) == ("aemp", 7)
        time.sleep(0.5)
        shown = pages(ready["url"])
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        assert process.stdout
        summary = json.loads(process.stdout.readline())
    assert [len(page.findall(f"{NAMESPACE}Equipment")) for page in shown] == [3, 3, 1]
    served = {(line["pin"], line["name"]) for line in lines(truth) if line["served"]}
    equipment = [each for page in shown for each in page.findall(f"{NAMESPACE}Equipment")]
    seen = {
        (each.findtext(f"{NAMESPACE}EquipmentHeader/{NAMESPACE}PIN"), child.tag.removeprefix(NAMESPACE))
        for each in equipment
        for child in each
    }
    assert served == {(pin, name) for pin, name in seen if name != "EquipmentHeader"}
    assert (summary["served"], summary["asked"]) == (len(served), 3)
    assert summary["sent"] == len(lines(truth)) > len(served), "what was never asked for is there too"


def test_a_provider_asks_for_its_password(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pass\n")
    options = ["--listen", "127.0.0.1:0", "--username", "fleet", "--password-file", str(secret), "--form", "json"]
    with device("aemp", *options) as (ready, _):
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            get(ready["url"])
        refused.value.close()
        told = json.loads(get(ready["url"], {"Authorization": "Basic ZmxlZXQ6cGFzcw=="}))
    assert len(told["Equipment"]) == 10
    assert [link["rel"] for link in told["Links"]] == ["self", "next", "last"]


def test_every_fault_is_one() -> None:
    """Of the second page; the first one stays as it is."""
    server = AempServer(("127.0.0.1", 0), ["a", "b", "c"], lambda _pin, _element: None, Shown(2))
    server.start()
    server.send(1_790_000_000_000_000)
    second = server.url[:-1] + "2"
    good = get(second)
    said: dict[str, bytes | None] = {}
    for fault in set(FAULTS) - {"slow"}:
        server.fault(fault, 60)
        assert len(ET.fromstring(get(server.url)).findall(f"{NAMESPACE}Equipment")) == 2  # noqa: S314 - our own
        try:
            said[fault] = get(second)
        except (urllib.error.HTTPError, OSError) as error:
            said[fault] = str(getattr(error, "code", "")).encode()
        except Exception as error:  # noqa: BLE001 - the library's own for a body that is cut short
            said[fault] = type(error).__name__.encode()
    server.fault("", 0)
    assert get(second) == good
    server.stop()
    assert all(text != good for text in said.values())
    assert (said["missing_page"], said["busy"], said["unauthorized"]) == (b"404", b"503", b"401")
    assert said["truncated"] == b"IncompleteRead"


def test_a_fault_that_there_is_not_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["device", "aemp", "--fault", "flood@1"])
    assert (result.exit_code, "NAME[:VALUE]@SECONDS expected" in result.output) == (2, True)
    assert CliRunner().invoke(app, ["device", "osmand", "--connect", "nowhere", "--id", "x"]).exit_code == 2
    assert CliRunner().invoke(app, ["device", "aemp", "--username", "fleet"]).exit_code == 2
