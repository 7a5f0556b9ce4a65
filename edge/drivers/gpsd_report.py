"""gpsd's JSON reports to fixes: TPV is a position, SKY the satellites behind it (gpsd_json(5), protocol 3).

Every field of a report may lack. gpsd repeats a time in several reports while it learns more of it, so one fix is made
of all reports of a time: it leaves when a report of another time comes, or with a pause.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from edge.driver import BadFrame
from edge.gps_week import best_known
from models.reading import Fix, Time

PROTOCOL = 3
DRMS = 1.7308
"""sqrt(-ln 0.05): the radius of 95 % over the root mean square error (1 sigma), if errors are alike in all directions.

gpsd makes `eph` one of 95 % (GPSD_CONFIDENCE in its gps.h and H_UERE_NO_DGPS in its libgpsd_core.c); its manual says
"certainty unknown", as some receivers tell gpsd an error of their own.
"""
_FIX_MODE = 2
_MOST_HELD = 8
"""Reports of one time: a receiver that tells no time and stands still would never begin another."""
UNTIMED = timedelta(seconds=10)
"""gpsd has a position before it knows its date, for a sentence or two; of a receiver that never says one, for ever."""

_Distance = Annotated[float, Meta(ge=0, le=1e7)]


class _Class(Struct):
    name: str = field(name="class")


class Version(Struct):
    """The greeting."""

    proto_major: int
    release: str = ""


class Error(Struct):
    """gpsd's answer to what it does not take."""

    message: str = ""


class Tpv(Struct):
    """Time, position, velocity."""

    mode: Annotated[int, Meta(ge=0, le=3)] = 0
    device: str | None = None
    time: Time | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    alt_msl: Annotated[float, Meta(ge=-20_000, le=1e7)] | None = field(name="altMSL", default=None)
    alt: Annotated[float, Meta(ge=-20_000, le=1e7)] | None = None
    speed: Annotated[float, Meta(ge=0, le=10_000)] | None = None
    track: Annotated[float, Meta(ge=0, le=360)] | None = None
    eph: _Distance | None = None


class Satellite(Struct):
    """One of those in view."""

    used: bool = False


class Sky(Struct):
    """The satellites in view, and their geometry."""

    device: str | None = None
    time: Time | None = None
    hdop: _Distance | None = None
    used: Annotated[int, Meta(ge=0, le=1000)] | None = field(name="uSat", default=None)
    satellites: Annotated[list[Satellite], Meta(max_length=1000)] | None = None


Report = Version | Error | Tpv | Sky
_class = msgspec.json.Decoder(_Class)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "VERSION": msgspec.json.Decoder(Version),
    "ERROR": msgspec.json.Decoder(Error),
    "TPV": msgspec.json.Decoder(Tpv),
    "SKY": msgspec.json.Decoder(Sky),
}


def decode(line: bytes) -> Report | None:
    """One line to a report; None if it is of a class that says nothing of a fix. Raises BadFrame.

    >>> decode(b'{"class":"TPV","mode":2,"lat":51.06,"lon":3.73,"later":1}').lat
    51.06
    """
    try:
        decoder = _DECODERS.get(_class.decode(line).name)
        report: Report | None = None if decoder is None else decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"gpsd: {error}"
        raise BadFrame(msg) from error
    if isinstance(report, Tpv | Sky) and report.time is not None and report.time.utcoffset():
        msg = f"gpsd: time: UTC expected, got {report.time}"
        raise BadFrame(msg)
    return report


class Reports:
    """The reports of one gpsd about one receiver: `only` names it, else it is the first that is heard of."""

    def __init__(self, device: str, only: str = "") -> None:
        self._device = device
        self._named = self._only = only or None
        self._open: list[Tpv] = []
        self._sky: Sky | None = None
        self._received_at: datetime | None = None
        self._told: datetime | None = None
        self._untimed_from: datetime | None = None

    def begin(self) -> None:
        """A new connection: a receiver that was plugged in again may have another name."""
        self._only = self._named

    def concerns(self, report: Tpv | Sky) -> bool:
        """Whether it is of this receiver; if none is named, the first that reports is it."""
        if self._only is None and isinstance(report, Tpv):
            self._only = report.device
        return self._only is None or report.device in {self._only, None}

    def take(self, report: Tpv | Sky, received_at: datetime) -> Fix | None:
        """Add a report of this receiver. The fix of the time before it, if it is of another one."""
        if not self.concerns(report):
            return None
        if isinstance(report, Sky):
            self._sky = report
            return None
        if report.time is not None and report.time == self._told:
            return None
        done = self.pause() if self._is_another(report) else None
        if not self._open:
            self._received_at = received_at
        self._open.append(report)
        return done

    def pause(self) -> Fix | None:
        """The fix of the reports so far."""
        reports, received_at = self._open, self._received_at
        if not reports or received_at is None:
            return None
        self._open = []
        last = reports[-1]
        at = next((each.time for each in reversed(reports) if each.time is not None), None)
        if at is not None:
            self._told, self._untimed_from = at, None
        sky = self._sky if self._sky is not None and self._sky.time in {at, None} else None
        if sky is not None:
            self._sky = None
        has_fix = last.mode >= _FIX_MODE and None not in {last.lat, last.lon}
        if has_fix and at is None and self._is_soon_timed(received_at):
            return None
        at, device_at = best_known(at, received_at, has_fix=has_fix)
        satellites = None if sky is None else _used(sky)
        fix = Fix(device=self._device, at=at, satellites=satellites, valid=has_fix, device_at=device_at)
        if not has_fix:
            return fix
        eph = _latest(each.eph for each in reports)
        altitude_m = _latest(each.alt if each.alt_msl is None else each.alt_msl for each in reports)
        return replace(
            fix,
            lat=last.lat,
            lon=last.lon,
            altitude_m=altitude_m,
            speed_mps=_latest(each.speed for each in reports),
            course_deg=_latest(each.track for each in reports),
            hdop=None if sky is None else sky.hdop,
            accuracy_m=None if eph is None else eph / DRMS,
        )

    def _is_soon_timed(self, received_at: datetime) -> bool:
        """Whether a position without a time is left out, as gpsd may just be starting; later it is of its receipt."""
        if self._untimed_from is None:
            self._untimed_from = received_at
        return received_at - self._untimed_from < UNTIMED

    def _is_another(self, report: Tpv) -> bool:
        """Whether it is of another time than those held; one without a time when its place, or whether it has one, is.

        Also when enough are held.
        """
        if not self._open:
            return False
        last = self._open[-1]
        if len(self._open) >= _MOST_HELD:
            return True
        times = {each.time for each in self._open if each.time is not None}
        if times and report.time is not None:
            return report.time not in times
        if report.time is None and (report.mode >= _FIX_MODE) != (last.mode >= _FIX_MODE):
            return True
        return None not in {last.lat, report.lat} and (last.lat, last.lon) != (report.lat, report.lon)


def _latest(values: Iterable[float | None]) -> float | None:
    """The last that is there."""
    return next((value for value in reversed([*values]) if value is not None), None)


def _used(sky: Sky) -> int | None:
    if sky.used is not None or sky.satellites is None:
        return sky.used
    return sum(satellite.used for satellite in sky.satellites)
