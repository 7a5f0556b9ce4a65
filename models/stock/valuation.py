"""An item's value in event time: its net movements become events of costing, and what they come to is kept by day.

A month's figures follow from the state at its beginning and its events, so a late entry is valued from its month on,
and a month that comes out as it was ends the work.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, localcontext
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from models.months import begin_of, month_of
from models.place import IN_TRANSIT, VIRTUAL
from models.stock.accounts import counted, signed, way_of
from models.stock.costing import RECEIPT, Event, State, apply, freeze, rebook
from models.stock.layers import EXACT, ZERO
from models.stock.periods import NOTHING, Sum

DAY_US = 86_400_000_000
UNCOSTED_NAMED = 20
UNDO = "scan undo"
DayFlow = tuple[int, str]
"""(days since 1970, flow)."""


class Moved(NamedTuple):
    """A movement that holds, as valuation sees it."""

    at: int
    id: str
    lot: str | None
    quantity: Decimal
    source: str
    target: str
    reason: str
    evidence: tuple[str, ...] = ()


class Costs(NamedTuple):
    """What is known of the cost of movements: of one, `own` declared for it or else usual; and what it cost beside."""

    own: dict[str, Decimal]
    usual: Callable[[Moved], Decimal | None]
    landed: dict[str, Decimal]


class Month(Struct):
    """An item's month: what its flows come to by day, and how it stands after its last event."""

    month: int
    days: dict[DayFlow, Sum]
    state: bytes = b""
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    last_at: int = 0
    uncosted: list[str] = []
    """Movements that nobody knows the cost of, the first ones."""

    def sums(self, upto: int | None = None) -> dict[str, Sum]:
        """By flow, of the whole month or up to a day."""
        found: dict[str, Sum] = {}
        with localcontext(EXACT):
            for (day, flow), each in self.days.items():
                if upto is None or day <= upto:
                    found[flow] = found.get(flow, NOTHING).plus(*each)
        return found

    def at_end_of(self, day: int) -> tuple[Decimal, Decimal]:
        """The quantity and value after a day: what there is at the end, less what came of the days after."""
        quantity, value = self.quantity, self.value
        with localcontext(EXACT):
            for (later, flow), each in self.days.items():
                if later > day:
                    quantity -= counted(flow, each.quantity)
                    value -= signed(flow, each.value)
        return quantity, value


class Running(Struct, gc=False):
    """A sum that is being made."""

    quantity: Decimal
    value: Decimal
    moves: int


class _MonthOf:
    """The month of each event: they come in order, so the last one's bounds nearly always tell."""

    def __init__(self) -> None:
        self._month, self._begin, self._end = -1, 0, 0

    def __call__(self, event: Event) -> int:
        if not self._begin <= event.at < self._end:
            self._month = month_of(event.at)
            self._begin, self._end = begin_of(self._month), begin_of(self._month + 1)
        return self._month


def kind_of(ident: str, kind: str | None, *, is_virtual: bool) -> str | None:
    """What a location is to valuation; None is ours. Goods in transit are ours; what is only virtual is an adjustment.

    A location that the register does not know is what its id says.
    """
    found = kind or (ident if ident in VIRTUAL else None)
    if found in VIRTUAL:
        return None if found == IN_TRANSIT else found
    return "adjustment" if is_virtual else None


def event_of(moved: Moved, kinds: Callable[[str], str | None], purpose: str, costs: Costs) -> Event | None:
    """What a movement is to costing; None between two places of ours, or two of one kind outside."""
    source, target = kinds(moved.source), kinds(moved.target)
    if source == target:
        return None
    came = None if source is None else way_of(source, purpose, moved.reason).into
    went = None if target is None else way_of(target, purpose, moved.reason).out
    price = costs.own.get(moved.id)
    if price is None and came == RECEIPT:
        price = costs.usual(moved)
    place = moved.target if source is None else moved.source
    landed = costs.landed.get(moved.id, ZERO) if came == RECEIPT else ZERO
    named = tuple([each[9:] for each in moved.evidence if each.startswith("movement:")]) if moved.evidence else ()
    undoes = moved.reason == UNDO
    return Event(moved.at, moved.id, moved.quantity, came, went, place, moved.lot, price, landed, named, undoes)


def months(
    state: State, begun: Month | None, events: Iterable[Event], method_in: Callable[[int], str]
) -> Iterator[Month]:
    """Every month that has events, valued by the method that holds when it begins.

    `begun` is the month that `state` is in the middle of, and goes on.
    """
    for month, of_month in groupby(events, _MonthOf()):
        if begun is None or begun.month != month:
            begun = Month(month, {})
            if state.method != method_in(month):
                rebook(state, method_in(month))
        yield _month(state, begun, of_month)


def _month(state: State, found: Month, events: Iterator[Event]) -> Month:
    days = {key: Running(*each) for key, each in found.days.items()}
    uncosted, last_at = [*found.uncosted], found.last_at
    with localcontext(EXACT):
        for event in events:
            last_at = event.at
            day = last_at // DAY_US
            for flow, quantity, value, is_uncosted in apply(state, event):
                sums = days.get((day, flow))
                if sums is None:
                    days[day, flow] = Running(quantity, value, 1)
                else:
                    sums.quantity += quantity
                    sums.value += value
                    sums.moves += 1
                if is_uncosted and len(uncosted) < UNCOSTED_NAMED:
                    uncosted.append(event.id)
    made = {key: Sum(sums.quantity, sums.value, sums.moves) for key, sums in days.items()}
    return Month(found.month, made, freeze(state), state.quantity, state.value, last_at, uncosted)
