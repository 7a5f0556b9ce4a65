"""Every report. A new one is a module with its columns and its rows, its test, and a line here."""

from backend.reports.assets import FORECAST as DEPRECIATION
from backend.reports.assets import REGISTER as ASSETS
from backend.reports.compliance import COMPLIANCE
from backend.reports.demand import FORECAST, SERVICE
from backend.reports.lots import ACCURACY, EXPIRY
from backend.reports.movements import MOVEMENTS
from backend.reports.report import Report
from backend.reports.use import UTILISATION
from backend.reports.values import AGEING, MARGIN, TURNOVER, VALUATION
from backend.reports.work_orders import CAUSES, WORK_ORDERS

REPORTS: tuple[Report, ...] = (
    TURNOVER,
    FORECAST,
    MARGIN,
    VALUATION,
    AGEING,
    EXPIRY,
    ACCURACY,
    SERVICE,
    MOVEMENTS,
    ASSETS,
    DEPRECIATION,
    WORK_ORDERS,
    CAUSES,
    UTILISATION,
    COMPLIANCE,
)
REPORT_OF_NAME: dict[str, Report] = {report.name: report for report in REPORTS}
