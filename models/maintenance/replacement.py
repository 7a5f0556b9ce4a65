"""When it pays to replace a part before it fails, and a machine before it costs too much.

Age replacement (Barlow and Proschan, Mathematical Theory of Reliability, 1965, chapter 4): replaced at an age or at a
failure, whichever is first, a part costs (cp R(t) + cf F(t)) / integral of R up to t per unit of life. Where failures
do not come sooner with age, or where the best age saves next to nothing, it is run to failure. Economic life: the year
of the least equivalent annual cost (Newnan, Engineering Economic Analysis, chapter 13).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import exp, lgamma, log, sqrt
from math import pow as power
from typing import Literal

from msgspec import Struct

from models.errors import Refused
from models.maintenance.weibull import Weibull

CENT = Decimal("0.01")
MATERIAL = 0.02
"""What is saved of the cost of running to failure must be more than this share, or it is not worth the planning."""
STEPS, EXACT, LAST, NONE_LEFT = 300, 1e-14, 1e-16, 1e-12
Advice = Literal["replace_at_age", "run_to_failure"]


class Replacement(Struct, frozen=True):
    """What to do with a part, and what it costs per unit of life; `age` is where it is replaced at the latest.

    `age`, `rate` and `saves` are of the best age, None where there is none; `saves` is a share of `to_failure`.
    """

    advice: Advice
    why: str
    to_failure: float
    age: float | None = None
    rate: float | None = None
    saves: float | None = None


def replacement(life: Weibull, planned: float, failed: float, material: float = MATERIAL) -> Replacement:
    """The advice for a part: `planned` is what a replacement costs in time, `failed` what one after a failure costs."""
    if not 0 < planned < float("inf") or not 0 < failed < float("inf"):
        msg = f"cost: more than 0 expected, got {planned} planned and {failed} after a failure"
        raise Refused(msg)
    to_failure = failed / life.mean
    if life.beta <= 1:
        return Replacement("run_to_failure", "failures do not come sooner with age: beta is not above 1", to_failure)
    if failed <= planned:
        return Replacement("run_to_failure", "a failure costs no more than a planned replacement", to_failure)
    age = _best_age(life, failed / (failed - planned))
    if age is None:
        return Replacement("run_to_failure", "nothing lives to the age at which it would pay", to_failure)
    at_age = rate(life, planned, failed, age)
    saves = 1 - at_age / to_failure
    if saves < material:
        why = f"the best age saves {saves:.2%}, less than {material:.0%}"
        return Replacement("run_to_failure", why, to_failure, age, at_age, saves)
    return Replacement("replace_at_age", f"saves {saves:.1%} of the cost", to_failure, age, at_age, saves)


def rate(life: Weibull, planned: float, failed: float, age: float) -> float:
    """What a part costs per unit of life if it is replaced at an age."""
    alive = life.survival(age)
    return (planned * alive + failed * (1 - alive)) / lived(life, age)


def lived(life: Weibull, age: float) -> float:
    """The mean life up to an age: the integral of the survival, by the lower incomplete gamma function."""
    return life.eta / life.beta * _lower_gamma(1 / life.beta, power(age / life.eta, life.beta))


def _best_age(life: Weibull, ratio: float) -> float | None:
    """Where hazard(t) x lived(t) + R(t) = cf / (cf - cp): the left side only rises, from 1 on, as the hazard does.

    None if nothing gets so old.
    """
    low, high = life.eta * 1e-9, life.eta
    while _rise(life, high) < ratio:
        if life.survival(high) < NONE_LEFT:
            return None
        high *= 2
    for _ in range(STEPS):
        middle = sqrt(low * high)
        low, high = (middle, high) if _rise(life, middle) < ratio else (low, middle)
        if high / low < 1 + EXACT:
            break
    return sqrt(low * high)


def _rise(life: Weibull, age: float) -> float:
    return life.hazard(age) * lived(life, age) + life.survival(age)


def _lower_gamma(a: float, x: float) -> float:
    """Series below a + 1, else the complete function less a continued fraction (Abramowitz and Stegun 6.5.29, 31)."""
    if x <= 0:
        return 0.0
    scale = exp(a * log(x) - x)
    if x < a + 1:
        term = total = 1 / a
        k = a
        while abs(term) > abs(total) * LAST:
            k += 1
            term *= x / k
            total += term
        return total * scale
    b, c, d = x + 1 - a, 1e300, 1 / (x + 1 - a)
    fraction = d
    for k in range(1, STEPS):
        step = -k * (k - a)
        b += 2
        d, c = 1 / (step * d + b), b + step / c
        fraction *= d * c
        if abs(d * c - 1) < LAST:
            break
    return exp(lgamma(a)) - scale * fraction


def equivalent_annual_costs(
    price: Decimal, interest: Decimal, operating: Sequence[Decimal], resale: Sequence[Decimal]
) -> list[Decimal]:
    """What each year costs if the machine is sold at the end of it, year by year, to the cent.

    `operating` and `resale` are those of each year; `interest` a share, 0.08 is 8 %.
    """
    if len(operating) != len(resale) or not operating:
        msg = f"operating, resale: as many of each expected, got {len(operating)} and {len(resale)}"
        raise Refused(msg)
    found: list[Decimal] = []
    spent, factor, annuity = price, Decimal(1), Decimal(0)
    for cost, worth in zip(operating, resale, strict=True):
        factor /= 1 + interest
        annuity += factor
        spent += cost * factor
        found.append(((spent - worth * factor) / annuity).quantize(CENT, ROUND_HALF_UP))
    return found


def economic_life(costs: Sequence[Decimal]) -> int:
    """After how many years it is cheapest to replace a machine: the first of the least annual costs."""
    return costs.index(min(costs)) + 1
