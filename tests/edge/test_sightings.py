"""Reads to sightings: what a window keeps, when it ends, and that no read is lost or counted twice."""

import math
import random

import pytest

from edge import sightings as module
from edge.sightings import Heard, Sightings
from models.reading import Tag, from_micros, micros

EPC = bytes.fromhex("3034257bf7194e4000001a85")
T = 1_800_000_000_000_000


def heard(ms: int = 0, **fields: object) -> Heard:
    at = T + ms * 1000
    return Heard(**{"epc": EPC, "antenna": 1, "at": at, "first_at": at, **fields})  # type: ignore[arg-type]


def test_a_window_keeps_the_strongest_the_mean_the_first_and_the_last() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(0, rssi_cdbm=-6000, count=2, channel=3), 10.0)
    sightings.add(heard(100, rssi_cdbm=-5050, channel=9, phase=1024, doppler=-32, device_at=T), 10.1)
    sightings.add(heard(300, rssi_cdbm=-7000, channel=4, device_at=T + 5), 10.3)
    assert sightings.due(10.49) == []
    assert sightings.due(10.5) == [
        Tag(
            device="door-1",
            at=from_micros(T + 300_000),
            first_at=from_micros(T),
            device_at=from_micros(T + 5),
            epc=EPC.hex(),
            antenna=1,
            rssi_dbm=-50.5,
            rssi_mean_dbm=-60.12,
            count=4,
            channel=9,
            phase_rad=math.pi / 2,
            doppler_hz=-2.0,
        )
    ]


def test_a_read_after_the_window_by_the_readers_clock_begins_the_next() -> None:
    sightings = Sightings("door-1", 0.5)
    for ms in (0, 499, 500, 999, 1000):
        sightings.add(heard(ms), 10.0)
    assert [tag.count for tag in sightings.flush()] == [2, 2, 1]


def test_antennas_and_tags_are_kept_apart() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(antenna=1), 0)
    sightings.add(heard(antenna=2), 0)
    sightings.add(heard(epc=b"\xaa"), 0)
    assert {(tag.epc, tag.antenna) for tag in sightings.flush()} == {
        (EPC.hex(), 1),
        (EPC.hex(), 2),
        ("aa", 1),
    }


def test_a_late_read_does_not_move_the_last_time_back() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(200), 0)
    sightings.add(heard(100), 0)
    [tag] = sightings.flush()
    assert (micros(tag.at), tag.first_at and micros(tag.first_at)) == (T + 200_000, T + 100_000)


def test_without_rssi_there_is_none() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(), 0)
    [tag] = sightings.flush()
    assert (tag.rssi_dbm, tag.rssi_mean_dbm) == (None, None)


def test_memory_is_bounded_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OPEN", 100)
    sightings = Sightings("door-1", 60)
    for number in range(1000):
        sightings.add(heard(epc=number.to_bytes(2)), 0)
    assert len(sightings._open) == 100
    assert sorted(tag.epc for tag in sightings.flush()) == [f"{number:04x}" for number in range(1000)]


def test_memory_is_bounded_also_when_one_tag_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OPEN", 100)
    sightings = Sightings("door-1", 60)
    for number in range(1000):
        sightings.add(heard(epc=bytes([number % 2]), antenna=number + 1), 0)
    assert sum(len(seen.antennas) for seen in sightings._open.values()) <= 100
    assert sorted(tag.antenna for tag in sightings.flush()) == [*range(1, 1001)]


def test_a_read_of_long_ago_does_not_stretch_the_window_that_is_open() -> None:
    """As when a reader's clock was set back, or it tells what it kept."""
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(3_600_000), 10.0)
    sightings.add(heard(0), 10.1)
    sightings.add(heard(100), 10.2)
    told = sightings.flush()
    assert [(micros(tag.at) - T, tag.first_at and micros(tag.first_at) - T) for tag in told] == [
        (3_600_000_000, 3_600_000_000),
        (100_000, 0),
    ]


