"""Lanes of gateways: served in turn, held to their quota, bounded in memory; a flood costs only who floods."""

import random
from dataclasses import dataclass, field
from threading import Thread

import pytest

from backend.fairness import CALM_S, ITEM_BYTES, Bounds, FairQueue
from models.pace import Pace

Item = tuple[str, int]
"""(lane, readings)."""


@dataclass
class Clock:
    """Time that only the test moves; who waits finds that it has passed."""

    now: float = 100.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


@dataclass
class Lanes:
    """A queue of (lane, readings)."""

    bounds: Bounds = field(default_factory=Bounds)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.queue: FairQueue[Item] = FairQueue(lambda item: item[1], self.bounds, self.clock)

    def send(self, lane: str, readings: int, size: int = 1000) -> bool:
        return self.queue.offer(lane, (lane, readings), size)

    def group(self, most: int = 10) -> list[str]:
        """The lanes of what is there now."""
        return [lane for lane, _ in self.queue.take(0, 0, most)]


def test_who_sends_little_is_served_among_those_who_send_much() -> None:
    lanes = Lanes()
    for _ in range(8):
        lanes.send("greedy", 500)
    assert lanes.group(1) == ["greedy"]
    for name in ("a", "b", "c"):
        lanes.send(name, 1)
    assert sorted(lanes.group(3)) == ["a", "b", "c"]
    assert set(lanes.group(7)) == {"greedy"}


def test_two_that_always_have_something_get_the_same_share_of_readings_however_they_cut_them() -> None:
    lanes = Lanes()
    got = {"large": 0, "small": 0}
    for _ in range(3000):
        lanes.send("large", 500)
        for _ in range(60):
            lanes.send("small", 10)
        for lane, readings in lanes.queue.take(0, 0, 20):
            got[lane] += readings
        lanes.clock.now += 0.05
    assert got["large"] == pytest.approx(got["small"], rel=0.02)


def test_a_group_has_little_of_one_lane_while_others_are_about_and_much_when_it_is_alone() -> None:
    lanes = Lanes()
    for _ in range(8):
        lanes.send("greedy", 500)
    lanes.send("quiet", 1)
    assert sorted(lanes.group()) == ["greedy", "greedy", "quiet"]
    lanes.clock.now += 2
    lanes.send("greedy", 500)
    assert lanes.group() == ["greedy"] * 7


def test_the_quota_holds_a_lane_and_says_for_how_long() -> None:
    lanes = Lanes(Bounds(readings_per_s=100))
    served, begin = 0, lanes.clock.now
    while lanes.clock.now < begin + 60:
        lanes.send("greedy", 50)
        served += 50 * len(lanes.group())
        lanes.clock.now += 0.01
    assert 6000 <= served <= 6000 + 500 + 50
    pressure = lanes.queue.pressure()["greedy"]
    assert pressure.held_s == pytest.approx(60, abs=1)
    assert pressure.dropped == pytest.approx(6000 - served / 50 - 64, abs=2)


def test_a_lane_is_bounded_in_items_and_bytes_and_its_first_ones_stay() -> None:
    lanes = Lanes(Bounds(lane_items=4, lane_bytes=10_000))
    assert [lanes.queue.offer("a", ("a", n), 10) for n in range(6)] == [True] * 4 + [False] * 2
    assert [readings for _, readings in lanes.queue.take(0, 0, 9)] == [0, 1, 2, 3]
    assert [lanes.send("b", 1, 4000) for _ in range(3)] == [True, True, False]
    assert {name: each.dropped for name, each in lanes.queue.pressure().items()} == {"a": 2, "b": 1}


def test_the_total_is_bounded_at_the_cost_of_the_longest_lane() -> None:
    size = 1000 - ITEM_BYTES
    lanes = Lanes(Bounds(total_bytes=10_000))
    assert all(lanes.send("long", 1, size) for _ in range(9))
    assert lanes.send("short", 1, size)
    assert lanes.send("short", 1, size)
    assert not lanes.send("long", 1, size)
    assert lanes.queue.waiting == (10, 10_000)
    assert {name: each.dropped for name, each in lanes.queue.pressure().items()} == {"long": 2}
    assert sorted(lanes.group(20)) == ["long"] * 8 + ["short"] * 2


def test_however_many_names_a_flood_has_memory_is_bounded_and_idle_lanes_are_forgotten() -> None:
    lanes = Lanes(Bounds(total_bytes=100_000, lanes=50))
    for n in range(1000):
        lanes.send(f"g{n}", 1, 5000)
    items, size = lanes.queue.waiting
    assert size <= 100_000
    assert items <= 50
    while lanes.group(100):
        pass
    lanes.clock.now += 10
    lanes.queue.pressure()
    assert lanes.send("new", 1)


