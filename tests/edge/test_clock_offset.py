"""The reader's clock: steady against jitter, deaf to single bad timestamps, quick to believe a clock that was set."""

import random

from edge.clock_offset import ClockOffset

NOW = 1_800_000_000_000_000


def feed(offset: ClockOffset, start_us: int, true_us: int, seconds: int, chance: random.Random) -> list[int]:
    """One report each 100 ms with 1-40 ms on the way; the estimates after each."""
    estimates: list[int] = []
    for step in range(seconds * 10):
        host = start_us + step * 100_000
        offset.add(host, host - true_us - chance.randint(1_000, 40_000))
        estimates.append(offset.estimate or 0)
    return estimates


def test_jitter_of_the_network_does_not_move_it() -> None:
    estimates = feed(ClockOffset(), NOW, 90_000_000, 120, random.Random(1))
    assert all(90_001_000 <= estimate <= 90_004_000 for estimate in estimates[100:])


def test_it_follows_a_drift() -> None:
    chance, offset = random.Random(2), ClockOffset()
    for second in range(600):
        host = NOW + second * 1_000_000
        offset.add(host, host - 500_000 - second * 1_000 - chance.randint(0, 5_000))
    assert abs((offset.estimate or 0) - (500_000 + 600 * 1_000)) < 80_000


def test_near_zero_is_no_correction() -> None:
    offset = ClockOffset()
    assert offset.correction_us == 0
    feed(offset, NOW, 5_000, 2, random.Random(3))
    assert (offset.estimate is not None, offset.correction_us) == (True, 0)
    feed(offset, NOW + 3_000_000, 600_000, 200, random.Random(3))
    assert 600_000 < offset.correction_us < 650_000


def test_one_bad_timestamp_and_a_buffered_report_change_nothing() -> None:
    chance, offset = random.Random(4), ClockOffset()
    feed(offset, NOW, 0, 5, chance)
    before = offset.estimate
    offset.add(NOW + 5_000_000, 7)
    offset.add(NOW + 5_100_000, NOW * 3)
    for age_s in range(60, 2, -1):
        offset.add(NOW + 5_200_000, NOW + 5_200_000 - age_s * 1_000_000)
    assert offset.estimate == before


def test_two_bad_timestamps_that_agree_are_not_enough() -> None:
    offset = ClockOffset()
    feed(offset, NOW, 0, 5, random.Random(7))
    before = offset.estimate
    for host in (NOW + 5_000_000, NOW + 8_000_000):
        offset.add(host, host - 3_600_000_000)
    assert offset.estimate == before


def test_a_clock_that_was_set_is_believed_after_two_seconds_either_way() -> None:
    for true_us in (30_000_000, -30_000_000):
        chance, offset = random.Random(5), ClockOffset()
        feed(offset, NOW, 0, 5, chance)
        estimates = feed(offset, NOW + 5_000_000, true_us, 4, chance)
        assert abs(estimates[15]) < 1_000_000
        assert abs(estimates[25] - true_us) < 50_000


def test_a_host_clock_set_back_does_not_break_it() -> None:
    chance, offset = random.Random(6), ClockOffset()
    feed(offset, NOW, 0, 30, chance)
    estimates = feed(offset, NOW - 3_600_000_000, -3_600_000_000, 5, chance)
    assert abs(estimates[-1] + 3_600_000_000) < 50_000
