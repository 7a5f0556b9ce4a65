"""What the values of a sample are: names and units, kept apart from the numbers, as most samples have the same."""

from dataclasses import dataclass
from functools import lru_cache

Column = tuple[str, str]
"""(name, unit), the unit a UCUM code. With a device it is a time series."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Of some values, in their order. Equal by identity, so that to group by it costs nothing; it has no order."""

    series: tuple[Column, ...]


@lru_cache(10_000)
def columns(*series: Column) -> Columns:
    """One object for the same series, as long as it is remembered; another for the same is not wrong, only slower."""
    return Columns(series)
