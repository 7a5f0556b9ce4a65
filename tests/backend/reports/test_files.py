"""Reports as files: what is a figure stays one, and nothing that somebody wrote into a book is a formula."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from backend.reports.files import as_csv, as_xlsx
from backend.reports.report import Column, Report, Row

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REPORT = Report(
    "x",
    "Title",
    "says",
    (
        Column("what", "What"),
        Column("quantity", "Quantity", "quantity"),
        Column("value", "Value", "money"),
        Column("share", "Share", "share"),
        Column("at", "When", "time"),
        Column("day", "Day", "date"),
        Column("n", "Count", "number"),
    ),
    lambda _look, _span: [],
)
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LINE: Row = ("bolt, M8", Decimal("40.500"), Decimal("2200.005"), Decimal("0.33333"), AT, date(2026, 11, 23), 3)


def lines(text: bytes) -> list[list[str]]:
    return [*csv.reader(io.StringIO(text.decode(), newline=""))]


def cells(book: bytes) -> list[list[tuple[str | None, str | None]]]:
    """(type, value) of each cell; shared strings resolved."""
    with zipfile.ZipFile(io.BytesIO(book)) as files:
        sheet = ET.fromstring(files.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own
        names = files.namelist()
        shared = []
        if "xl/sharedStrings.xml" in names:
            root = ET.fromstring(files.read("xl/sharedStrings.xml"))  # noqa: S314
            shared = ["".join(each.itertext()) for each in root.iter(f"{SHEET}si")]
    assert not [*sheet.iter(f"{SHEET}f")], "a formula"
    found = []
    for row in sheet.iter(f"{SHEET}row"):
        values = [(c.get("t"), c.findtext(f"{SHEET}v")) for c in row.iter(f"{SHEET}c")]
        found.append([(t, shared[int(v)] if t == "s" and v is not None else v) for t, v in values])
    return found


def test_csv_has_plain_figures() -> None:
    head, row = lines(as_csv(REPORT, [LINE]))
    assert head == ["what", "quantity", "value", "share", "at", "day", "n"]
    assert row == ["bolt, M8", "40.5", "2200.01", "0.3333", "2026-11-23T09:30:00Z", "2026-11-23", "3"]


def test_xlsx_has_numbers_and_times() -> None:
    head, row = cells(as_xlsx(REPORT, [LINE]))
    assert [value for _, value in head] == [column.title for column in REPORT.columns]
    assert row[0] == ("s", "bolt, M8")
    assert [float(str(value)) for _, value in row[1:]] == [
        40.5,
        2200.01,
        0.3333,
        pytest.approx(46349.395833333336),
        46349,
        3,
    ]
    assert all(kind is None or kind == "n" for kind, _ in row[1:])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@x", "\tx", "=HYPERLINK(1)"])
def test_no_text_is_a_formula(text: str) -> None:
    row: Row = (text, *LINE[1:])
    assert lines(as_csv(REPORT, [row]))[1][0] == f"'{text}"
    assert cells(as_xlsx(REPORT, [row]))[1][0][0] == "s"


def test_what_is_absent_is_empty_and_a_long_figure_is_whole() -> None:
    long = Decimal("12345678901234567.89")
    row: Row = (None, long, None, None, None, None, None)
    assert lines(as_csv(REPORT, [row]))[1] == ["", "12345678901234567.89", "", "", "", "", ""]
    assert cells(as_xlsx(REPORT, [row]))[1] == [("s", "12345678901234567.89")]
