"""Reads into the host's time: which of the reader's clocks counts, what is left out, and which antennas live."""

import struct
from typing import Any

import pytest

from edge.drivers import llrp_heard
from edge.drivers.llrp_heard import Hearing
from models.reading import Tag, micros
from models.wire import decode, encode

HOST = 1_800_000_000_000_000
EPC = bytes.fromhex("3034257bf7194e4000001a85")


class Bad:
    """Health that counts."""

    def __init__(self) -> None:
        self.why: list[str] = []

    def reading(self) -> None:
        raise AssertionError

    def bad_frame(self, why: str) -> None:
        self.why.append(why)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The host's clock."""
    now = [HOST]
    monkeypatch.setattr(llrp_heard, "host_time_us", lambda: now[0])
    return now


def read(llrp: Any, *, antenna: int = 1, epc: bytes = EPC, **times: int) -> bytes:
    """A report of one read with any of first_utc, first_up, last_utc, last_up."""
    kinds = {"first_utc": 2, "first_up": 3, "last_utc": 4, "last_up": 5}
    stamps = b"".join(struct.pack("!BQ", 0x80 | kinds[name], at) for name, at in times.items())
    body = b"\x8d" + epc + struct.pack("!BH", 0x81, antenna) + stamps
    return bytes(llrp.report(llrp.tlv(240, body)))


def one(hearing: Hearing) -> Tag:
    [tag] = hearing.sightings.flush()
    return tag


def offsets(tag: Tag) -> tuple[int, int]:
    """First and last time, less the host's."""
    assert tag.first_at is not None
    return micros(tag.first_at) - HOST, micros(tag.at) - HOST


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, (0, 0)),
        ({"first_utc": HOST - 9, "last_utc": HOST - 4}, (-9, -4)),
        ({"first_utc": HOST - 9}, (-9, -9)),
        ({"first_utc": HOST + 9_000, "last_utc": HOST + 4_000}, (4_000, 4_000)),
        ({"first_up": 5_000, "last_up": 7_000}, (-2_000, 0)),
        ({"first_utc": 2**64 - 1, "first_up": 5_000, "last_up": 7_000}, (-2_000, 0)),
        ({"last_utc": 2**64 - 1, "last_up": 2**64 - 1}, (0, 0)),
    ],
)
@pytest.mark.usefixtures("host")
def test_the_readers_times_in_the_hosts(llrp: Any, times: dict[str, int], expected: tuple[int, int]) -> None:
    hearing = Hearing("door-1", 0.5, Bad())
    hearing.report(read(llrp, **times))
    assert offsets(one(hearing)) == expected


def test_a_wrong_clock_is_corrected_and_what_it_said_is_kept(host: list[int], llrp: Any) -> None:
    hearing = Hearing("door-1", 0.5, Bad())
    hearing.told_utc(2**64 - 1)
    assert hearing.offset.estimate is None
    hearing.told_utc(HOST - 90_000_000)
    host[0] += 10_000
    hearing.report(read(llrp, first_utc=HOST - 89_995_000, last_utc=HOST - 89_994_000))
    tag = one(hearing)
    assert offsets(tag) == (5_000, 6_000)
    assert tag.device_at is not None
    assert micros(tag.device_at) == HOST - 89_994_000


@pytest.mark.usefixtures("host")
def test_only_wanted_tags_are_told_and_antennas_live_by_any(llrp: Any) -> None:
    hearing = Hearing("door-1", 0, Bad())
    hearing.wanted = lambda epc: epc != EPC
    hearing.report(read(llrp, antenna=3))
    hearing.report(read(llrp, antenna=2, epc=EPC[::-1]))
    assert [tag.antenna for tag in hearing.sightings.due(0)] == [2]
    assert hearing.antennas == {3: pytest.approx(hearing.reported, abs=1), 2: hearing.reported}


@pytest.mark.usefixtures("host")
def test_an_uptime_beside_another_tags_utc_is_no_time(llrp: Any) -> None:
    """Without a report that tells uptime alone nothing says what it is in the host's time."""
    hearing = Hearing("door-1", 0, Bad())
    by_uptime = read(llrp, first_up=5_000, last_up=7_000)[10:]
    hearing.report(llrp.report(read(llrp, antenna=2, last_utc=HOST)[10:], by_uptime))
    assert [offsets(tag) for tag in hearing.sightings.due(0)] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(("parameter", "rssi_dbm"), [(struct.pack("!Bb", 0x86, 127), None), (b"\x86\x80", -128.0)])
@pytest.mark.usefixtures("host")
def test_a_strength_that_cannot_be_costs_no_read(llrp: Any, parameter: bytes, rssi_dbm: float | None) -> None:
    hearing = Hearing("door-1", 0, Bad())
    hearing.report(llrp.report(llrp.tlv(240, b"\x8d" + EPC + b"\x81\0\1" + parameter)))
    [tag] = hearing.sightings.due(0)
    assert tag.rssi_dbm == rssi_dbm
    decode(encode(tag))


@pytest.mark.usefixtures("host")
def test_an_epc_longer_than_a_tags_memory_can_say_is_counted(llrp: Any) -> None:
    health = Bad()
    hearing = Hearing("door-1", 0, health)
    for size in (62, 63):
        epc = llrp.tlv(241, struct.pack("!H", size * 8) + bytes(size))
        hearing.report(llrp.report(llrp.tlv(240, epc + b"\x81\0\1")))
    assert [len(tag.epc) for tag in hearing.sightings.due(0)] == [124]
    assert len(health.why) == 1


@pytest.mark.usefixtures("host")
def test_a_read_of_nothing_or_nowhere_is_counted(llrp: Any) -> None:
    health = Bad()
    hearing = Hearing("door-1", 0, health)
    hearing.report(read(llrp, antenna=0))
    hearing.report(llrp.report(llrp.tlv(240, b"\x81\0\1")))
    assert (len(health.why), hearing.sightings.due(0), hearing.antennas) == (2, [], {})
