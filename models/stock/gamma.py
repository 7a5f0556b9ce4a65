"""The gamma distribution as far as stock needs it: demand is never negative and is skewed to the right.

Plain floats: these are chances and estimates. Quantities become decimals where a policy takes them.
"""

from math import exp, fsum, inf, lgamma, log

TERMS = 2000
TINY = 1e-300
CLOSE = 1e-13
HALVINGS = 100


def share(shape: float, x: float) -> float:
    """P(a, x), the regularised lower incomplete gamma function: the chance of at most x at scale 1.

    By series below a + 1, by continued fraction (modified Lentz) above: Abramowitz and Stegun, 6.5.29 and 6.5.31.

    >>> round(share(1.0, 1.0), 12) == round(1 - exp(-1), 12)
    True
    """
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    return front * _series(shape, x) if x < shape + 1 else 1 - front * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    terms = [1 / shape]
    for n in range(1, TERMS):
        terms.append(terms[-1] * x / (shape + n))
        if terms[-1] < terms[0] * CLOSE:
            break
    return fsum(terms)


def _fraction(shape: float, x: float) -> float:
    b, c = x + 1 - shape, inf
    d = value = 1 / b
    for n in range(1, TERMS):
        a = n * (shape - n)
        b += 2
        d = 1 / ((a * d + b) or TINY)
        c = (b + a / c) or TINY
        value *= c * d
        if abs(c * d - 1) < CLOSE:
            break
    return value


def quantile(mean: float, sd: float, chance: float) -> float:
    """The amount that is not exceeded with this chance, by halving; the mean if nothing varies."""
    if mean <= 0 or sd <= 0:
        return max(mean, 0.0)
    shape, scale = (mean / sd) ** 2, sd * sd / mean
    low, high = 0.0, mean + sd
    while share(shape, high / scale) < chance:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if high - low <= CLOSE * high:
            break
        low, high = (middle, high) if share(shape, middle / scale) < chance else (low, middle)
    return high


def excess(mean: float, sd: float, amount: float) -> float:
    """How much more than `amount` is expected on average: E[max(X - amount, 0)]."""
    if sd <= 0 or mean <= 0:
        return max(mean - amount, 0.0)
    if amount <= 0:
        return mean - amount
    shape, scale = (mean / sd) ** 2, sd * sd / mean
    return mean * (1 - share(shape + 1, amount / scale)) - amount * (1 - share(shape, amount / scale))
