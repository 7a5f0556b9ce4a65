"""Who is connected and who is silent, on a clock that the test moves."""

from types import SimpleNamespace

import pytest

from edge.drivers import tracker_presence
from edge.drivers.tracker_presence import Presence


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tracker_presence, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def counts(presence: Presence) -> tuple[int, int]:
    told = presence.counts()
    return told["connected"], told["silent"]


def test_silence_counts_from_the_last_record_whether_connected_or_not(clock: Clock) -> None:
    presence = Presence(60)
    presence.arrived("a")
    clock.now += 60
    assert counts(presence) == (1, 0)
    clock.now += 1
    assert counts(presence) == (1, 1), "logged in, but no record"
    presence.arrived("a")
    assert counts(presence) == (1, 1), "coming back is not a record"
    presence.heard("a")
    assert counts(presence) == (1, 0)
    presence.left("a")
    clock.now += 61
    assert counts(presence) == (0, 1)


def test_one_that_is_expected_and_never_comes_goes_silent(clock: Clock) -> None:
    presence = Presence(60, ["a", "b"])
    presence.heard("a")
    clock.now += 30
    presence.heard("a")
    clock.now += 31
    assert counts(presence) == (0, 1)


def test_made_up_trackers_are_forgotten_oldest_first(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_presence, "MAX_KNOWN", 3)
    presence = Presence(60)
    presence.heard("a")
    for made_up in ("b", "c"):
        presence.heard(made_up)
    presence.heard("a")
    presence.heard("d")
    clock.now += 61
    assert counts(presence) == (0, 3)
    presence.heard("a")
    assert counts(presence) == (0, 2), "b was forgotten, a was not"