def test_every_read_is_in_exactly_one_sighting() -> None:
    chance = random.Random(1)
    sightings = Sightings("door-1", 0.5)
    told: dict[tuple[str, int], int] = {}
    tags: list[Tag] = []
    now_ms = 0
    for _ in range(5000):
        now_ms += chance.randint(0, 20)
        read = heard(
            now_ms, epc=bytes([chance.randrange(20)]), antenna=chance.randint(1, 4), count=chance.randint(1, 3)
        )
        told[read.epc.hex(), read.antenna] = told.get((read.epc.hex(), read.antenna), 0) + read.count
        sightings.add(read, now_ms / 1000)
        tags += sightings.due(now_ms / 1000)
    tags += sightings.flush()
    counted: dict[tuple[str, int], int] = {}
    for tag in tags:
        counted[tag.epc, tag.antenna] = counted.get((tag.epc, tag.antenna), 0) + (tag.count or 0)
        assert tag.first_at is not None
        assert micros(tag.at) - micros(tag.first_at) < 500_000
    assert counted == told


def test_the_sightings_of_one_tag_leave_in_the_order_of_their_time() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(0, antenna=1), 10.0)
    sightings.add(heard(300, antenna=3), 10.3)
    sightings.add(heard(490, antenna=1), 10.49)
    tags = sightings.due(10.5)
    sightings.add(heard(700, antenna=3), 10.7)
    tags += sightings.flush()
    assert [(tag.antenna, micros(tag.at) - T) for tag in tags] == [(3, 300_000), (1, 490_000), (3, 700_000)]


def test_the_wait_is_the_time_to_the_next_end() -> None:
    sightings = Sightings("door-1", 0.5)
    assert sightings.wait_s(10.0) is None
    sightings.add(heard(), 10.0)
    assert sightings.wait_s(10.2) == pytest.approx(0.3)
    assert sightings.wait_s(11.0) == 0


def test_without_a_window_each_report_is_one_reading_in_the_order_of_time() -> None:
    sightings = Sightings("door-1", 0)
    sightings.add(heard(5, rssi_cdbm=-6150, count=3, channel=7, first_at=T), 1.0)
    sightings.add(heard(2, antenna=2, phase=4096, doppler=1), 1.0)
    sightings.add(heard(5, rssi_cdbm=-6150), 1.0)
    assert sightings.wait_s(1.0) == 0
    tags = sightings.due(1.0)
    assert sightings.wait_s(1.0) is None
    assert [(tag.antenna, micros(tag.at) - T, tag.count) for tag in tags] == [(2, 2000, 1), (1, 5000, 3), (1, 5000, 1)]
    assert (tags[1].rssi_dbm, tags[1].rssi_mean_dbm, tags[1].channel) == (-61.5, -61.5, 7)
    assert (tags[1].first_at, tags[0].phase_rad, tags[0].doppler_hz) == (from_micros(T), 0.0, 0.0625)
    assert sightings.due(9.0) == sightings.flush() == []


def test_windows_that_end_soon_after_each_other_leave_together() -> None:
    sightings = Sightings("door-1", 0.5)
    for number in range(8):
        sightings.add(heard(number * 10, epc=bytes([number])), 10.0 + number / 100)
    assert sightings.wait_s(10.1) == pytest.approx(0.4)
    assert [tag.epc for tag in sightings.due(10.5)] == ["00"]
    assert sightings.wait_s(10.5) == pytest.approx(0.05)
    assert sightings.due(10.54) == []
    assert [tag.epc for tag in sightings.due(10.551)] == ["01", "02", "03", "04", "05"]
    sightings.add(heard(600, epc=b"\6"), 10.56)
    assert sightings.wait_s(10.56) == pytest.approx(0.041)
    assert [tag.epc for tag in sightings.flush()] == ["06", "07", "06"]
