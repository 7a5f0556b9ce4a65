"""What the reader tells of what it reads."""

import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sllurp.llrp import LLRPMessage, LLRPReaderClient, LLRPReaderConfig

from simulators.devices.alone import TagStream
from simulators.devices.llrp import LlrpReader, RawRead, Telling

ADD, DELETE, START, STOP, ENABLE, DISABLE, GET_ROSPECS = range(20, 27)
CAPABILITIES, GET_CONFIG, SET_CONFIG, CLOSE, GET_REPORT, ENABLE_EVENTS, ACK = 1, 2, 3, 14, 60, 64, 72
OK, PARAMETER, FIELD, MISSING, OVERFLOW, BAD_MESSAGE, BAD_VERSION = 0, 100, 101, 103, 105, 109, 110
EPC = "30564522a461aa8000001a85"
ONE = struct.pack("!I", 1)
DISABLED, INACTIVE, ACTIVE = 0, 1, 2
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


def decoded(kind: int, body: bytes) -> dict[str, Any]:
    """A message's fields as sllurp reads them: a codec that is not ours."""
    frame = struct.pack("!HII", 1 << 10 | kind, 10 + len(body), 1) + body
    return next(iter(LLRPMessage(msgbytes=frame).msgdict.values()))


def start(client: Any, rospec: bytes) -> None:
    assert [client.ask(kind, body)[1] for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE))] == [OK] * 3


def wait(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.01)


def test_reads_are_merged_per_tag_and_antenna_and_nothing_is_told_while_not_reading(
    reader: LlrpReader, connect: Connect, make_rospec: Make
) -> None:
    told = []
    reads = [RawRead(1000 + i, EPC, 1 + i % 2, -60.0 - i, 5) for i in range(6)]
    assert reader.offer(reads, told.extend) == 0
    client = connect(reader)
    assert (reader.reading, reader.offer(reads, told.extend)) == (False, 0)
    start(client, make_rospec())
    assert (reader.reading, reader.offer(reads, told.extend), told) == (True, 6, reads)
    tags = decoded(61, client.until(61))["TagReportData"]
    seen = [
        (tag["AntennaID"], tag["PeakRSSI"], tag["TagSeenCount"], tag["FirstSeenTimestampUTC"], tag["ChannelIndex"])
        for tag in tags
    ]
    assert seen == [(1, -60, 3, 1000, 5), (2, -61, 3, 1001, 5)]
    assert [(tag["EPC-96"].decode(), tag["LastSeenTimestampUTC"], tag["ROSpecID"]) for tag in tags] == [
        (EPC, 1004, 1),
        (EPC, 1005, 1),
    ]


def test_only_the_chosen_fields_and_antennas_are_told(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make
) -> None:
    client = connect(reader)
    start(client, make_rospec(antennas=(1, 3), report=(1, 0, 0, 0)))
    assert reader.offer([RawRead(1, EPC, antenna, -60, 1) for antenna in (1, 2, 3, 4)]) == 2
    assert client.until(61) == make_param(240, b"\x8d" + bytes.fromhex(EPC))
    assert client.ask(DELETE, bytes(4))[1] == OK
    start(client, make_rospec(report=(1, 0, 0, 0xC0)))
    assert reader.offer([RawRead(1, epc, 1, -60, 1) for epc in ("1111", "11112222")]) == 2
    tags = decoded(61, client.until(61))["TagReportData"]
    told = [(tag["EPC"].decode(), tag["C1G2PC"], tag["C1G2CRC"]) for tag in tags]
    assert told == [("1111", 0x0800, 0xCCAE), ("11112222", 0x1000, 0x968F)], "examples of the air protocol's annex"


