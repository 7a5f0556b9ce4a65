"""What the values of a sample are: names and units, kept apart from the numbers, as most samples have the same."""

from dataclasses import dataclass
from functools import lru_cache

Series = tuple[str, str]
"""(name, unit), the unit a UCUM code. With a device it is a time series."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The series of some values, in their order. Made by `columns`: samples of one object have the same."""

    series: tuple[Series, ...]


@lru_cache(10_000)
def columns(*series: Series) -> Columns:
    """One object for the same series, as long as it is remembered; another for the same is not wrong, only slower."""
    return Columns(series)
