"""What work costs, and how long it takes: each line to the cent, half up, so that lines always add up to their sum."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from models.maintenance.work_order import DROPPED, OPEN, State, is_overdue
from models.units import plain

CENT, ZERO = Decimal("0.01"), Decimal(0)
MS, HOUR_MS = 1000, 3_600_000


class Costs(NamedTuple):
    """Money in the company's currency; `uncosted` are parts that nobody knows the cost of: the sum is without them."""

    labour: Decimal = ZERO
    parts: Decimal = ZERO
    other: Decimal = ZERO
    uncosted: int = 0

    @property
    def total(self) -> Decimal:
        return self.labour + self.parts + self.other


class Order(NamedTuple):
    """An order as figures see it; `restored_us` is from its failure, `repair_us` the time that was worked on it."""

    state: State
    is_corrective: bool
    due_at: int | None
    estimate_h: Decimal | None
    done_at: int | None = None
    restored_us: int | None = None
    repair_us: int | None = None


class Figures(NamedTuple):
    """Of an asset, or of any orders: what waits, and how long corrective work took on the mean (ms); None: none did."""

    waiting: int
    overdue: int
    estimated_h: Decimal
    done: int
    corrective: int
    mean_restore_ms: int | None
    mean_repair_ms: int | None


def cents(amount: Decimal) -> Decimal:
    """To the cent, half up.

    >>> str(cents(Decimal("10.125")))
    '10.13'
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


def labour(hours: Decimal, rate: Decimal | None) -> Decimal:
    """What hours of work cost at a rate; without one, nothing that is known here."""
    return ZERO if rate is None else cents(hours * rate)


def share_of(cost: Decimal | None, part: Decimal, whole: Decimal) -> Decimal | None:
    """What a part of an issue that cost so much in all cost; None if that is not known."""
    return None if cost is None else cents(cost * part / whole)


def worked_us(life: Iterable[tuple[int, State]], until: int) -> int:
    """How long an order was in progress by the steps of its life (microseconds, state after): pauses are left out."""
    total, since = 0, None
    for at, state in [*life]:
        if since is not None and state != "in_progress":
            total, since = total + at - since, None
        elif since is None and state == "in_progress":
            since = at
    return total if since is None else total + max(0, until - since)


def figures(orders: Sequence[Order], now: int) -> Figures:
    """What waits now, and the means over the corrective orders that are done.

    The mean time to restore (MTTR) is from when it failed, or was asked for where nobody said when; of repair it is the
    time that was worked.
    """
    waiting = [each for each in orders if each.state in OPEN]
    done = [each for each in orders if each.state not in {*OPEN, *DROPPED}]
    corrective = [each for each in done if each.is_corrective]
    return Figures(
        waiting=len(waiting),
        overdue=sum(is_overdue(each.state, each.due_at, now) for each in waiting),
        estimated_h=plain(sum((each.estimate_h or ZERO for each in waiting), ZERO)),
        done=len(done),
        corrective=len(corrective),
        mean_restore_ms=_mean_ms(each.restored_us for each in corrective),
        mean_repair_ms=_mean_ms(each.repair_us for each in corrective),
    )


def hours(ms: int) -> Decimal:
    """Hours to a millionth.

    >>> str(hours(5_400_000))
    '1.5'
    """
    return plain((Decimal(ms) / HOUR_MS).quantize(Decimal("0.000001"), ROUND_HALF_UP))


def _mean_ms(spans: Iterable[int | None]) -> int | None:
    known = [each for each in spans if each is not None]
    return round(sum(known) / len(known) / MS) if known else None
