"""The simulated GT06 tracker against a server that is told what to answer."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from typer.testing import CliRunner

from simulators.cli import app
from simulators.devices.gt06 import Gt06Habits, Gt06Tracker
from simulators.devices.gt06_codec import ALARM, HEARTBEAT, LOCATION, LOCATION_OLD, LOGIN, Report, content
from simulators.devices.gt06_driving import ROLLOVER_US, Reporter, Trouble
from tests.edge.drivers.gt06_client import packet
from tests.simulators.gt06_server import gt06_server, until

IMEI = "353413532150362"
START_US, SECOND_US = 1_750_000_000_000_000, 1_000_000
NO_TROUBLE = Trouble()
QUICK = Gt06Habits(reply_timeout_s=1.0, first_backoff_s=0.01, most_backoff_s=0.05)


def reports(number: int, trouble: Trouble = NO_TROUBLE, *, acc: bool = True) -> list[Report]:
    reporter = Reporter(Random(1), START_US, trouble, acc=acc)
    return [reporter.report(START_US + (each + 1) * SECOND_US) for each in range(number)]


def tracker_of(address: tuple[str, int], noted: list[Report], habits: Gt06Habits = QUICK) -> Gt06Tracker:
    tracker = Gt06Tracker(address, IMEI, noted.append, habits)
    tracker.start()
    return tracker


def test_it_logs_in_and_numbers_its_packets() -> None:
    noted: list[Report] = []
    with gt06_server() as server:
        tracker = tracker_of(server.address, noted)
        until(lambda: tracker.connected)
        some = reports(5)
        for each in some:
            tracker.offer(each, on=True)
        assert tracker.stop(5) == 0
        [heard] = server.heard
    assert heard[0] == (LOGIN, bytes.fromhex("0" + IMEI + "22000001"), 1)
    assert [serial for _, _, serial in heard] == [1, 2, 3, 4, 5, 6]
    assert [body for _, body, _ in heard[1:]] == [content(each) for each in some]
    assert noted == some


def test_what_is_not_answered_is_sent_again_on_a_new_connection() -> None:
    noted: list[Report] = []
    answers = iter([None, b"", packet(0x22, b"", 9)])

    def moody(kind: int, _content: bytes, serial: int) -> bytes | None:
        return packet(kind, b"", serial) if kind == LOGIN else next(answers, packet(kind, b"", serial))

    with gt06_server(moody) as server:
        tracker = tracker_of(server.address, noted, replace(QUICK, reply_timeout_s=0.2))
        [report] = reports(1)
        tracker.offer(report, on=True)
        assert tracker.stop(5) == 0
        assert len(server.packets(LOGIN)) == 4
        assert len({body[:18] for _, body, _ in server.packets(LOCATION)}) == 1
    assert noted == [report]


def test_reports_made_without_a_network_say_so() -> None:
    noted: list[Report] = []
    with gt06_server() as server:
        tracker = tracker_of(server.address, noted)
        until(lambda: tracker.connected)
        tracker.outage(0.3)
        until(lambda: not tracker._logged_in)
        for each in reports(3):
            tracker.offer(each, on=True)
        until(lambda: len(noted) == 3)
        tracker.offer(replace(reports(4)[3]), on=True)
        assert tracker.stop(5) == 0
        assert [body[28] for _, body, _ in server.packets(LOCATION)] == [1, 1, 1, 0]


def test_a_reset_begins_the_numbers_anew_and_loses_no_report() -> None:
    noted: list[Report] = []
    with gt06_server() as server:
        tracker = tracker_of(server.address, noted)
        some = reports(6)
        for each in some[:3]:
            tracker.offer(each, on=True)
        until(lambda: len(noted) == 3)
        tracker.reset(0.05)
        for each in some[3:]:
            tracker.offer(each, on=True)
        assert tracker.stop(5) == 0
        assert [serial for _, _, serial in server.heard[-1]] == [1, 2, 3, 4]
    assert noted == some


def test_heartbeats_while_there_is_nothing_else() -> None:
    with gt06_server() as server:
        tracker = tracker_of(server.address, [], replace(QUICK, heartbeat_s=0.05))
        until(lambda: len(server.packets(HEARTBEAT)) >= 2)
        tracker.offer(replace(reports(1)[0], ignition=None), on=True)
        until(lambda: server.packets(HEARTBEAT)[-1][1][0] & 2)
        assert tracker.stop(5) == 0
        assert server.packets(LOCATION_OLD)


def test_mischief() -> None:
    """Doubled, unheard, in pieces, together, out of order: each is noted once, and each was sent."""
    noted: list[Report] = []
    habits = replace(
        QUICK,
        resend_share=0.2,
        drop_answer_share=0.1,
        split_share=0.1,
        burst_share=0.3,
        disorder_share=0.3,
    )
    with gt06_server() as server:
        tracker = tracker_of(server.address, noted, habits)
        some = reports(80)
        for each in some:
            tracker.offer(each, on=True)
        assert tracker.stop(20) == 0
        sent = Counter(body[:18] for _, body, _ in server.packets(LOCATION, ALARM))
    assert sorted(noted, key=lambda each: each.at_us) == some
    assert noted != some
    assert sent.keys() == {content(each)[:18] for each in some}
    assert sent.total() > len(some)


def test_a_full_buffer_loses_its_oldest() -> None:
    tracker = Gt06Tracker(("127.0.0.1", 9), IMEI, print, replace(QUICK, buffer_limit=3))
    for each in reports(5):
        tracker.offer(each, on=True)
    assert (tracker.dropped, tracker.stop(0)) == (2, 5)


def test_clocks_go_wrong_and_come_back() -> None:
    told = {each.told_us - each.at_us for each in reports(2000, Trouble(week_share=0.01, future_share=0.01))}
    assert told == {0, -ROLLOVER_US, 30 * 86_400 * SECOND_US}
    assert ROLLOVER_US == 1024 * 7 * 86_400 * SECOND_US
    assert {each.told_us for each in reports(100)} == {each.at_us for each in reports(100)}


def test_reports_say_the_ignition_or_leave_it_to_heartbeats() -> None:
    assert {each.ignition for each in reports(3000)} == {True, False}
    silent = reports(3000, acc=False)
    assert {each.ignition for each in silent if not each.alarm} == {None}
    assert None not in {each.ignition for each in silent if each.alarm}


def run_for(seconds: float, arguments: Callable[[tuple[str, int]], list[str]]) -> tuple[list[str], int]:
    with gt06_server() as server:
        result = CliRunner().invoke(app, [*arguments(server.address), "--for", str(seconds)])
        assert result.exit_code == 0, result.output
        return result.output.splitlines(), len(server.packets(LOCATION, ALARM))


def test_the_command(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    lines, heard = run_for(
        1.5,
        lambda address: [
            *["device", "gt06", "--connect", "{}:{}".format(*address), "--imei", IMEI, "--trackers", "2"],
            *["--truth", str(truth), "--json", "--heartbeat-s", "0.2"],
        ],
    )
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    assert first["ready"] == "gt06"
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    assert last["offered"] == last["acked"] == len(told) == heard > 0
    assert last["heartbeats"] > 0
    assert {line["imei"] for line in told} <= {IMEI, "353413532150363"}
    assert all(line["acked"] and line["at"] == line["told"] for line in told)
