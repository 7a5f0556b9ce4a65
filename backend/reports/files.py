"""A report as a file for a spreadsheet: CSV (RFC 4180, UTF-8) or XLSX. No cell of it is ever a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from backend.reports.report import Cell, Column, Report, Row, plain, rounded

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula, also in a CSV file (OWASP, CSV injection)."""
FORMATS = {"money": "#,##0.00", "share": "0.00%", "time": "yyyy-mm-dd hh:mm:ss", "date": "yyyy-mm-dd"}
DIGITS = 15
"""More than these a spreadsheet's number does not hold: a longer quantity is written as text."""
WIDTH, MOST_WIDTH = 12, 60


def as_csv(report: Report, rows: Iterable[Row]) -> bytes:
    """The rows under a line with the columns' names; texts that look like formulas have an apostrophe before them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(column.name for column in report.columns)
    for row in rows:
        writer.writerow(_safe(cell, column) for cell, column in zip(row, report.columns, strict=True))
    return out.getvalue().encode()


def _safe(cell: Cell, column: Column) -> str | int | None:
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return plain(cell, column.kind)


def as_xlsx(report: Report, rows: Iterable[Row]) -> bytes:
    """The same as one sheet: figures are numbers, times are times, and the head stays in sight."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book: Any = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet(report.title[:31])
    formats = {kind: book.add_format({"num_format": text}) for kind, text in FORMATS.items()}
    head = book.add_format({"bold": True, "bottom": 1})
    widths = [max(WIDTH, len(column.title) + 2) for column in report.columns]
    for k, column in enumerate(report.columns):
        sheet.write_string(0, k, column.title, head)
    for n, row in enumerate(rows, 1):
        _write(sheet, n, report.columns, row, formats)
        widths = [max(width, len(str(cell)) + 1) for width, cell in zip(widths, row, strict=True)]
    for k, width in enumerate(widths):
        sheet.set_column(k, k, min(width, MOST_WIDTH))
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _write(sheet: Any, n: int, columns: Sequence[Column], row: Row, formats: dict[str, Any]) -> None:  # noqa: ANN401 - untyped
    for k, (cell, column) in enumerate(zip(row, columns, strict=True)):
        form = formats.get(column.kind)
        if cell is None:
            continue
        if isinstance(cell, Decimal):
            value = rounded(cell, column.kind)
            if len(value.as_tuple().digits) <= DIGITS:
                sheet.write_number(n, k, float(value), form)
            else:
                sheet.write_string(n, k, str(plain(cell, column.kind)))
        elif isinstance(cell, datetime):
            sheet.write_datetime(n, k, cell.astimezone(UTC).replace(tzinfo=None), form)
        elif isinstance(cell, date):
            sheet.write_datetime(n, k, datetime(cell.year, cell.month, cell.day), form)  # noqa: DTZ001 - a date
        elif isinstance(cell, int):
            sheet.write_number(n, k, cell, form)
        else:
            sheet.write_string(n, k, cell)
