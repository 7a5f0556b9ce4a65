"""Posts what assets cost and lose: what is dated at once, depreciation when a month is over, late facts as deltas.

It follows the register by its numbers, looks at every asset once a month begins, and every hour at those that are
depreciated by use. What it posts is the difference between what is known and what is posted, in one transaction with
the mark that asked for it: whenever it is ended, nothing is posted twice. An asset that fails holds up no other.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import partial

from sqlalchemy import Connection, Engine

from backend.asset_use import AssetUse
from backend.book import asset_facts, asset_ledger, asset_marks, register, value_marks
from backend.book.asset_marks import MONTH, REGISTER
from backend.book.db import is_bug, read, repeated, write
from backend.registers import Registers
from backend.unvalued import ACTOR, Unvalued
from models.assets.accounts import Flow
from models.assets.posting import PostedLine, Wanted, by_month, differences
from models.assets.value import flows
from models.months import first_of, month_of
from models.reading import from_micros
from models.register import Register

ASSETS_A_STEP = 50
USE_S = 3600.0
MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be in the ledger of an asset, by month, and what depreciation by use rests on."""

    flows: dict[int, dict[Flow, Decimal]]
    use: AssetUse
    meter: str | None

    def lines(self, wanted: Wanted) -> list[PostedLine]:
        """The lines of a posting; a month's depreciation by use names the units, and what nobody observed."""
        return [PostedLine(flow, amount, *self._units(flow, wanted)) for flow, amount in wanted.flows.items()]

    def _units(self, flow: Flow, wanted: Wanted) -> tuple[Decimal | None, Decimal | None]:
        if flow != "depreciation" or self.meter is None:
            return None, None
        begin = first_of(wanted.origin)
        span = (self.meter, begin, first_of(wanted.origin + 1))
        return _decimal(self.use.used(*span)), _decimal(self.use.unobserved(*span))


class AssetValuer:
    """One worker; it holds nothing but the register, when it looked at the use last, and what failed."""

    def __init__(self, book: Engine, clock: Callable[[], int]) -> None:
        self._book = book
        self._clock = clock
        self._registers = Registers()
        self._looked_at: float | None = None
        self._unvalued = Unvalued(book, clock, "asset")

    def step(self) -> bool:
        """Follow a page, or post of some assets; whether there is more to do at once."""
        if self._is_behind():
            return repeated(self._follow) or True
        if self._looked_at is None or time.monotonic() - self._looked_at > USE_S:
            self._looked_at = time.monotonic()
            self._look()
        left = self._unvalued.still_left()
        with read(self._book) as tx:
            seen = asset_marks.marked(tx, ASSETS_A_STEP, left)
        if not seen:
            return False
        if self._unvalued.is_any(seen) or not self._is_done(seen):
            for asset in seen:
                self._unvalued.attempt(asset, lambda one: self._settle({one: seen[one]}))
        return len(seen) == ASSETS_A_STEP

    def settle_all(self) -> None:
        """Until nothing waits. Raises BadPeriod if an asset cannot be valued."""
        self._looked_at = None
        self._unvalued.retry()
        while self.step() or self._is_behind():
            pass
        self._unvalued.check_none()

    def _is_done(self, seen: dict[str, int]) -> bool:
        """Value them together; False if any fails by a bug."""
        try:
            self._settle(seen)
        except Exception as error:
            if not is_bug(error):
                raise
            return False
        return True

    def _settle(self, seen: dict[str, int]) -> None:
        with read(self._book) as tx:
            due = dues(tx, self._registers.current(tx), seen, self._clock())
        repeated(lambda: self._post(seen, due))

    def _is_behind(self) -> bool:
        with read(self._book) as tx:
            return is_behind(tx, self._clock())

    def _follow(self) -> bool:
        with write(self._book) as tx:
            return follow(tx, self._registers.current(tx), self._clock())

    def _post(self, seen: dict[str, int], due: Mapping[str, Due]) -> None:
        with write(self._book) as tx:
            asset_ledger.lock(tx)
            now = asset_marks.still(tx, seen)
            post(tx, {asset: due[asset] for asset in now if asset in due}, self._clock())
            asset_marks.unmark(tx, now)

    def _look(self) -> None:
        """Mark those whose use was counted otherwise since it was posted."""
        now = self._clock()
        with read(self._book) as tx:
            wanted = by_use(self._registers.current(tx), now)
        for k in range(0, len(wanted), ASSETS_A_STEP):
            page = wanted[k : k + ASSETS_A_STEP]
            try:
                with read(self._book) as tx:
                    some = differing(tx, self._registers.current(tx), page, now)
            except Exception as error:
                if not is_bug(error):
                    raise
                some = page  # whose fault it is comes out when each is valued
            if some:
                repeated(partial(self._mark, some))

    def _mark(self, assets: Collection[str]) -> None:
        with write(self._book) as tx:
            asset_marks.mark(tx, assets)


