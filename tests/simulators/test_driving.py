"""`stockyard-sim device teltonika`: machines by chance, and a line of truth for every record."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Event
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from models.reading import micros
from models.wire import decode as wire_decode
from models.wire import encode as wire_encode
from simulators.cli import app
from simulators.devices import driving
from simulators.devices.alone import until
from simulators.devices.driving import Machine, Play, RecordTruth, Sending, play_records, trackers
from simulators.devices.teltonika import Habits
from simulators.devices.teltonika_codec import packet
from simulators.devices.upsets import Trouble
from simulators.record import ENGINE_S, GEARBOX_DECIDEGREES, IGNITION, MOVING, ODOMETER_M, Record, readings
from tests.simulators import datagram_server
from tests.simulators.avl_server import AvlServer, decode, honest, serving
from tests.simulators.datagram_server import DatagramServer

IMEI = "356307042441013"
COMMAND = (sys.executable, "-c", "from simulators.cli import main; main()", "device", "teltonika")
START_US = 1_750_000_000_000_000


def drive(seed: int, number: int) -> list[Record]:
    """A record every ten seconds."""
    machine = Machine(Random(seed), START_US)
    return [machine.record(START_US + (each + 1) * 10_000_000) for each in range(number)]


def test_a_machine_is_on_and_off_and_its_counters_only_rise() -> None:
    told = drive(1, 4000)
    assert told == drive(1, 4000) != drive(2, 4000)
    assert decode(packet(told[:255])) == told[:255]
    values = [dict(each.io) for each in told]
    share = sum(each[IGNITION] for each in values) / len(values)
    assert 0.6 < share < 0.95
    changes = sum(before[IGNITION] != after[IGNITION] for before, after in pairwise(values))
    assert changes > 20
    assert changes <= sum(each.event_id == IGNITION and each.priority == 1 for each in told) <= changes + 1
    for ident in (ENGINE_S, ODOMETER_M):
        counts = [each[ident] for each in values]
        assert counts == sorted(counts)
        assert counts[-1] > counts[0]
    ran_s = values[-1][ENGINE_S] - values[0][ENGINE_S]
    assert abs(ran_s - 10 * sum(each[IGNITION] for each in values)) < 10 * changes
    assert all(not each[MOVING] or each[IGNITION] for each in values)
    assert {each.satellites > 0 for each in told} == {True, False}
    assert all(each.speed_kmh == 0 for each in told if not each.satellites)
    assert min(each[GEARBOX_DECIDEGREES] for each in values if each[IGNITION]) < 150


def test_every_reading_of_a_record_goes_on_the_wire() -> None:
    for record in drive(3, 500):
        for reading in readings(IMEI, record):
            assert wire_decode(wire_encode(reading)) == reading


def test_the_truth_has_one_line_a_record_whether_acknowledged_or_not() -> None:
    file = StringIO()
    truth = RecordTruth(file)
    first, second, third = drive(4, 3)
    for each in (first, second, third):
        truth.offer(IMEI, each)
    truth.acknowledge(IMEI, second)
    assert file.getvalue().count("\n") == truth.acked == 1
    truth.close()
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(micros(datetime.fromisoformat(line["at"])), line["acked"]) for line in told] == [
        (second.at_us, True),
        (first.at_us, False),
        (third.at_us, False),
    ]
    assert {(line["what"], line["imei"]) for line in told} == {("record", IMEI)}


def run(server: AvlServer | DatagramServer, truth: Path, *options: str) -> dict[str, object]:
    address = "{}:{}".format(*server.address)
    done = subprocess.run(
        [*COMMAND, "--connect", address, "--imei", IMEI, "--truth", str(truth), "--json", *options],
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    ready, summary = map(json.loads, done.stdout.splitlines())
    assert (ready["ready"], ready["connect"], done.stderr) == ("teltonika", address, "")
    return dict(summary)


def test_several_trackers_tell_what_their_truth_says(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with serving() as server:
        options = ("--trackers", "3", "--rate", "50", "--seed", "4", "--for", "1.5", "--records-per-frame", "5")
        summary = run(server, truth, *options)
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    assert {(line["what"], line["acked"]) for line in told} == {("record", True)}
    assert Counter(line["imei"] for line in told).keys() == {f"35630704244101{digit}" for digit in (3, 4, 5)}
    assert set(server.imeis) == {line["imei"] for line in told}
    assert len({(line["imei"], line["at"]) for line in told}) == len(told)
    assert Counter(micros(datetime.fromisoformat(line["at"])) for line in told) == Counter(
        each.at_us for each in server.records()
    )
    assert max(len(some) for _, some in server.packets) <= 5
    assert summary == {"device": "teltonika", "offered": len(told), "acked": len(told)}
    assert 100 < len(told) <= 3 * 50 * 2


def test_what_was_not_acknowledged_is_told_in_the_end() -> None:
    file = StringIO()
    truth = RecordTruth(file)
    with serving() as server:
        # Hangs up on everything after the third packet.
        server.answer = lambda some: honest(some) if len(server.packets) <= 3 else None
        with trackers(server.address, [IMEI], truth, 0.2) as made:
            offered = play_records(made, Play(1, 20.0), truth, until(Event(), 1.0))
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    acked = [line for line in told if line["acked"]]
    assert len(acked) == truth.acked == sum(len(some) for _, some in server.packets[:3])
    assert len(told) == offered > len(acked)
    assert told[: len(acked)] == acked


def test_trouble_changes_when_and_how_records_come_and_loses_none() -> None:
    file = StringIO()
    truth = RecordTruth(file)
    habits = Habits(0.5, 0.02, 0.1, resend_share=0.2, drop_ack_share=0.1, disorder_share=0.5)
    with serving() as server:
        with trackers(server.address, [IMEI], truth, 20, Sending(3, habits)) as made:
            offered = play_records(made, Play(1, 150.0, Trouble(week=0.02, future=0.02)), truth, until(Event(), 2.0))
        came = [each.at_us for each in server.records()]
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    apart = {
        (datetime.fromisoformat(line["told"]) - datetime.fromisoformat(line["at"])).total_seconds()
        for line in told
        if "told" in line
    }
    assert apart == {-1024 * 7 * 86_400, 30 * 86_400}
    said = [micros(datetime.fromisoformat(line.get("told", line["at"]))) for line in told]
    assert (len(told), truth.acked, set(said)) == (offered, offered, set(came))
    assert len(came) > len(set(came)), "some came more than once"
    firsts = [at_us for at_us in dict.fromkeys(came) if abs(at_us - micros(datetime.now(UTC))) < 3_600_000_000]
    assert firsts != sorted(firsts)


def test_trackers_by_udp_and_in_trouble(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with datagram_server.serving() as server:
        summary = run(server, truth, "--rate", "20", "--for", "1", "--trouble", "0.05", "--udp")
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    assert summary["acked"] == sum(line["acked"] for line in told) > 0
    assert server.imeis == {IMEI}


@pytest.mark.parametrize("rate", [0.8, 5.0])
def test_few_records_a_second_are_some(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one and a half seconds of a clock that no busy machine stops."""
    truth, now = RecordTruth(None), 0.0

    def tick(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return now > 1.5

    monkeypatch.setattr(driving, "time", SimpleNamespace(monotonic=lambda: now, time_ns=time.time_ns))
    with serving() as server, trackers(server.address, [IMEI], truth, 5) as made:
        assert play_records(made, Play(1, rate), truth, tick) == int(rate * 1.5)


def test_what_cannot_be_is_said_plainly() -> None:
    runner = CliRunner()
    for options, expected in (
        (["--connect", "5027", "--imei", IMEI], "HOST:PORT"),
        (["--connect", "127.0.0.1:5027", "--imei", "12345"], "15 digits"),
        (["--connect", "127.0.0.1:5027", "--imei", "35630704244101x"], "15 digits"),
        (["--connect", "127.0.0.1:5027", "--imei", "9" * 15, "--trackers", "2"], "15 digits"),
    ):
        result = runner.invoke(app, ["device", "teltonika", *options])
        assert (result.exit_code, expected in result.output) == (2, True)
