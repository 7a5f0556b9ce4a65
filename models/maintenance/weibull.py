"""How long parts live: a Weibull distribution, fitted to lives that ended and to lives that still go on.

Maximum likelihood with right censoring (ISO 61649, clause 7; Cohen, Technometrics 7, 1965): the shape is where the
profile likelihood is steepest no more, found by bisection, as its slope only ever falls; the scale follows. Confidence
by the observed information on the logarithms of both. Floats: these are estimates of nature, not money.
"""

from collections.abc import Iterable, Sequence
from math import exp, gamma, log, sqrt
from math import pow as power

from msgspec import Struct

from models.errors import Refused

LEAST_FAILURES = 2
STEPS = 200
FLATTEST, STEEPEST = 1e-3, 1e3
"""Shapes that are looked for."""
EXACT = 1e-13
Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


class NotEnough(Refused):
    """Too few lives have ended to say how long they are."""


class Weibull(Struct, frozen=True):
    """Scale `eta`, in the unit of the lives, and shape `beta`: below 1 early failures, 1 chance, above it wear."""

    eta: float
    beta: float

    @property
    def mean(self) -> float:
        """The mean life (MTTF)."""
        return self.eta * gamma(1 + 1 / self.beta)

    def quantile(self, share: float) -> float:
        """The life by which a share of them have failed: B10 is that of 0.1."""
        return self.eta * power(-log(1 - share), 1 / self.beta)

    def survival(self, life: float) -> float:
        """The share that lives longer."""
        return exp(-power(life / self.eta, self.beta))

    def hazard(self, life: float) -> float:
        """Failures per unit of life among those that have come so far."""
        return self.beta / self.eta * power(life / self.eta, self.beta - 1)


class Fit(Struct, frozen=True):
    """A fitted distribution, how many lives it rests on, and between what its parameters are with 95 % confidence."""

    weibull: Weibull
    failures: int
    censored: int
    eta: tuple[float, float]
    beta: tuple[float, float]
    log_likelihood: float


def fit(failed: Iterable[float], going_on: Iterable[float] = ()) -> Fit:
    """The most likely distribution of lives, all in one unit. Raises NotEnough, or Refused for a life that is none.

    >>> found = fit([16, 34, 53, 75, 93, 120])  # ReliaSoft, Life Data Analysis Reference, the Weibull distribution
    >>> round(found.weibull.beta, 3), round(found.weibull.eta, 3)
    (1.933, 73.526)
    """
    ended, lasting = sorted(map(float, failed)), sorted(map(float, going_on))
    _check(ended, lasting)
    scale = max([*ended, *lasting])
    lives = [each / scale for each in (*ended, *lasting)]
    logs = [log(each / scale) for each in ended]
    beta = _shape(lives, logs)
    eta = power(sum(power(each, beta) for each in lives) / len(ended), 1 / beta)
    ranges = _ranges(lives, len(ended), (eta, beta))
    likelihood = len(ended) * (log(beta) - beta * log(eta) - log(scale)) + (beta - 1) * sum(logs) - len(ended)
    found = Weibull(eta * scale, beta)
    return Fit(
        weibull=found,
        failures=len(ended),
        censored=len(lasting),
        eta=_around(found.eta, ranges[0]),
        beta=_around(beta, ranges[1]),
        log_likelihood=likelihood,
    )


def _check(ended: Sequence[float], lasting: Sequence[float]) -> None:
    for each in (*ended, *lasting):
        if not 0 < each < float("inf"):
            msg = f"life: more than 0 expected, got {each}"
            raise Refused(msg)
    if len(ended) < LEAST_FAILURES:
        msg = f"failures: at least {LEAST_FAILURES} expected to fit a distribution, got {len(ended)}"
        raise NotEnough(msg)
    if ended[0] == max(ended[-1], *lasting, 0.0):
        msg = f"failures: lives that differ expected, all are {ended[0]}"
        raise NotEnough(msg)


def _shape(lives: Sequence[float], logs: Sequence[float]) -> float:
    mean, natural = sum(logs) / len(logs), [log(each) for each in lives]

    def slope(beta: float) -> float:
        """Of the profile likelihood, over the number of failures; it only falls."""
        powers = [power(each, beta) for each in lives]
        return 1 / beta + mean - sum(p * n for p, n in zip(powers, natural, strict=True)) / sum(powers)

    low, high = FLATTEST, STEEPEST
    for _ in range(STEPS):
        middle = sqrt(low * high)
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
        if high / low < 1 + EXACT:
            break
    return sqrt(low * high)


def _ranges(lives: Sequence[float], failures: int, at: tuple[float, float]) -> tuple[float, float]:
    """Standard errors of log eta and log beta: the inverse of the observed information."""
    eta, beta = at
    powers = [power(each / eta, beta) for each in lives]
    ratios = [log(each / eta) for each in lives]
    first = sum(p * r for p, r in zip(powers, ratios, strict=True))
    second = sum(p * r * r for p, r in zip(powers, ratios, strict=True))
    # on (log eta, log beta); at the maximum the sum of the powers is the number of failures
    of_eta, of_both, of_beta = beta**2 * failures, -(beta**2) * first, failures + beta**2 * second
    determinant = of_eta * of_beta - of_both**2
    return sqrt(of_beta / determinant), sqrt(of_eta / determinant)


def _around(value: float, error: float) -> tuple[float, float]:
    return value * exp(-Z95 * error), value * exp(Z95 * error)
