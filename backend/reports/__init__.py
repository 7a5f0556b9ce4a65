"""Every report. A new one is a module with its columns and its rows, its test, and a line here."""

from backend.reports.movements import MOVEMENTS
from backend.reports.report import Report

REPORTS: tuple[Report, ...] = (MOVEMENTS,)
REPORT_OF_NAME: dict[str, Report] = {report.name: report for report in REPORTS}
