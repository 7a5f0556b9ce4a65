"""The risk of an asset as its page shows it: how likely it fails, why, and what its sensors showed beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from backend.api.queries.signals import Trend, trends
from backend.api.services import Services
from backend.book import risks
from backend.book.risks import Risk
from backend.telemetry.store import StoreAway
from backend.web.charts import Line, line, means
from models.predict.alarm import Reason
from models.register import Register

SIGNAL_DAYS = 14
DAY_US, HOUR_US = 86_400_000_000, 3_600_000_000
APART_US = 18 * HOUR_US
"""Nights are bridged, so that what drifts is one line; a longer rest is a gap."""
SPREADS = 3.0
"""From its normal: as far as a sensor may be before it is said to have left it."""
MOST_RISKS = 2 * 24 * SIGNAL_DAYS
UNITS = {"Cel": "°C"}


@dataclass(frozen=True, slots=True)
class Chart:
    """One signal of the last days."""

    name: str
    unit: str
    mean: float
    """Of the last 24 hours in which it was measured."""
    least: float
    most: float
    line: Line
    is_out: bool
    """It has left what is normal for this machine."""

    @property
    def words(self) -> str:
        """What the drawing shows, for those who do not see it."""
        of_day = f"{self.name}: {figure(self.mean)} {self.unit} over the last 24 h"
        return f"{of_day}, means of hours between {figure(self.least)} and {figure(self.most)}"


def newest(tx: Connection, asset: str) -> Risk | None:
    """What was said of an asset last."""
    return risks.newest(tx, [asset]).get(asset)


def reasons_of(found: Risk | None) -> dict[str, Reason]:
    """The reasons by the signal that they are about."""
    return {} if found is None else {each.signal: each for each in found.reasons}


def is_high(found: Risk) -> bool:
    """Whether it calls for an alert."""
    return found.risk is not None and found.threshold is not None and found.risk >= found.threshold


def course(tx: Connection, asset: str, now: int, threshold: float | None) -> Line | None:
    """The risk of the last days; its band is where it calls for an alert."""
    span = (now - SIGNAL_DAYS * DAY_US, now)
    said = risks.since(tx, asset, span[0], MOST_RISKS)
    points = [(each.at, each.risk) for each in said if each.risk is not None]
    return line(points, span, 2 * HOUR_US, (threshold or 1.0, 1.0)) if len(points) > 1 else None


def charts(services: Services, register: Register, asset: str, now: int, why: Mapping[str, Reason]) -> list[Chart]:
    """The signals of the last days: means of hours and of 24 hours; `why` has what is normal for this machine."""
    if services.telemetry is None:
        return []
    span = (now - SIGNAL_DAYS * DAY_US, now)
    try:
        found = trends(services.telemetry, register, asset, span)
    except StoreAway:
        return []
    drawn = [_chart(each, span, why.get(each.name)) for each in found]
    return [each for each in drawn if each is not None]


def _chart(trend: Trend, span: tuple[int, int], why: Reason | None) -> Chart | None:
    points = [(at + HOUR_US // 2, mean) for at, mean in trend.points]
    drawn = line(points, span, APART_US, None if why is None else _band(why), DAY_US)
    if drawn is None:
        return None
    values = [mean for _, mean in points]
    mean = means(points, DAY_US)[-1][1] if why is None else why.value
    name, unit = trend.name.replace("_", " "), UNITS.get(trend.unit, trend.unit)
    return Chart(name, unit, mean, min(values), max(values), drawn, why is not None and why.since is not None)


def _band(why: Reason) -> tuple[float, float] | None:
    if why.normal is None or why.spread is None:
        return None
    return why.normal - SPREADS * why.spread, why.normal + SPREADS * why.spread


def figure(value: float) -> str:
    """A measured value with three digits that count.

    >>> figure(71.43), figure(2.113), figure(0.03)
    ('71.4', '2.11', '0.030')
    """
    size = abs(value)
    return f"{value:.{3 if size < 1 else 2 if size < 10 else 1 if size < 1000 else 0}f}"  # noqa: PLR2004 - digits
