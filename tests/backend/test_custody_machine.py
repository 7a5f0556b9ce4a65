"""Custody and bookings under any sequence of what people do: one holder at most, no overlap, and a chain that holds."""

from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select

from backend.book import bookings, custody
from backend.book.db import read, write
from backend.book.schema_custody import asset_booking
from backend.book.work_log import Stamp
from models.assets import custody as rules
from models.assets.booking import Booking
from models.assets.custody import Entry
from models.errors import Refused
from models.register import Entry as Declared
from models.register import Register
from tests.backend.books import Yard
from tests.backend.owned import Owned

HOUR = 3_600_000_000
PEOPLE, ASSETS = ("ann", "bob", "cid"), (0, 1)
START = 1_000 * HOUR


class Desk(RuleBasedStateMachine):
    """Beside the book, who has what as a person at the desk would write it down."""

    book: Engine
    runs = count(1)
    """Each run has assets of its own in the one book."""

    def __init__(self) -> None:
        super().__init__()
        self.run = next(Desk.runs)
        self.assets = [f"DRILL-{self.run}-{number}" for number in ASSETS]
        known = [Declared("assets", each, 0, n, Owned.asset(each)) for n, each in enumerate(self.assets)]
        self.register = Register.of(known)
        self.now, self.made = START, 0
        self.has: dict[str, str] = {}
        self.booked: dict[str, tuple[str, str, int, int]] = {}

    @initialize()
    def begin(self) -> None:
        """Nobody has anything."""

    @rule(hours=st.integers(1, 8))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(
        number=st.sampled_from(ASSETS),
        who=st.sampled_from(PEOPLE),
        due=st.sampled_from([None, 2, 9]),
        twice=st.booleans(),
    )
    def check_out(self, number: int, who: str, due: int | None, twice: bool) -> None:  # noqa: FBT001 - drawn
        asset = self.assets[number]
        due_at = None if due is None else self.now + due * HOUR
        others = [
            each
            for each in self.booked.values()
            if each[0] == asset and each[1] != who and each[2] < (due_at or self.now + 1) and self.now < each[3]
        ]
        if self.record("check_out", asset, twice=twice, holder=who, due_at=due_at):
            assert asset not in self.has
            assert not others
            self.has[asset] = who
        else:
            assert asset in self.has or others

    @rule(number=st.sampled_from(ASSETS), twice=st.booleans())
    def check_in(self, number: int, twice: bool) -> None:  # noqa: FBT001 - drawn
        asset = self.assets[number]
        was = self.has.pop(asset, None)
        assert self.record("check_in", asset, twice=twice) == (was is not None)
        over = [key for key, each in self.booked.items() if each[:2] == (asset, was) and each[2] <= self.now]
        for key in over:
            del self.booked[key]

    @rule(number=st.sampled_from(ASSETS), who=st.sampled_from(PEOPLE))
    def hand_over(self, number: int, who: str) -> None:
        asset = self.assets[number]
        if self.record("hand_over", asset, twice=False, holder=who):
            assert self.has[asset] != who
            self.has[asset] = who

    @rule(number=st.sampled_from(ASSETS), who=st.sampled_from(PEOPLE), after=st.integers(0, 9), hours=st.integers(1, 9))
    def book_it(self, number: int, who: str, after: int, hours: int) -> None:
        asset = self.assets[number]
        self.made += 1
        begin, end = self.now + after * HOUR, self.now + (after + hours) * HOUR
        wanted = Booking(id=f"b{self.run}-{self.made}", asset=asset, holder=who, begin_at=begin, end_at=end)
        try:
            with write(self.book) as tx:
                bookings.book(tx, self.register, wanted, Stamp("desk", self.now))
        except Refused:
            return
        assert not [each for each in self.booked.values() if each[0] == asset and each[2] < end and begin < each[3]]
        self.booked[wanted.id] = (asset, who, begin, end)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.booked:
            ident = data.draw(st.sampled_from(sorted(self.booked)))
            with write(self.book) as tx:
                bookings.close(tx, asset_booking, ident, "cancelled", (None, Stamp("desk", self.now)))
            del self.booked[ident]

    def record(self, what: str, asset: str, *, twice: bool, **fields: object) -> bool:
        """Whether the book took it; the same again changes nothing."""
        self.made += 1
        entry = Entry(id=f"c{self.run}-{self.made}", asset=asset, what=what, at=self.now, **fields)  # type: ignore[arg-type]
        try:
            for expected in ("created", "same")[: 1 + twice]:
                with write(self.book) as tx:
                    assert custody.record(tx, self.register, entry, Stamp("desk", self.now)) == expected
        except Refused:
            return False
        return True

    @invariant()
    def the_book_says_the_same(self) -> None:
        with read(self.book) as tx:
            assert {asset: each.holder for asset, each in custody.holders(tx, self.assets).items()} == self.has
            for asset in self.assets:
                chain = custody.chain(tx, asset)
                assert rules.first_broken(chain) is None
                now = rules.holder([each.entry for each in chain], self.now)
                assert (now and now.holder) == self.has.get(asset)
                assert custody.holder(tx, asset, self.now) == now
            rows = tx.execute(
                select(asset_booking.c.id).where(
                    asset_booking.c.asset.in_(self.assets), asset_booking.c.state == "open"
                )
            )
            assert {row.id for row in rows} == {*self.booked}


def test_any_sequence(yard: Yard) -> None:
    Desk.book = yard.book
    limits = settings(max_examples=12, stateful_step_count=15, deadline=None)
    run_state_machine_as_test(Desk, settings=limits)  # type: ignore[no-untyped-call]
