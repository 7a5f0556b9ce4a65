"""Reads to sightings: what a window keeps, when it ends, and that no read is lost or counted twice."""

import random

import pytest

from edge import sightings as module
from edge.sightings import Heard, Sightings
from models.reading import Tag, from_micros, micros

EPC = "3034257bf7194e4000001a85"
T = 1_800_000_000_000_000


def heard(ms: int = 0, **fields: object) -> Heard:
    at = T + ms * 1000
    return Heard(**{"epc": EPC, "antenna": 1, "at": at, "first_at": at, **fields})  # type: ignore[arg-type]


def test_a_window_keeps_the_strongest_the_mean_the_first_and_the_last() -> None:
    sightings = Sightings("door-1", 0.5)
    sightings.add(heard(0, rssi_dbm=-60, count=2, channel=3), 10.0)
    sightings.add(heard(100, rssi_dbm=-50.5, channel=9, phase_rad=1.5, device_at=T), 10.1)
    sightings.add(heard(300, rssi_dbm=-70, channel=4, device_at=T + 5), 10.3)
    assert sightings.due(10.49) == []
    assert sightings.due(10.5) == [
        Tag(
            device="door-1",
            at=from_micros(T + 300_000),
            first_at=from_micros(T),
            device_at=from_micros(T + 5),
            epc=EPC,
            antenna=1,
            rssi_dbm=-50.5,
            rssi_mean_dbm=-60.12,
            count=4,
            channel=9,
            phase_rad=1.5,
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
    sightings.add(heard(epc="aa"), 0)
    assert {(tag.epc, tag.antenna) for tag in sightings.flush()} == {(EPC, 1), (EPC, 2), ("aa", 1)}


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
        sightings.add(heard(epc=f"{number:04x}"), 0)
    assert len(sightings._open) == 100
    assert sorted(tag.epc for tag in sightings.flush()) == [f"{number:04x}" for number in range(1000)]


def test_every_read_is_in_exactly_one_sighting() -> None:
    chance = random.Random(1)
    sightings = Sightings("door-1", 0.5)
    told: dict[tuple[str, int], int] = {}
    tags: list[Tag] = []
    now_ms = 0
    for _ in range(5000):
        now_ms += chance.randint(0, 20)
        read = heard(
            now_ms, epc=f"{chance.randrange(20):02x}", antenna=chance.randint(1, 4), count=chance.randint(1, 3)
        )
        told[read.epc, read.antenna] = told.get((read.epc, read.antenna), 0) + read.count
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
