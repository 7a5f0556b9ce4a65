"""Reports as JSON, CSV or XLSX; `backend.reports.REPORTS` is the list."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from backend import reports  # by its name: it asks the queries of this package
from backend.api import items
from backend.api.answers import Ask, When, answer, documented, page
from backend.api.items_reports import ReportColumn, ReportListed, ReportMade
from backend.api.services import Services, Use
from backend.book.db import read
from backend.reports.families import by_family
from backend.reports.files import as_csv, as_xlsx
from backend.reports.report import Kind, Look, Report, Row, Span, plain
from models.errors import NotFound
from models.reading import from_micros, micros

DAYS = 30
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
router = APIRouter(tags=["reports"])
_files: dict[str, dict[str, str]] = {"text/csv": {}, XLSX: {}}
Named = Annotated[str | None, Field(max_length=128)]


class ReportAsk(Ask, frozen=True):
    """Of which span, narrowed to what, as what; default the last 30 days as JSON."""

    begin: When | None = Field(None, alias="from")
    end: When | None = Field(None, alias="to")
    sku: Named = None
    location: Named = None
    family: Named = None
    site: Named = None
    unit: Named = None
    project: Named = None
    category: Named = None
    group: Literal["family"] | None = None
    format: Literal["json", "csv", "xlsx"] = "json"


@router.get("/reports", responses=documented(items.Page[ReportListed]))
def list_reports(_ask: Annotated[Ask, Query()]) -> Response:
    """The reports that there are."""
    found = [ReportListed(each.name, each.title, each.says, each.module, _columns(each)) for each in reports.REPORTS]
    return page(found, len(found) + 1, None)


@router.get("/reports/{name}", responses=documented(ReportMade) | {"2XX": {"content": _files}})
def make_report(services: Use, name: str, ask: Annotated[ReportAsk, Query()]) -> Response:
    """One report, of one state of the book; CSV and XLSX are files."""
    report = reports.REPORT_OF_NAME.get(name)
    if report is None:
        msg = f"report: one of {', '.join(reports.REPORT_OF_NAME)} expected, got {name!r}"
        raise NotFound(msg)
    span = _span(services, ask)
    rows, look = _rows(services, report, span)
    if ask.group is not None:
        report, rows = by_family(report, look, rows)
    if ask.format == "json":
        return answer(_made(report, span, rows, look))
    content, kind = (as_csv(report, rows), "text/csv") if ask.format == "csv" else (as_xlsx(report, rows), XLSX)
    file = f"{name}-{from_micros(span.begin):%Y%m%d}-{from_micros(span.end):%Y%m%d}.{ask.format}"
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{file}"'})


def _span(services: Services, ask: ReportAsk) -> Span:
    end = from_micros(services.clock()) if ask.end is None else ask.end
    begin = end - timedelta(days=DAYS) if ask.begin is None else ask.begin
    of_stock = {"sku": ask.sku, "location": ask.location, "family": ask.family}
    of_assets = {"site": ask.site, "unit": ask.unit, "project": ask.project, "category": ask.category}
    return Span(micros(begin), micros(end), **of_stock, **of_assets)


def _rows(services: Services, report: Report, span: Span) -> tuple[list[Row], Look]:
    now = services.clock()
    with read(services.book) as tx:
        look = Look(tx, services.registers.current(tx), now, services.complete_to(tx, now))
        return [*report.rows(look, span)], look


def _made(report: Report, span: Span, rows: list[Row], look: Look) -> ReportMade:
    kinds: list[Kind] = [column.kind for column in report.columns]
    return ReportMade(
        name=report.name,
        title=report.title,
        begin=from_micros(span.begin),
        end=from_micros(span.end),
        made_at=from_micros(look.now),
        complete_to=from_micros(look.complete_to),
        columns=_columns(report),
        rows=[[plain(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows],
    )


def _columns(report: Report) -> list[ReportColumn]:
    return [ReportColumn(each.name, each.title, each.kind) for each in report.columns]
