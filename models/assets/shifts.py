"""When the shifts of a calendar are: spans of microseconds, exact where they go over midnight or the clocks change."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.declared_use import WEEKDAYS, Calendar, Shift
from models.motion.spans import Span, merged, within
from models.reading import from_micros, micros

A_DAY = timedelta(days=1)


def shifts(calendar: Calendar, window: Span) -> list[Span]:
    """The times of all shifts in a window, merged; a holiday's are those that begin on it.

    A shift of 22:00 to 06:00 has 7 hours when summer time begins, and 9 when it ends. A time that the clocks jump over
    is taken where they would be without the jump; of one that comes twice, the first.
    """
    return merged(within(_all(calendar, window), window))


def _all(calendar: Calendar, window: Span) -> Iterator[Span]:
    place, off = ZoneInfo(calendar.tz), {*calendar.holidays}
    day = from_micros(window[0]).astimezone(place).date() - A_DAY
    last = from_micros(window[1]).astimezone(place).date()
    while day <= last:
        if day not in off:
            name = WEEKDAYS[day.weekday()]
            yield from (_on(day, shift, place) for shift in calendar.shifts if name in shift.days)
        day += A_DAY


def _on(day: date, shift: Shift, place: ZoneInfo) -> Span:
    begin, end = time.fromisoformat(shift.begin), time.fromisoformat(shift.end)
    ends_on = day if end > begin else day + A_DAY
    return micros(datetime.combine(day, begin, place)), micros(datetime.combine(ends_on, end, place))