def is_behind(tx: Connection, now: int) -> bool:
    """Whether the register has entries that are not followed, or a month has begun since all were looked at."""
    followed = asset_marks.position(tx, REGISTER) < register.newest(tx)
    return followed or asset_marks.position(tx, MONTH) < month_of(now)


def follow(tx: Connection, known: Register, now: int) -> bool:
    """Mark a page's assets, and all of them when a month has begun; whether there is more."""
    asset_ledger.lock(tx)
    is_more = asset_marks.follow(tx, known)
    if asset_marks.position(tx, MONTH) < month_of(now):
        asset_marks.mark(tx, asset_facts.valued(known, now))
        asset_marks.move(tx, MONTH, month_of(now))
    return is_more


def dues(tx: Connection, known: Register, assets: Collection[str], now: int) -> dict[str, Due]:
    """What the ledger should say of assets: everything up to today, depreciation of the months that are over."""
    until = from_micros(now).date() + timedelta(days=1)
    found: dict[str, Due] = {}
    for asset, of in asset_facts.facts(tx, known, assets, now).items():
        use = AssetUse(tx, known, asset, now)
        meter = of.policy.meter if of.policy is not None and of.policy.method == "units" else None
        found[asset] = Due(flows(of, until, use.used), use, meter)
    return found


def post(tx: Connection, due: Mapping[str, Due], now: int) -> None:
    """Append what makes the ledger say what is due."""
    posted = asset_ledger.of_assets(tx, due)
    closed_to = value_marks.closed_to(tx)
    wanted = [
        each
        for asset, of in sorted(due.items())
        for each in differences(asset, of.flows, by_month(posted[asset]), closed_to)
    ]
    asset_ledger.append(tx, wanted, lambda each: due[each.asset].lines(each), ACTOR, now)


def settle(tx: Connection, known: Register, assets: Collection[str], now: int) -> None:
    """Post of some assets in this transaction; what others worked out of them meanwhile is not posted."""
    asset_ledger.lock(tx)
    post(tx, dues(tx, known, assets, now), now)
    asset_marks.unmark(tx, assets)


def settle_marked(tx: Connection, known: Register, now: int) -> None:
    """The same of all that wait: before months are closed, in that transaction."""
    while follow(tx, known, now):
        pass
    while seen := asset_marks.marked(tx, ASSETS_A_STEP):
        settle(tx, known, seen, now)


def by_use(known: Register, now: int) -> list[str]:
    """Assets that are depreciated by what their meters count."""
    return [
        asset
        for asset in asset_facts.valued(known, now)
        if any(policy.method == "units" for _, policy in asset_facts.policies(known, asset, now))
    ]


def differing(tx: Connection, known: Register, assets: Collection[str], now: int) -> list[str]:
    """Those of which the ledger does not say what is known now."""
    posted = asset_ledger.of_assets(tx, assets)
    due = dues(tx, known, assets, now)
    return [asset for asset, of in due.items() if differences(asset, of.flows, by_month(posted[asset]), None)]


def _decimal(units: Fraction) -> Decimal:
    return (Decimal(units.numerator) / units.denominator).quantize(MILLIONTH, ROUND_HALF_UP)
