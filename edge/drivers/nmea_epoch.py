"""Sentences of one time to one fix: a receiver says its position, its speed and its date in sentences of their own.

Pure but for what it remembers: `take` each sentence as it comes, `pause` when the receiver rests. A fix leaves when a
sentence of another time begins, or with the pause; what then still comes of its time is too late.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from edge.drivers.nmea_sentence import Said
from edge.gps_week import best_known
from models.reading import Fix

TOGETHER_US = 10_000
"""Receivers cut one time to two digits in one sentence and to three in another; 20 fixes a second are 50 ms apart."""
_DAY, _DAY_US = timedelta(days=1), 86_400_000_000
_ORDER = ("RMC", "GGA", "GNS", "GLL", "ZDA", "GST", "VTG", "GSA")
"""Whose word counts where several say the same: RMC's status is the one that the standard makes binding."""
_POSITION = ("GGA", "GNS", "RMC", "GLL")
"""But the position is that of the sentence made for it, in which receivers give the most digits."""
_T = TypeVar("_T")


class Epochs:
    """The sentences of one receiver."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._said: dict[str, Said] = {}
        self._received_at = datetime.min.replace(tzinfo=UTC)
        self._told: tuple[int, datetime] | None = None
        self._dated: tuple[datetime, datetime] | None = None

    def take(self, said: Said, received_at: datetime) -> Fix | None:
        """Add a sentence. The fix of the time before it, if it is of another one."""
        if said.time_us is None and said.valid is None:
            self._said.setdefault(said.kind, said)  # GSA, VTG: of the time that is being told, or is about to be
            return None
        if self._is_late(said, received_at):
            return None
        done = self.pause() if self._is_another(said) else None
        if not any(held.time_us is not None for held in self._said.values()):
            self._received_at = received_at
        held = self._said.get(said.kind)
        if held is None or (said.valid and not held.valid):
            self._said[said.kind] = said
        return done

    def pause(self) -> Fix | None:
        """The fix of what has been said so far, if it says whether there is one."""
        held = [self._said[kind] for kind in _ORDER if kind in self._said]
        told = {said.kind: said for said in held if said.valid is not False}
        self._said.clear()
        time_us = _first(said.time_us for said in held)
        if time_us is not None:
            self._told = time_us, self._received_at
        at = self._date(time_us, _first(said.day for said in held))
        place = next((told[kind] for kind in _POSITION if kind in told and told[kind].lat is not None), None)
        valid, satellites = _first(said.valid for said in held), _first(said.satellites for said in held)
        if valid is None:
            return None
        has_fix = valid and place is not None
        at, device_at = best_known(at, self._received_at, has_fix=has_fix)
        if not valid or place is None:
            return Fix(device=self._device, at=at, satellites=satellites, valid=False, device_at=device_at)
        return Fix(
            device=self._device,
            at=at,
            lat=place.lat,
            lon=place.lon,
            altitude_m=_first(said.altitude_m for said in told.values()),
            speed_mps=_first(said.speed_mps for said in told.values()),
            course_deg=_first(said.course_deg for said in told.values()),
            hdop=_first(said.hdop for said in told.values()),
            accuracy_m=_first(said.accuracy_m for said in told.values()),
            satellites=satellites,
            valid=True,
            device_at=device_at,
        )

    def _is_late(self, said: Said, received_at: datetime) -> bool:
        """Of the time that was told last; a day later the same time of day is another."""
        if self._told is None or said.time_us is None:
            return False
        time_us, told_at = self._told
        return _together(time_us, said.time_us) and received_at - told_at < _DAY / 2

    def _is_another(self, said: Said) -> bool:
        """Whether it is of another time than those held. Without times: when a kind comes for the second time."""
        times = [held.time_us for held in self._said.values() if held.time_us is not None]
        if times and said.time_us is not None:
            return not _together(times[-1], said.time_us)
        return said.kind in self._said

    def _date(self, time_us: int | None, day: date | None) -> datetime | None:
        """The receiver's own date and time.

        Without a date of its own it is of the day that puts it nearest to the last dated time and what has passed
        since; before there is one, nearest to its receipt: a gateway's clock is right to half a day.
        """
        if time_us is None:
            return None
        passed = timedelta(microseconds=time_us)
        if day is not None:
            at = datetime.combine(day, time(), UTC) + passed
            self._dated = at, self._received_at
            return at
        now = self._received_at
        if self._dated is not None:
            now = self._dated[0] + (self._received_at - self._dated[1])
        at = datetime.combine(now.date(), time(), UTC) + passed
        return at + _DAY * round((now - at) / _DAY)


def _together(one_us: int, other_us: int) -> bool:
    apart_us = abs(one_us - other_us) % _DAY_US
    return min(apart_us, _DAY_US - apart_us) <= TOGETHER_US


def _first(values: Iterable[_T | None]) -> _T | None:
    """The first that is there."""
    return next((value for value in values if value is not None), None)
