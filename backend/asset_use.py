"""What depreciation by use rests on: the units that an asset's meters counted between two days, month by month.

Months are asked for one by one, each by the meter that was the asset's then, and remembered: figures of any span are
sums of them.
"""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from sqlalchemy import Connection

from backend import usage
from models.assets.years import add_months
from models.months import begin_of_day
from models.motion.meter import Bounds
from models.register import Register

UNITS = {"hours": 3_600_000, "km": 1_000_000, "starts": 1000, "cycles": 1000}
"""Of what a meter counts, milliseconds, millimetres or thousandths, in one of a policy's units."""
NONE = Bounds(0, 0)


@dataclass(slots=True)
class AssetUse:
    """The use of one asset as the book has it now."""

    tx: Connection
    register: Register
    asset: str
    now: int
    """What is still to come has not been counted."""
    _known: dict[tuple[str, date, date], Bounds] = field(default_factory=dict[tuple[str, date, date], Bounds])

    def used(self, meter: str, begin: date, end: date) -> Fraction:
        """What was surely counted, in hours, km, starts or cycles."""
        return Fraction(self.bounds(meter, begin, end).least, UNITS[meter])

    def unobserved(self, meter: str, begin: date, end: date) -> Fraction:
        """What may have been counted besides."""
        found = self.bounds(meter, begin, end)
        return Fraction(found.most - found.least, UNITS[meter])

    def bounds(self, meter: str, begin: date, end: date) -> Bounds:
        """In the meter's own whole numbers; nothing of a meter that was never heard."""
        least = most = 0
        while begin < end and begin_of_day(begin) < self.now:
            until = min(add_months(begin.replace(day=1), 1), end)
            month = self._known.get((meter, begin, until))
            if month is None:
                month = self._known[meter, begin, until] = self._counted(meter, begin, until)
            least, most, begin = least + month.least, most + month.most, until
        return Bounds(least, most)

    def _counted(self, meter: str, begin: date, end: date) -> Bounds:
        span = (begin_of_day(begin), min(begin_of_day(end), self.now))
        meters = {"hours": (usage.hours_meter(self.register, self.asset, span[1] - 1),), "km": usage.ODOMETERS}
        for each in meters.get(meter, (meter,)):
            found = usage.used(self.tx, self.register, self.asset, each, span)
            if found is not None:
                return found
        return NONE
