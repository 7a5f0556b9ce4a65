"""What people say of meters, in the book: figures follow, back too; without a tracker it is all that is known."""

from decimal import Decimal

import pytest

from backend import dues, usage
from backend.book import register
from backend.book.db import read, write
from models.declared import Asset, Plan
from models.errors import Clash, NotFound, Refused
from models.maintenance.due import judge
from models.motion.meter import EACH
from tests.backend.books import DAY, Yard, facts
from tests.backend.journeys import TRUCK, mount
from tests.backend.meter_telling import HOUR, NOTES, NOW, RUN, note, said, tell, used, withdraw
from tests.backend.stories import MIDNIGHT, declare


def test_a_note_moves_what_stands_in_the_book_and_a_withdrawal_moves_it_back(yard: Yard) -> None:
    yard.clock.now = NOW
    yard.send(said(*RUN[:4]))
    yard.settle()
    before = facts(yard.book)
    assert used(yard, "engine_hours") == (18, 38)
    tell(yard, NOTES[0])
    yard.settle()
    assert used(yard, "engine_hours") == (10 + 2 + 11, 10 + 2 + 11)
    withdraw(yard, "reset")
    yard.settle()
    assert facts(yard.book) == before
    withdraw(yard, "reset")
    tell(yard, NOTES[0])
    assert used(yard, "engine_hours") == (18, 38), "it was withdrawn, and stays so"


STARTS = [note(f"c{k}", 24 * k, "count", 1, meter="cycles", asset="CRANE-2") for k in range(5)]
WASH = Plan("CRANE-2", "Wash", every_cycles=5)
PEOPLE = [
    note("1", 0, "reading", 500, asset="CRANE-2"),
    note("2", 100, "reading", 540.5, asset="CRANE-2"),
    note("3", 120, "replacement", 0, asset="CRANE-2", before=545.5),
    note("4", 200, "reading", 30, asset="CRANE-2"),
    note("5", 0, "reading", 10_000, asset="CRANE-2", meter="odometer"),
    note("6", 100, "reading", 10_400, asset="CRANE-2", meter="odometer"),
    *STARTS,
]


def test_what_people_read_and_count_is_enough_without_a_tracker(yard: Yard) -> None:
    yard.clock.now = NOW
    with write(yard.book) as tx:
        crane = Asset("Old crane", "no tracker")
        register.put(tx, "assets", "CRANE-2", crane, valid_from=MIDNIGHT - DAY, actor="test", now=NOW)
    assert used(yard, "hours", asset="CRANE-2") is None
    tell(yard, *PEOPLE[::-1])
    assert used(yard, "hours", asset="CRANE-2") == (75.5, 75.5)
    assert used(yard, "hours", 0, 100, asset="CRANE-2") == (40.5, 40.5)
    assert used(yard, "km", asset="CRANE-2") == (400, 400)
    assert used(yard, "cycles", -1, asset="CRANE-2") == (5, 5)
    assert used(yard, "cycles", 24, 72, asset="CRANE-2") == (2, 2), "after the first moment, and at the last"
    assert used(yard, "starts", asset="CRANE-2") is None
    with write(yard.book) as tx:
        for ident, plan in (("oil", Plan("CRANE-2", "Oil", every_hours=Decimal(80))), ("wash", WASH)):
            register.put(tx, "plans", ident, plan, valid_from=MIDNIGHT - DAY, actor="test", now=MIDNIGHT - DAY)
    with read(yard.book) as tx:
        known = dues.facts(tx, register.load(tx), ["CRANE-2"], NOW)
        assert [(each.plan_id, judge(each, NOW).state) for each in known] == [("oil", "due_soon"), ("wash", "due")]
        daily = known[0].hours and known[0].hours.daily
        assert daily is not None
        assert any(daily.use), "what was read off says how it goes on"


def test_counts_of_one_moment_are_of_one_day(yard: Yard) -> None:
    """On a truck that has a tracker: its first count, and two at one midnight."""
    yard.clock.now = NOW
    yard.send(said((0, 7), (5, 9)))
    tell(yard, *(note(f"w{k}", at, "count", 3, meter="cycles") for k, at in enumerate((24, 48, 48, 72))))
    yard.send(said((100, 11), (120, 12)))
    yard.settle()
    assert [used(yard, "cycles", 24 * k, 24 * k + 24) for k in range(4)] == [(3, 3), (6, 6), (3, 3), (0, 0)]


def test_starts_and_cycles_are_counters_of_the_wire(yard: Yard) -> None:
    yard.clock.now = NOW
    yard.send(said((0, 100), (1, 130), (2, 145), name="starts", unit="1"))
    yard.send(said((0, 7), (2, 9), name="cycles", unit="1"))
    yard.settle()
    assert (used(yard, "starts"), used(yard, "cycles")) == ((45, 45), (2, 2))


def test_before_and_after_a_tracker_people_read_on(yard: Yard) -> None:
    """The truck had no tracker of its own before the example's: what was read then is where its counter begins."""
    yard.clock.now = NOW
    with read(yard.book) as tx:
        begun = register.load(tx).changes("devices", TRUCK)[0]
    early = (begun - MIDNIGHT) / HOUR
    tell(yard, note("old", early - 48, "reading", 100), note("last", early - 24, "reading", 110))
    yard.send(said((early + 1, 121), (early + 5, 124)))
    yard.settle()
    assert used(yard, "engine_hours", early - 100) == (24, 24)
    assert used(yard, "runtime", early - 100, early - 20) == (10, 10), "its hours are from the ignition"
    for at, asset in ((10, None), (40, "TRUCK-1"), (60, None), (100, "TRUCK-1")):
        declare(yard, [mount(TRUCK, asset, begun + at * HOUR)])
    tell(yard, note("by hand", early + 70, "reading", 180), note("again", early + 80, "reading", 188))
    yard.send(said((early + 41, 160), (early + 43, 162), (early + 101, 208)))
    yard.settle()
    assert used(yard, "engine_hours", early - 100) == (24 + 2 + 8 + 20,) * 2, "from 124 to 160 nobody looked"


REFUSED = {
    "meter": note("x", 1, "reading", 5, meter="fuel_used"),
    "asset": note("x", 1, "reading", 5, asset="NOBODY"),
    "at": note("x", 240.2, "reading", 5),
    "value: null": note("x", 1, "void", 5),
    "value: a number": note("x", 1, "reading"),
    "value: more than 0": note("x", 1, "count", 0),
    "value: 0 to": note("x", 1, "reading", 10**9),
    "before": note("x", 1, "reading", 5, before=4),
}


@pytest.mark.parametrize("says", REFUSED)
def test_a_note_that_cannot_be(says: str, yard: Yard) -> None:
    yard.clock.now = NOW
    with pytest.raises(Refused, match=says):
        tell(yard, REFUSED[says])


def test_a_note_is_told_once(yard: Yard) -> None:
    yard.clock.now = NOW
    tell(yard, NOTES[0])
    with pytest.raises(Clash):
        tell(yard, note("reset", 15, "reset", 0))
    with pytest.raises(NotFound):
        withdraw(yard, "nothing")


def test_of_nothing_heard_nothing_is_said(yard: Yard) -> None:
    with read(yard.book) as tx:
        assert {usage.used(tx, register.load(tx), "TRUCK-1", each, (0, NOW)) for each in EACH} == {None}
