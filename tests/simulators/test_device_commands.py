import json
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import serial
from typer.testing import CliRunner

from simulators.cli import app

Make = Callable[..., bytes]
COMMAND = (sys.executable, "-c", "from simulators.cli import main; main()", "device")
ONE = struct.pack("!I", 1)


class Address:
    """Stands where a test in one process passes its reader."""

    def __init__(self, text: str) -> None:
        host, _, port = text.rpartition(":")
        self.address = host, int(port)


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


def begins_in(heard: list[bytes], told: list[bytes]) -> bool:
    """All of it, without a hole. Opening a port discards what came in meanwhile: the first few may be missing."""
    return any(heard == told[at : at + len(heard)] for at in range(len(told)))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_reader_tells_a_thousand_distinct_tags_a_second_and_writes_the_truth(
    connect: Callable[[Any], Any], make_rospec: Make, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    options = ["--listen", "127.0.0.1:0", "--distinct", "--rate", "2000", "--seed", "4", "--truth", str(truth)]
    with device("llrp", *options, "--json") as (ready, process):
        assert ready["ready"] == "llrp"
        client = connect(Address(ready["address"]))
        assert [client.ask(kind, body)[1] for kind, body in ((20, make_rospec()), (24, ONE), (22, ONE))] == [0, 0, 0]
        began, epcs = time.monotonic(), set[str]()
        while len(epcs) < 1500:
            body = client.until(61)
            size = struct.unpack_from("!H", body, 2)[0]
            epcs |= {body[at + 5 : at + 17].hex() for at in range(0, len(body), size)}
        rate = len(epcs) / (time.monotonic() - began)
        assert epcs <= {line["epc"] for line in lines(truth)}, "the truth is written before it is told"
        assert rate >= 1000
        process.send_signal(signal.SIGTERM)
        assert process.stdout
        summary = json.loads(process.stdout.readline())
    told = lines(truth)
    assert summary == {"device": "llrp", "offered": summary["offered"], "told": len(told)}
    assert len({line["epc"] for line in told}) == len(told) >= 1500


def test_a_scanner_tells_what_its_truth_says(tmp_path: Path) -> None:
    truth, link = tmp_path / "truth.jsonl", tmp_path / "scanner"
    with device("scanner", "--pty", str(link), "--rate", "200", "--truth", str(truth), "--for", "30") as (ready, _):
        assert ready == {"ready": "scanner", "pty": str(link)}
        with serial.Serial(ready["pty"], timeout=3) as port:
            heard = [port.read_until(b"\r") for _ in range(50)]
    assert begins_in(heard, [f"{line['symbology']}{line['data']}\r".encode() for line in lines(truth)])


def test_a_scanner_behind_a_device_server_with_its_own_framing(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    framing = ["--prefix", "\\x02", "--suffix", "\\x03", "--no-aim"]
    options = ["--listen", "127.0.0.1:0", "--rate", "200", "--truth", str(truth), "--for", "30", *framing]
    with device("scanner", *options) as (ready, _), serial.serial_for_url(f"socket://{ready['address']}") as port:
        heard = [port.read_until(b"\3") for _ in range(20)]
    assert begins_in(heard, [f"\2{line['data']}\3".encode() for line in lines(truth)])


def test_faults_are_done_and_told_in_the_truth(
    connect: Callable[[Any], Any], make_rospec: Make, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    wrong = ["--fault", "antenna_off:2@0.1", "--fault", "clock_step:-5@0.2", "--fault", "drop@0.5"]
    options = ["--listen", "127.0.0.1:0", "--impinj", "--rate", "500", "--truth", str(truth), "--for", "30", *wrong]
    with device("llrp", *options) as (ready, _):
        client = connect(Address(ready["address"]))
        assert [client.ask(kind, body)[1] for kind, body in ((20, make_rospec()), (24, ONE), (22, ONE))] == [0, 0, 0]
        while client.receive():
            """Until it is dropped."""
    told = lines(truth)
    faults = [(line["name"], line["value"]) for line in told if line["kind"] == "fault"]
    assert faults == [("antenna_off", 2), ("clock_step", -5), ("drop", 0)]
    off = next(line["at_us"] for line in told if line["kind"] == "fault")
    later = {line["antenna"] for line in told if line["kind"] == "read" and line["at_us"] > off}
    assert later == {1, 3, 4}
    assert all(line["phase_rad"] is not None for line in told if line["kind"] == "read")


def test_what_cannot_be_is_said_plainly(tmp_path: Path) -> None:
    runner = CliRunner()
    wrong = runner.invoke(app, ["device", "llrp", "--listen", "5084"])
    assert (wrong.exit_code, "expected HOST:PORT" in wrong.output) == (2, True)
    wrong = runner.invoke(app, ["device", "llrp", "--listen", "127.0.0.1:0", "--fault", "fire@3"])
    assert (wrong.exit_code, "NAME[:VALUE]@SECONDS expected" in wrong.output) == (2, True)
    for options in ([], ["--pty", str(tmp_path / "a"), "--listen", "127.0.0.1:0"]):
        wrong = runner.invoke(app, ["device", "scanner", *options])
        assert (wrong.exit_code, "one of --pty and --listen" in wrong.output) == (2, True)
    wrong = runner.invoke(app, ["device", "scanner", "--pty", str(tmp_path / "a"), "--suffix", "\\x0"])
    assert (wrong.exit_code, "ASCII with escapes" in wrong.output) == (2, True)
    (tmp_path / "file").write_text("")
    taken = runner.invoke(app, ["device", "scanner", "--pty", str(tmp_path / "file")])
    assert (taken.exit_code, "expected nothing or a symbolic link" in taken.output) == (4, True)


def test_two_readers_cannot_share_an_address() -> None:
    with device("llrp", "--listen", "127.0.0.1:0") as (ready, _):
        second = subprocess.run(
            [*COMMAND, "llrp", "--listen", ready["address"]], capture_output=True, check=False, timeout=60
        )
        assert (second.returncode, b"in use" in second.stderr) == (4, True)


def test_runs_end_by_themselves() -> None:
    with device("llrp", "--listen", "127.0.0.1:0", "--for", "0.5", "--json") as (_, process):
        assert process.wait(30) == 0
        assert process.stdout
        assert json.loads(process.stdout.readline()) == {"device": "llrp", "offered": 0, "told": 0}
