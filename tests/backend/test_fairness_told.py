"""A gateway above its quota: counted, told once, and over when it keeps within it."""

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from backend import quota
from backend.book.schema import alert, refused_count
from backend.fairness import Pressure
from backend.quota import QuotaWatch
from tests.backend.books import SECOND, Yard


class Lanes:
    """What lanes had to bear, as the test says."""

    def __init__(self) -> None:
        self.borne: dict[str, Pressure] = {}

    def __call__(self) -> dict[str, Pressure]:
        borne, self.borne = self.borne, {}
        return borne


def standing(yard: Yard) -> list[tuple[str, str]]:
    return [(row["subject"], row["state"]) for row in yard.rows(alert) if row["rule"] == "gateway_quota"]


def counted(yard: Yard) -> dict[str, int]:
    return {row["gateway"]: row["count"] for row in yard.rows(refused_count) if row["sort"] == "quota"}


def test_what_was_dropped_is_counted_and_told_once_and_closed_when_it_is_over(yard: Yard) -> None:
    lanes = Lanes()
    watch = QuotaWatch(yard.book, lanes, yard.clock)
    for _ in range(20):
        lanes.borne = {"dock-a": Pressure(7, 5.0)}
        watch.step()
        yard.clock.now += 5 * SECOND
    assert standing(yard) == [("gateway:dock-a", "open")]
    assert counted(yard) == {"dock-a": 140}
    (row,) = (row for row in yard.rows(alert) if row["rule"] == "gateway_quota")
    assert msgspec.json.decode(row["detail"])["dropped_messages_today"] == 140
    yard.clock.now += 601 * SECOND
    QuotaWatch(yard.book, lanes, yard.clock).step()
    assert standing(yard) == [("gateway:dock-a", "open")], "a new process does not know when it was last too much"
    watch.step()
    assert standing(yard) == [("gateway:dock-a", "closed")]


def test_waiting_for_long_is_told_and_a_burst_is_not(yard: Yard) -> None:
    lanes = Lanes()
    watch = QuotaWatch(yard.book, lanes, yard.clock)
    for n in range(20):
        lanes.borne = {"bursts": Pressure(0, 4.0)} if n % 2 else {}
        watch.step()
    assert standing(yard) == []
    for _ in range(3):
        lanes.borne = {"dock-b": Pressure(0, 4.9)}
        watch.step()
    assert standing(yard) == [("gateway:dock-b", "open")]


def test_a_flood_of_names_is_one_alert(yard: Yard) -> None:
    lanes = Lanes()
    watch = QuotaWatch(yard.book, lanes, yard.clock)
    lanes.borne = {f"g{n}": Pressure(1) for n in range(quota.MOST_NAMED + 5000)}
    watch.step()
    assert len(standing(yard)) == quota.MOST_NAMED + 1
    assert counted(yard)[""] == 5000


def test_what_is_due_waits_for_a_book_that_is_away(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = Lanes()
    watch = QuotaWatch(yard.book, lanes, yard.clock)

    def away(_book: object) -> None:
        raise OperationalError("BEGIN", None, Exception("database or disk is full"))

    with monkeypatch.context() as broken:
        broken.setattr(quota, "write", away)
        for _ in range(3):
            lanes.borne = {"dock-a": Pressure(7)}
            with pytest.raises(OperationalError):
                watch.step()
    watch.step()
    assert counted(yard) == {"dock-a": 21}


def test_who_takes_a_gateway_in_closes_its_alert_and_no_other_process_does(yard: Yard) -> None:
    lanes = Lanes()
    mine: set[str] = {"dock-a"}
    theirs: set[str] = set()
    watch = QuotaWatch(yard.book, lanes, yard.clock, lambda: mine)
    other = QuotaWatch(yard.book, Lanes(), yard.clock, lambda: theirs)
    for _ in range(300):
        lanes.borne = {"dock-a": Pressure(7)}
        watch.step()
        other.step()
        yard.clock.now += 5 * SECOND
    assert standing(yard) == [("gateway:dock-a", "open")], "for 25 minutes"
    mine.clear()
    theirs.add("dock-a")
    del watch
    yard.clock.now += 61 * SECOND
    other.step()
    yard.clock.now += 601 * SECOND
    other.step()
    assert standing(yard) == [("gateway:dock-a", "closed")], "it has moved there"
