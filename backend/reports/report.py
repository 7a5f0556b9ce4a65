"""What a report is: columns, and one function that gives their rows for a span of time, an item, a place or a family.

Every report reads one state of the book. Quantities and money are decimals, shares are fractions of 1, times UTC.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from sqlalchemy import Connection

from models.errors import Refused
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

Kind = Literal["text", "quantity", "money", "share", "number", "time", "date"]
Cell = str | Decimal | int | datetime | date | None
Row = Sequence[Cell]
CENT, SHARE = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `name` is stable, `title` is for people.

    Of a family it is the sum of its items', if it `adds`, or one column over another: `share_of`.
    """

    name: str
    title: str
    kind: Kind = "text"
    share_of: tuple[str, str] | None = None
    adds: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is asked for: [begin, end) in microseconds UTC, and what it is narrowed to; None: all."""

    begin: int
    end: int
    sku: str | None = None
    location: str | None = None
    family: str | None = None
    site: str | None = None
    unit: str | None = None
    project: str | None = None
    category: str | None = None

    def __post_init__(self) -> None:
        if self.begin >= self.end:
            msg = f"to: a time after `from` {from_micros(self.begin).isoformat()} expected"
            raise Refused(msg)


@dataclass(frozen=True, slots=True)
class Look:
    """The state of the book that a report reads."""

    tx: Connection
    register: Register
    now: int
    complete_to: int
    """Up to when it rests on everything that was read."""


@dataclass(frozen=True, slots=True)
class Report:
    """One entry of REPORTS. `module` is the part of the product that it belongs to."""

    name: str
    title: str
    says: str
    columns: tuple[Column, ...]
    rows: Callable[[Look, Span], Iterable[Row]]
    module: Literal["stock", "assets"] = "stock"


def plain(cell: Cell, kind: Kind) -> str | int | None:
    """A cell as JSON and CSV have it: decimals as text, money to the cent, times as RFC 3339 UTC."""
    if isinstance(cell, Decimal):
        exact = rounded(cell, kind)
        return f"{exact:f}" if kind == "money" else quantity_text(exact)
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(cell, date):
        return cell.isoformat()
    return cell


def rounded(value: Decimal, kind: Kind) -> Decimal:
    """Money to the cent and shares to a hundredth of a per cent, half up; anything else as it is."""
    exact = {"money": CENT, "share": SHARE}.get(kind)
    return value if exact is None else value.quantize(exact, ROUND_HALF_UP)
