"""How often what goes wrong with a tracker does, and for how long."""

from random import Random

from simulators.devices.upsets import FUTURE_US, MOST_WRONG, WEEK_ROLLOVER_US, Clock, Trouble, upset


class Tracker:
    def __init__(self) -> None:
        self.done: list[tuple[str, float]] = []

    def reboot(self, seconds: float) -> None:
        self.done.append(("reboot", seconds))

    def outage(self, seconds: float) -> None:
        self.done.append(("outage", seconds))


def test_a_clock_is_wrong_for_a_while_and_right_again() -> None:
    clock = Clock(Random(1), Trouble(week=0.01, future=0.01))
    errors = [clock.error_us() for _ in range(5000)]
    assert set(errors) == {0, -WEEK_ROLLOVER_US, FUTURE_US}
    assert 0.1 < sum(error != 0 for error in errors) / len(errors) < 0.3
    right = Clock(Random(1), Trouble())
    assert {right.error_us() for _ in range(100)} == {0}
    always = Clock(Random(1), Trouble(week=1.0))
    assert {always.error_us() for _ in range(3 * MOST_WRONG)} == {-WEEK_ROLLOVER_US}


def test_what_is_done_to_a_tracker_has_its_share_and_length() -> None:
    tracker, chance = Tracker(), Random(2)
    for _ in range(2000):
        upset(tracker, chance, Trouble(reboot=0.1, outage=0.1))
    reboots, outages = ([s for what, s in tracker.done if what == name] for name in ("reboot", "outage"))
    assert 150 < len(reboots) < 250
    assert 130 < len(outages) < 230
    assert max(reboots) <= 5 < max(outages) <= 20
    done = len(tracker.done)
    for _ in range(100):
        upset(tracker, chance, Trouble())
    assert len(tracker.done) == done