def test_a_full_lane_has_room_for_the_newest_status_which_goes_first() -> None:
    lanes = Lanes(Bounds(lane_items=2))
    assert all(lanes.send("a", 5) for _ in range(2))
    for n in range(1000):
        assert lanes.queue.offer("a", ("status", n), 10, latest=True)
    assert lanes.queue.waiting[0] == 3
    assert [each for each, _ in lanes.queue.take(0, 0, 9)] == ["status", "a", "a"]


def test_an_older_status_never_comes_after_a_newer_one() -> None:
    lanes = Lanes(Bounds(lane_items=2))
    lanes.queue.offer("a", ("online", 1), 10, latest=True)
    lanes.send("a", 5)
    lanes.send("a", 5)
    lanes.queue.offer("a", ("offline", 1), 10, latest=True)
    assert [each for each, _ in lanes.queue.take(0, 0, 9)] == ["offline", "a", "a"]


def test_a_lane_that_the_total_emptied_is_forgotten_whole() -> None:
    lanes = Lanes(Bounds(total_bytes=4000))
    lanes.send("large", 1, 3000 - ITEM_BYTES)
    lanes.send("small", 1, 2000 - ITEM_BYTES)
    lanes.clock.now += 5
    lanes.queue.pressure()
    assert lanes.group() == ["small"]
    assert lanes.send("large", 1)
    assert lanes.group() == ["large"]
    assert lanes.group() == []


def test_statuses_alone_are_bounded_too() -> None:
    lanes = Lanes(Bounds(total_bytes=4000, lane_items=1))
    for n in range(50):
        lanes.send(f"g{n}", 1, 10)
        lanes.queue.offer(f"g{n}", (f"g{n}", n), 1500 - ITEM_BYTES, latest=True)
        assert lanes.queue.waiting[1] <= 4000
    assert len(lanes.group()) >= 2


def test_weight_ends_a_group() -> None:
    lanes = Lanes()
    for _ in range(10):
        lanes.send("a", 100)
    assert len(lanes.queue.take(0, 0, 10, 250)) == 3


@pytest.mark.parametrize("seed", range(5))
def test_nothing_that_was_taken_in_is_lost_or_told_twice(seed: int) -> None:
    chance, lanes = random.Random(seed), Lanes(Bounds(lane_items=8, lane_bytes=30_000, total_bytes=60_000))
    offered, got = dict[str, list[int]](), dict[str, list[int]]()
    for n in range(3000):
        name = f"g{chance.randint(0, 12) ** 2 // 12}"
        if lanes.queue.offer(name, (name, n), chance.randint(0, 9000)):
            offered.setdefault(name, []).append(n)
        if chance.random() < 0.2:
            for lane, number in lanes.queue.take(0, 0, chance.randint(1, 9)):
                got.setdefault(lane, []).append(number)
        lanes.clock.now += chance.random() / 50
    lanes.clock.now += 1000
    while found := lanes.queue.take(0, 0, 50):
        for lane, number in found:
            got.setdefault(lane, []).append(number)
        lanes.clock.now += 10
    for name, numbers in got.items():
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= set(offered[name])
    assert lanes.queue.waiting == (0, 0)


def test_a_taker_wakes_at_once_and_one_held_by_the_quota_when_it_is_over() -> None:
    queue: FairQueue[Item] = FairQueue(lambda item: item[1], Bounds(readings_per_s=5000))
    found: list[Item] = []
    taker = Thread(target=lambda: found.extend(queue.take(20, 0, 1)))
    taker.start()
    queue.offer("a", ("a", 1800), 10)
    taker.join(10)
    assert found == [("a", 1800)]
    queue.offer("a", ("a", 1), 10)
    assert queue.take(20, 0, 1) == [("a", 1)]


def test_over_any_time_a_pace_lets_through_its_rate_and_its_burst_once() -> None:
    pace, now, passed = Pace(100.0, 50.0), 0.0, 0
    while now < 10:
        if not pace.wait_s(now):
            pace.take(7, now)
            passed += 7
        now += 0.001
    assert 1000 <= passed <= 1000 + 50 + 7


def test_while_nobody_takes_nobody_is_blamed_and_afterwards_a_flood_is() -> None:
    lanes = Lanes(Bounds(lane_items=8, readings_per_s=100.0))
    assert not lanes.group()
    lanes.send("held", 600)
    lanes.send("held", 600)
    assert lanes.group(2) == ["held"], "it has used up its burst, and waits"
    lanes.clock.now += 1500
    for _ in range(50):
        lanes.send("innocent", 1)
    assert not lanes.queue.pressure().keys() & {"innocent"}, "the book is away"
    lanes.group(1)
    for _ in range(50):
        lanes.send("innocent", 1)
    assert not lanes.queue.pressure(), "what came meanwhile comes again"
    for _ in range(int(CALM_S) + 1):
        lanes.clock.now += 1
        lanes.group(1)
    for _ in range(50):
        lanes.send("greedy", 1)
    assert lanes.queue.pressure()["greedy"].dropped == 42