def test_reports_wait_to_be_asked_for_or_enabled(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make
) -> None:
    client = connect(reader)
    start(client, make_rospec(report=(0, 0, 0xFFC0, 0)))
    reader.offer([RawRead(1, EPC, 1, -60, 1)])
    time.sleep(0.15)
    assert client.ask(GET_ROSPECS)[1] == OK
    assert client.reports == []
    client.send(GET_REPORT)
    assert len(decoded(61, client.until(61))["TagReportData"]) == 1
    client.send(GET_REPORT)
    assert client.until(61) == b""
    client.ask(DELETE, bytes(4))
    client.ask(SET_CONFIG, b"\0" + make_param(226, b"\x80"))
    client.close()
    wait(lambda: reader._link is None)
    again = connect(reader)
    start(again, make_rospec())
    reader.offer([RawRead(1, EPC, 1, -60, 1)])
    time.sleep(0.15)
    assert again.ask(GET_ROSPECS)[1] == OK
    assert again.reports == []
    again.send(ENABLE_EVENTS)
    assert again.until(61)


def test_the_readers_clock_may_be_off(connect: Connect, make_rospec: Make) -> None:
    reader = LlrpReader(("127.0.0.1", 0), clock_offset_us=-3_000_000, telling=Telling(flush_s=0.01))
    reader.start()
    client = connect(reader)
    start(client, make_rospec())
    reader.offer([RawRead(5_000_000, EPC, 1, -60, 1)])
    tag = decoded(61, client.until(61))["TagReportData"][0]
    assert (tag["FirstSeenTimestampUTC"], tag["LastSeenTimestampUTC"]) == (2_000_000, 2_000_000)
    reader.stop()


def test_a_client_that_does_not_read_costs_reads_but_never_memory_or_what_was_told(
    reader: LlrpReader, connect: Connect, make_rospec: Make
) -> None:
    client = connect(reader)
    start(client, make_rospec())
    stream, told = TagStream(1, 0, distinct=True), 0
    for _ in range(400):
        taken = reader.offer(stream.draw(1, 500))
        told += taken
        if not taken and reader._link.congested:
            break
        time.sleep(0.001)
    else:
        pytest.fail("never refused")
    received = 0
    while received < told:
        body = client.until(61)
        received += len(body) // struct.unpack_from("!H", body, 2)[0]
    assert received == told


def test_sllurp_receives_what_was_read(reader: LlrpReader) -> None:
    config = LLRPReaderConfig(
        {
            "antennas": [1, 2, 3, 4],
            "tx_power": 0,
            "start_inventory": True,
            "keepalive_interval": 200,
            "tag_content_selector": {"EnableChannelIndex": True, "EnableFirstSeenTimestamp": True},
        },
    )
    received, truth = [], []
    client = LLRPReaderClient(*reader.address, config)
    client.add_tag_report_callback(lambda _, tags: received.extend(tags))
    client.connect()
    wait(lambda: reader.reading)
    stream = TagStream(3, 12, distinct=False)
    for step in range(20):
        reader.offer(stream.draw(step * 1000, 50), truth.extend)
        time.sleep(0.01)
    wait(lambda: sum(tag["TagSeenCount"] for tag in received) == 1000)
    client.hard_disconnect()
    client.join(5)
    assert summed((t["EPC"].decode(), t["AntennaID"], t["PeakRSSI"], t["TagSeenCount"]) for t in received) == summed(
        (read.epc, read.antenna, read.rssi_dbm, 1) for read in truth
    )
    assert {t["ChannelIndex"] for t in received} <= set(range(1, 51))
    assert (min(t["FirstSeenTimestampUTC"] for t in received), max(t["LastSeenTimestampUTC"] for t in received)) == (
        0,
        19_000,
    )


def summed(reads: Iterable[tuple[str, int, float, int]]) -> dict[tuple[str, int], tuple[int, float]]:
    """(EPC, antenna) -> (reads, strongest RSSI)."""
    found: dict[tuple[str, int], tuple[int, float]] = {}
    for epc, antenna, rssi, number in reads:
        count, peak = found.get((epc, antenna), (0, -128.0))
        found[epc, antenna] = count + number, max(peak, rssi)
    return found
