"""Wireshark's own dissector reads what the reader sends: a third party's view of the whole protocol."""

import shutil
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.devices import llrp_facts as facts
from simulators.devices.alone import TagStream
from simulators.devices.llrp import LlrpReader

Make = Callable[..., bytes]
ONE = struct.pack("!I", 1)
REPORTS = 1_000
TAGS_PER_REPORT = 10
REQUESTS = {1, 2, 3, 14, *range(20, 27), *range(40, 45), 60, 64, 72}
ANSWERS = {4, 11, 12, 13, *range(30, 37), *range(50, 55), 61, 62, 63, 100}

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@contextmanager
def capture(port: int, file: Path) -> Iterator[None]:
    """tshark on the loopback; skips where it may not capture."""
    command = ["tshark", "-q", "-n", "-l", "-i", "lo", "-f", f"tcp port {port}", "-w", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = ""
        while "Capturing on" not in said:
            line = process.stderr.readline()
            if not line:
                pytest.skip(f"tshark cannot capture here: {said}")
            said += line
        time.sleep(0.5)
        try:
            yield
            time.sleep(0.3)
        finally:
            process.send_signal(signal.SIGINT)
            process.stderr.read()
    assert process.returncode == 0


def tshark(port: int, file: Path, *arguments: str) -> str:
    command = ["tshark", "-n", "-r", str(file), "-d", f"tcp.port=={port},llrp", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def use_every_message(client: Any, make_rospec: Make, make_param: Make) -> None:
    """One of every request, each of them answered; ends with an active ROSpec, and every kind of event asked for."""
    states = b"".join(make_param(245, struct.pack("!HB", kind, 0x80)) for kind in range(9))
    events = make_param(244, states) + make_param(225, struct.pack("!HBB", 1, 0x80, 0))
    keepalive = make_param(220, struct.pack("!BI", 1, 100))
    access = make_param(207, struct.pack("!IHBBI", 1, 0, 1, 0, 0) + access_parts(make_param))
    assert client.ask(1, b"\0")[:2] == (11, 0)
    for item in range(2, 12):
        assert client.ask(2, struct.pack("!HBHH", 0, item, 0, 0))[:2] == (12, 0)
    assert client.ask(3, b"\0" + keepalive + events + make_param(219, struct.pack("!HB", 1, 0x80)))[:2] == (13, 0)
    assert client.ask(20, make_rospec(state=1))[:2] == (30, 100)
    assert client.ask(20, make_rospec())[:2] == (30, 0)
    for kind, body in ((24, ONE), (22, ONE), (23, ONE), (25, ONE), (26, b""), (21, ONE), (21, ONE)):
        assert client.ask(kind, body)[0] == kind + 10
    for kind, body in ((40, access), (42, ONE), (44, b""), (43, ONE), (41, ONE)):
        assert client.ask(kind, body)[:2] == (kind + 10, 0)
    client.until(62)
    client.send(72)
    client.send(64)
    assert client.ask(1023, struct.pack("!IBI", 25882, 21, 0))[:2] == (100, 109)


def start(client: Any, rospec: bytes) -> None:
    for kind, body in ((20, rospec), (24, ONE), (22, ONE)):
        assert client.ask(kind, body)[:2] == (kind + 10, 0)


def happen(reader: LlrpReader) -> None:
    """One of every event that the world makes."""
    reader.gpi(1, on=True)
    reader.antenna(4, on=False)
    reader.antenna(4, on=True)
    reader.exception("simulated")


def access_parts(make_param: Make) -> bytes:
    """Stop trigger and a command that reads two words of the TID bank."""
    target = make_param(339, struct.pack("!BHHH", 0x60, 0, 0, 0))
    read = make_param(341, struct.pack("!HIBHH", 1, 0, 0x80, 0, 2))
    return make_param(208, struct.pack("!BH", 0, 0)) + make_param(209, make_param(338, target) + read)


def tell(reader: LlrpReader, client: Any, tags: int, *, fine: bool) -> None:
    """So many tags, in steps that the client keeps up with."""
    stream, step = TagStream(1, 0, distinct=True, fine=fine), 50 * TAGS_PER_REPORT
    client.reports.clear()
    for number in range(tags // step):
        assert reader.offer(stream.draw(1_700_000_000_000_000 + number, step)) == step
        while len(client.reports) < (number + 1) * 50:
            if client.receive()[0] == 62:
                client.send(72)


def test_wireshark_finds_nothing_malformed(
    reader: LlrpReader, connect: Callable[[LlrpReader], Any], make_rospec: Make, make_param: Make, tmp_path: Path
) -> None:
    port, file = reader.address[1], tmp_path / "llrp.pcapng"
    with capture(port, file):
        client = connect(reader)
        use_every_message(client, make_rospec, make_param)
        start(client, make_rospec(report=(1, 0, 0xFFC0, 0xC0)))
        happen(reader)
        connect(reader)
        tell(reader, client, REPORTS * TAGS_PER_REPORT, fine=False)
        client.send(60)
        client.until(61)
        assert client.ask(14)[:2] == (4, 0)
        assert client.receive() is None
    assert {int.from_bytes(body[16:18]) for body in client.events} >= {248, 249, 252, 255, 256}
    rows = tshark(port, file, "-T", "fields", "-e", "llrp.type").split()
    kinds = Counter(int(kind) for row in rows for kind in row.split(","))
    assert set(kinds) >= REQUESTS | ANSWERS, f"not seen: {(REQUESTS | ANSWERS) - set(kinds)}"
    assert kinds[61] >= REPORTS
    expert = tshark(port, file, "-q", "-z", "expert")
    print(f"\n{kinds[61]} reports, {len(kinds)} message types, {sum(kinds.values())} messages\n{expert}")
    assert tshark(port, file, "-Y", "_ws.malformed || (llrp && _ws.expert.severity >= warning)") == ""
    assert "LLRP" not in expert
    assert "Malformed" not in expert


def test_of_impinjs_parameters_wireshark_misjudges_doppler_only(
    make_reader: Callable[..., LlrpReader],
    connect: Callable[[LlrpReader], Any],
    make_rospec: Make,
    make_custom: Make,
    tmp_path: Path,
) -> None:
    """It takes the value of subtype 68 for no part of it: two bytes too few in each, and nothing else in any other."""
    reader, file = make_reader(is_impinj=True), tmp_path / "llrp.pcapng"
    with capture(reader.address[1], file):
        for asked in ((52, 53), (52, 53, 67)):
            client = connect(reader)
            assert client.ask(1023, struct.pack("!IBI", 25882, 21, 0))[0] == 1023
            content = make_custom(50, b"".join(make_custom(each, b"\0\1") for each in asked))
            start(client, make_rospec(custom=content))
            tell(reader, client, 2000, fine=True)
            assert client.ask(21, ONE)[:2] == (31, 0)
            client.close()
    assert tshark(reader.address[1], file, "-T", "fields", "-e", "llrp.type").count("61") >= 400
    lines = tshark(reader.address[1], file, "-q", "-z", "expert").splitlines()
    found = [line for line in lines if "LLRP" in line or "Malformed" in line]
    print(f"\nof 4000 tags, 2000 of them with Doppler: {found}")
    assert [line.split(maxsplit=3) for line in found] == [
        ["2000", "Malformed", "LLRP", "Incorrect length of parameter: 12 bytes decoded, but 14 bytes claimed."]
    ]


def test_the_check_sees_a_malformed_report(
    reader: LlrpReader, connect: Callable[[LlrpReader], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port, file = reader.address[1], tmp_path / "llrp.pcapng"
    monkeypatch.setattr("simulators.devices.llrp_machine.success", lambda: struct.pack("!HHHH", 287, 80, 0, 0))
    with capture(port, file):
        connect(reader).ask(1, b"\2")
    assert "Malformed" in tshark(port, file, "-q", "-z", "expert")


@pytest.mark.skipif(shutil.which("text2pcap") is None, reason="text2pcap is not installed")
def test_identification_is_built_as_a_real_readers(tmp_path: Path) -> None:
    """tshark 4.0 counts this parameter two bytes short, in a Speedway's answer (the first) as in ours."""
    speedway = bytes.fromhex("00da000f0000080016 25ffff10ba47")
    assert facts.identification()[:7] == speedway[:7]
    findings: list[list[str]] = []
    for number, parameter in enumerate((speedway, facts.identification())):
        body = struct.pack("!HHHH", 287, 8, 0, 0) + parameter
        frame = struct.pack("!HII", 1 << 10 | 12, 10 + len(body), 1) + body
        text, file = tmp_path / f"{number}.txt", tmp_path / f"{number}.pcap"
        text.write_text("000000 " + frame.hex(" ") + "\n")
        subprocess.run(["text2pcap", "-q", "-T", "5084,5084", str(text), str(file)], check=True, capture_output=True)
        findings.append([line for line in tshark(5084, file, "-V").splitlines() if "length of parameter" in line])
    assert findings[0] == findings[1]
