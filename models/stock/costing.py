"""What stock is worth: the net movements of one item, in event order, folded over layers of what came at which cost.

A customer's return comes back at what its issue took, what was taken last first; a supplier's leaves at the cost of its
receipt where that is known. What leaves while nothing is there goes at the last cost, and the receipt that covers it
trues it up, in an entry of its own. So opening + receipts + landed = what left + closing, to the last digit.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import NamedTuple, TypeVar
from zlib import compress, decompress

from msgspec import Struct, json, structs

from models.stock.layers import EXACT, METHODS, ONE, UNIT, ZERO, Part, Pool, Short, share, split

REMEMBERED = 256
"""So many at least of the last issues, and receipts, of an item are known by name to what returns."""
TRUE_UP = " true-up"
RECEIPT, LANDED, SUPPLIER_RETURN, REVALUATION = "receipt", "landed", "supplier return", "revaluation"
T = TypeVar("T")


class Event(NamedTuple):
    """A net movement into or out of what is ours. `came` and `went` are flows; None on the side that is ours."""

    at: int
    id: str
    quantity: Decimal
    came: str | None
    went: str | None
    place: str
    """The location that is not ours."""
    lot: str | None = None
    price: Decimal | None = None
    """The cost of one, if it is known of this receipt."""
    landed: Decimal = ZERO
    """What it cost beside its price, in all."""
    named: tuple[str, ...] = ()
    """Movements that its evidence names: what it returns."""
    undoes: bool = False
    """It takes back the last receipt from there."""


class Valued(NamedTuple):
    """What an event comes to: a flow's quantity and value. `uncosted`: nobody knows what it cost, it stands at 0."""

    flow: str
    quantity: Decimal
    value: Decimal
    uncosted: bool = False


class Issue(Struct, array_like=True):
    """An issue that may come back, in parts as it took them."""

    place: str
    parts: list[Part]


class Receipt(Struct, array_like=True, gc=False):
    """A receipt that may go back, at its own cost of one."""

    number: int
    cost: Decimal
    place: str
    lot: str | None


class State(Struct):
    """What is known of an item after some of its events; `pools` by lot where each lot has its own, else by ""."""

    method: str
    numbered: int = 0
    last: Decimal | None = None
    """What one last cost."""
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    pools: dict[str, Pool] = {}
    issues: dict[str, Issue] = {}
    receipts: dict[str, Receipt] = {}

    def pool(self, lot: str | None) -> Pool:
        """Where something of this lot is."""
        key = (lot or "") if self.method == "specific" else ""
        pool = self.pools.get(key)
        if pool is None:
            pool = self.pools[key] = Pool()
        return pool


def freeze(state: State) -> bytes:
    """A state as bytes, the same for the same."""
    pools = {lot: pool.plain() for lot, pool in sorted(state.pools.items()) if pool.layers or pool.shorts}
    return compress(json.encode(structs.replace(state, pools=pools)), 1)


def thaw(text: bytes) -> State:
    """The state again."""
    return json.decode(decompress(text), type=State)


def fold(state: State, events: Iterable[Event]) -> list[tuple[Event, list[Valued]]]:
    """What each event comes to; the state is that after the last one."""
    with localcontext(EXACT):
        return [(event, apply(state, event)) for event in events]


def rebook(state: State, method: str) -> None:
    """From here on by another method: layers keep their value, and stand where the new method has them.

    What was blended has lost its lots, and is of none where each lot has its own pool.
    """
    pools, state.method, state.pools = state.pools, method, {}
    rank = METHODS[method]
    with localcontext(EXACT):
        for key, pool in sorted(pools.items()):
            for layer in sorted(pool.layers.values(), key=lambda each: each.number):
                part = Part(layer.number, layer.quantity, layer.value)
                state.pool(layer.lot).add(rank(layer.number), part, layer.lot)
            state.pool(key or None).shorts.extend(pool.shorts)


def apply(state: State, event: Event) -> list[Valued]:
    """What one event comes to; called within EXACT, so that nothing is rounded."""
    if event.came is None:
        return _go(state, event, event.went or "")
    back, cost, uncosted = _cost(state, event, event.came)
    value = sum([part.value for part in back], cost) if back else cost
    found = [Valued(event.came, event.quantity, value, uncosted)]
    if event.landed:
        found.append(Valued(LANDED, ZERO, event.landed))
    if event.went is not None:  # it goes on at once, with all that it cost
        return [*found, Valued(event.went, event.quantity, value + event.landed)]
    state.quantity += event.quantity
    state.value += value + event.landed
    return found + _come(state, event, back, cost + event.landed)


def _cost(state: State, event: Event, flow: str) -> tuple[list[Part], Decimal, bool]:
    """Parts of issues that come back, what the rest cost, and whether nobody knows that."""
    back = [] if flow == RECEIPT or event.price is not None else _back(state, event)
    rest = event.quantity - _quantity(back) if back else event.quantity
    cost = state.last if event.price is None else event.price
    return back, (rest * (cost or ZERO)).quantize(UNIT), bool(rest) and cost is None


def _back(state: State, event: Event) -> list[Part]:
    """What an event brings back of issues: of those it names, else of the last ones to where it comes from.

    What was taken last comes back first.
    """
    named = [ident for ident in dict.fromkeys(event.named) if ident in state.issues]
    places = [ident for ident in reversed(state.issues) if state.issues[ident].place == event.place]
    back: list[Part] = []
    left = event.quantity
    for ident in named or places:
        issue = state.issues[ident]
        while left and issue.parts:
            part = split(issue.parts, left)
            left -= part.quantity
            if not part.number:
                _unshorten(state, ident, part, stays=event.went is not None)
            back.append(part)
        if not issue.parts:
            del state.issues[ident]
        if not left:
            break
    return back


