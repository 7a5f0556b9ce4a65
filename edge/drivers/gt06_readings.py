"""From what a GT06 packet says to readings: UTC, units of the wire, and nothing that the packet does not say.

Many trackers tell ACC in heartbeats only. Then a place has no ignition beside it, least of all a stored one: what the
engine did then is not known.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from edge.driver import BadFrame
from edge.drivers.gt06_body import Place, Said
from edge.gps_week import unrolled
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal
from models.wire import NEWEST, OLDEST

_MAX_LAT, _MAX_LON, _FULL_CIRCLE = 90.0, 180.0, 360
_MAX_DETAIL = 1024


def readings(device: str, said: Said, received_at: datetime, ahead: timedelta) -> list[Reading]:
    """A packet's readings, the fix first; one without a time of its own is of now. Raises BadFrame.

    `ahead`: how far the tracker's clock is ahead of UTC by its time zone.
    """
    if said.at is None:
        if said.place is not None and said.place.valid:
            msg = "time: a date expected with a position, got zeros"
            raise BadFrame(msg)
        return list(_others(device, said, received_at, None))
    own = said.at if said.is_utc else said.at - ahead
    at = unrolled(own, received_at)
    if not OLDEST <= at < NEWEST:
        msg = f"time: one before {NEWEST:%Y} expected, got {at}"
        raise BadFrame(msg)
    device_at = own if own != at else None
    fixes = [_fix(device, said, at, device_at)] if said.place is not None or said.is_lost else []
    return [*fixes, *_others(device, said, at, device_at)]


def _fix(device: str, said: Said, at: datetime, device_at: datetime | None) -> Fix:
    """Without a fix trackers send the last position, or none: then speed and course are old too, and left out.

    A fix takes satellites, so 0 of them beside one is a receiver that does not count them.
    """
    place = said.place
    if place is None or not _is_placed(place):
        return Fix(device, at, valid=False, satellites=place.satellites if place else None, device_at=device_at)
    valid = place.valid and (place.lat, place.lon) != (0, 0)
    return Fix(
        device,
        at,
        lat=place.lat,
        lon=place.lon,
        altitude_m=said.altitude_m,
        speed_mps=place.speed_kmh / 3.6 if valid and place.speed_kmh is not None else None,
        course_deg=float(place.course_deg) if valid and place.course_deg <= _FULL_CIRCLE else None,
        hdop=said.hdop,
        accuracy_m=said.accuracy_m,
        satellites=(place.satellites or None) if valid else place.satellites,
        valid=valid,
        device_at=device_at,
    )


def _is_placed(place: Place) -> bool:
    return abs(place.lat) <= _MAX_LAT and abs(place.lon) <= _MAX_LON


def _others(device: str, said: Said, at: datetime, device_at: datetime | None) -> Iterator[Reading]:
    for name, on in said.inputs.items():
        yield Input(device, at, name, on, device_at=device_at)
    for name, (value, unit) in said.meters.items():
        yield Meter(device, at, name, value, unit, device_at=device_at)
    for name, (value, unit) in said.signals.items():
        yield Signal(device, at, name, value, unit, device_at=device_at)
    for name, detail in said.events:
        yield DeviceEvent(device, at, name, detail[:_MAX_DETAIL], device_at=device_at)
