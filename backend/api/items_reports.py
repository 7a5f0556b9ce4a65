"""The shape of reports."""

from datetime import datetime

from msgspec import Struct


class ReportColumn(Struct, frozen=True):
    """A column: its stable name, its title, and its kind: text, quantity, money, share, number, time, date."""

    name: str
    title: str
    kind: str


class ReportListed(Struct, frozen=True):
    """A report that there is, and what it says."""

    name: str
    title: str
    says: str
    module: str
    columns: list[ReportColumn]


class ReportMade(Struct, frozen=True):
    """A report: rows of cells in the order of its columns; decimals and times are text, absent is null."""

    name: str
    title: str
    begin: datetime
    end: datetime
    made_at: datetime
    complete_to: datetime
    """The time up to which it rests on everything that was read."""
    columns: list[ReportColumn]
    rows: list[list[str | int | None]]
