"""How much must be there when an order goes out, so that what is asked for until it comes can be served.

Two laws of what is asked for meanwhile: normal, as textbooks have it, and gamma, which is what demand in few and
unequal pieces is like. Two targets: the share of cycles without a stock-out, and the share of units served at once.
"""

from math import sqrt
from statistics import NormalDist
from typing import Literal

from msgspec import Struct

from models.stock import gamma

Target = Literal["cycle", "fill"]
_STANDARD = NormalDist()
HALVINGS = 60


class Spread(Struct, frozen=True):
    """What is asked for from the decision to order until the goods come: mean, standard deviation, law; in units."""

    mean: float
    sd: float
    law: Literal["normal", "gamma"] = "normal"


def z(service: float) -> float:
    """The standard normal quantile.

    >>> round(z(0.95), 6)
    1.644854
    """
    return _STANDARD.inv_cdf(service)


def unit_loss(k: float) -> float:
    """G(k) = phi(k) - k (1 - Phi(k)): the mean of what a standard normal is above k.

    >>> round(unit_loss(1.0), 6)
    0.083315
    """
    return _STANDARD.pdf(k) - k * (1 - _STANDARD.cdf(k))


def sd_of_lead_time_demand(mean: float, sd: float, lead_mean: float, lead_sd: float) -> float:
    """sqrt(L sd^2 + d^2 sL^2): demand per day with mean d and deviation sd, over a lead time of L days."""
    return sqrt(lead_mean * sd * sd + mean * mean * lead_sd * lead_sd)


def cycle_service(spread: Spread, point: float) -> float:
    """The chance that nothing runs out in a cycle that begins at this reorder point."""
    if spread.sd <= 0:
        return 1.0 if point >= spread.mean else 0.0
    if spread.law == "normal":
        return NormalDist(spread.mean, spread.sd).cdf(point)
    return gamma.share((spread.mean / spread.sd) ** 2, point * spread.mean / spread.sd**2)


def shortage(spread: Spread, point: float) -> float:
    """Units that are missing at the end of a cycle, on average."""
    if spread.law == "normal" and spread.sd > 0:
        return spread.sd * unit_loss((point - spread.mean) / spread.sd)
    return gamma.excess(spread.mean, spread.sd, point)


def fill_rate(spread: Spread, point: float, quantity: float) -> float:
    """The share of units served at once: 1 - shortage / Q, and not less than 0."""
    return max(0.0, 1 - shortage(spread, point) / quantity)


def point(spread: Spread, service: float, target: Target, quantity: float) -> float:
    """The least reorder point that reaches the service; not below 0."""
    if target == "cycle":
        reached = (
            spread.mean + z(service) * spread.sd
            if spread.law == "normal"
            else gamma.quantile(spread.mean, spread.sd, service)
        )
        return max(0.0, reached)
    return _filling(spread, service, quantity)


def _filling(spread: Spread, service: float, quantity: float) -> float:
    """By halving: the fill rate rises with the reorder point."""
    low, high = 0.0, spread.mean + spread.sd
    if fill_rate(spread, low, quantity) >= service:
        return low
    while fill_rate(spread, high, quantity) < service:
        low, high = high, 2 * high + 1
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fill_rate(spread, middle, quantity) < service else (low, middle)
    return high


def newsvendor(mean: float, sd: float, over: float, under: float) -> float:
    """What to have for one season of normal demand: a unit too many costs `over`, one too few `under`."""
    return mean + sd * z(under / (over + under))