def _unshorten(state: State, issue: str, part: Part, *, stays: bool) -> None:
    """What was short comes back: so much less is to be covered. If it went on elsewhere it `stays` short, of nobody."""
    for pool in state.pools.values():
        for n, short in enumerate(pool.shorts):
            if short.issue == issue:
                short.quantity -= part.quantity
                short.value -= part.value
                left = [short] if short.quantity else []
                gone = [Short("", short.flow, part.quantity, part.value)] if stays else []
                pool.shorts[n : n + 1] = left + gone
                return


def _come(state: State, event: Event, back: list[Part], cost: Decimal) -> list[Valued]:
    """Put in what came, `cost` being that of what is new, and cover what was short; the true-ups."""
    pool, rank = state.pool(event.lot), METHODS[state.method]
    for part in back:
        if part.number:
            pool.add(rank(part.number), part, event.lot)
    rest = event.quantity - _quantity(back) if back else event.quantity
    unit = share(cost, ONE, rest) if rest else ZERO
    if rest:
        state.numbered += 1
        pool.add(rank(state.numbered), Part(state.numbered, rest, cost), event.lot)
        if event.came == RECEIPT:
            _remember(state.receipts, event.id, Receipt(state.numbered, unit, event.place, event.lot))
    found = _cover(state, pool)
    if event.price is not None:
        blended = pool.layers.get(0)
        state.last = unit if blended is None else share(blended.value, ONE, blended.quantity)
    return found


def _cover(state: State, pool: Pool) -> list[Valued]:
    """Shorts take what there is now, the oldest first; the difference to what they went at is posted as theirs."""
    found: list[Valued] = []
    while pool.shorts and pool.first() is not None:
        short = pool.shorts[0]
        parts, left = pool.take(short.quantity)
        covered = short.quantity - left
        stood = share(short.value, covered, short.quantity)
        more = sum((part.value for part in parts), -stood)
        short.quantity, short.value = left, short.value - stood
        if short.issue in state.issues:
            _now_of(state.issues[short.issue].parts, parts, short)
        if not left:
            pool.shorts.pop(0)
        state.value -= more
        found.append(Valued(short.flow + TRUE_UP, covered, more))
    return found


def _now_of(parts: list[Part], covering: list[Part], rest: Short) -> None:
    """What an issue was short of came from these layers, as is known now."""
    at = next(k for k, part in enumerate(parts) if not part.number)
    parts[at : at + 1] = [*covering, *([Part(0, rest.quantity, rest.value)] if rest.quantity else [])]


def _go(state: State, event: Event, flow: str) -> list[Valued]:
    pool, left = state.pool(event.lot), event.quantity
    own: list[Part] = []
    more: list[Valued] = []
    if flow == SUPPLIER_RETURN and (receipt := _receipt(state, event)) is not None:
        own, more = _own(state, pool, receipt, left)
        left -= _quantity(own)
    parts, left = pool.take(left)
    if own:
        parts = own + parts
    if left:
        value = (left * (state.last or ZERO)).quantize(UNIT)
        pool.shorts.append(Short(event.id, flow, left, value))
        parts.append(Part(0, left, value))
    value = parts[0].value if len(parts) == 1 else sum([part.value for part in parts], ZERO)
    if flow != SUPPLIER_RETURN:
        _remember(state.issues, event.id, Issue(event.place, parts))
    state.quantity -= event.quantity
    state.value -= value
    for each in more:
        state.value -= each.value
    return [Valued(flow, event.quantity, value, bool(left) and state.last is None), *more]


def _quantity(parts: list[Part]) -> Decimal:
    return sum([part.quantity for part in parts], ZERO)


def _own(state: State, pool: Pool, receipt: Receipt, quantity: Decimal) -> tuple[list[Part], list[Valued]]:
    """What goes back to the supplier leaves at the cost of its receipt, as far as that is there.

    Of a blended layer too; what the others could then not be worth is a revaluation.
    """
    rank = METHODS[state.method](receipt.number)
    if rank not in pool.layers:
        return [], []
    part = pool.take_of(rank, quantity)
    if state.method != "average":
        return [part], []
    stays, own = pool.layers.get(rank), (part.quantity * receipt.cost).quantize(UNIT)
    if stays is not None and stays.value >= own - part.value:
        stays.value -= own - part.value
        return [Part(part.number, part.quantity, own)], []
    return [Part(part.number, part.quantity, own)], [Valued(REVALUATION, ZERO, part.value - own)]


def _receipt(state: State, event: Event) -> Receipt | None:
    """The receipt that goes back: which is named, else the last of the lot from there, or that is undone."""
    for ident in event.named:
        if ident in state.receipts:
            return state.receipts[ident]
    if event.lot is None and not event.undoes:
        return None
    newest = reversed(state.receipts.values())
    return next((each for each in newest if (each.place, each.lot) == (event.place, event.lot)), None)


def _remember(memory: dict[str, T], ident: str, known: T) -> None:
    memory[ident] = known
    if len(memory) >= 2 * REMEMBERED:
        for oldest in [*memory][:REMEMBERED]:
            del memory[oldest]
