"""The elements of ISO 15143-3 that become readings: one function each, at the element's own time.

ISO/TS 15143-3:2020, 11.3 ff. Units are converted to those of the contract; a unit that is missing or not known is an
error and not a guess. A gallon is the US gallon.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from edge.driver import BadFrame
from edge.drivers.aemp_document import Tree
from edge.drivers.text_values import COUNTER, LAT, LON, PERCENT, Range, iso_time, number, truth, wrong
from edge.gps_week import unrolled
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal

KILOMETRES = {
    "kilometre": 1.0,
    "kilometer": 1.0,
    "km": 1.0,
    "mile": 1.609344,
    "mi": 1.609344,
    "metre": 0.001,
    "meter": 0.001,
    "m": 0.001,
}
LITRES = {
    "litre": 1.0,
    "liter": 1.0,
    "l": 1.0,
    "gallon": 3.785411784,
    "us gallon": 3.785411784,
    "imperial gallon": 4.54609,
}
METRES = {"metre": 1.0, "meter": 1.0, "m": 1.0, "foot": 0.3048, "feet": 0.3048, "ft": 0.3048}

_ENGINE = re.compile(r"[0-9]{1,2}")
_ALTITUDE = Range(-20_000, 100_000)
_FAULT = ("CodeIdentifier", "CodeDescription", "CodeSeverity", "CodeSource")
_MAX_DETAIL = 1024


class Element:
    """One element of one machine."""

    def __init__(self, name: str, tree: Tree, device: str, received_at: datetime) -> None:
        self._name, self._tree, self.device, self._received_at = name, tree, device, received_at

    def text(self, *names: str) -> str | None:
        """What the element says by one of these names; None where nothing. Raises BadFrame if that is twofold."""
        found = [each for name in names for each in self._tree.get(name.lower(), ()) if each not in ("", {})]
        if not found:
            return None
        if not isinstance(found[0], str) or any(each != found[0] for each in found):
            raise wrong(self._field(names[0]), "one text", ", ".join(str(each)[:20] for each in found))
        return found[0]

    def said(self, *names: str) -> str:
        """The same, of what has to be there. Raises BadFrame."""
        text = self.text(*names)
        if text is None:
            raise wrong(self._field(names[0]), "a value", "")
        return text

    def number(self, name: str, within: Range, *others: str) -> float:
        """A number that has to be there. Raises BadFrame."""
        return number(self._field(name), self.said(name, *others), within)

    def in_unit(self, name: str, units: str, factors: Mapping[str, float], within: Range = COUNTER) -> float:
        """A number with its unit, in the unit of which the factors are. Raises BadFrame."""
        value, unit = self.number(name, within), self.said(units)
        factor = factors.get(unit.lower(), factors.get(unit.lower().removesuffix("s")))
        if factor is None:
            raise wrong(self._field(units), f"one of {', '.join(factors)}", unit)
        return value * factor

    def is_true(self, name: str) -> bool:
        """A truth that has to be there. Raises BadFrame."""
        return truth(self._field(name), self.said(name))

    def times(self) -> tuple[datetime, datetime | None]:
        """`at`, and `device_at` where a week rollover was repaired. Raises BadFrame."""
        told = iso_time(self._field("datetime"), self.said("datetime", "timestamp"))
        at = unrolled(told, self._received_at)
        return at, None if at == told else told

    def parts(self, name: str) -> Iterator["Element"]:
        """The elements within it."""
        for each in self._tree.get(name.lower(), ()):
            if isinstance(each, dict):
                yield Element(name, each, self.device, self._received_at)

    def _field(self, name: str) -> str:
        return f"{self._name}.{name}"


def _location(element: Element) -> Iterator[Reading]:
    at, told = element.times()
    lat, lon = element.number("Latitude", LAT), element.number("Longitude", LON)
    altitude_m, mistake = None, ""
    if element.text("Altitude") is not None:
        try:
            altitude_m = element.in_unit("Altitude", "AltitudeUnits", METRES, _ALTITUDE)
        except BadFrame as error:
            mistake = str(error)
    yield Fix(element.device, at, lat=lat, lon=lon, altitude_m=altitude_m, valid=(lat, lon) != (0, 0), device_at=told)
    if mistake:
        raise BadFrame(mistake)


def _hours(meter: str) -> Callable[[Element], Iterator[Reading]]:
    def read(element: Element) -> Iterator[Reading]:
        at, told = element.times()
        yield Meter(element.device, at, meter, element.number("Hour", COUNTER, "Hours"), "h", told)

    return read


def _distance(element: Element) -> Iterator[Reading]:
    at, told = element.times()
    odometer_km = element.in_unit("Odometer", "OdometerUnits", KILOMETRES)
    yield Meter(element.device, at, "odometer", odometer_km, "km", told)


def _fuel_used(element: Element) -> Iterator[Reading]:
    at, told = element.times()
    yield Meter(element.device, at, "fuel_used", element.in_unit("FuelConsumed", "FuelUnits", LITRES), "L", told)


def _fuel_remaining(element: Element) -> Iterator[Reading]:
    at, told = element.times()
    yield Signal(element.device, at, "fuel_level", element.number("Percent", PERCENT), "%", told)


def _engine(element: Element) -> Iterator[Reading]:
    """The engine without a number, or with number 1, is `engine`; another one has its number."""
    at, told = element.times()
    engine = element.text("EngineNumber")
    if engine is not None and not _ENGINE.fullmatch(engine):
        raise wrong("EngineStatus.EngineNumber", "a number of 0 ... 99", engine)
    name = "engine" if engine is None or int(engine) == 1 else f"engine_{int(engine)}"
    yield Input(element.device, at, name, element.is_true("Running"), told)


def _fault(element: Element) -> Iterator[Reading]:
    """Alone, or several in an element of the same name."""
    several = list(element.parts("FaultCode"))
    for each in several:
        yield from _fault(each)
    if several:
        return
    at, told = element.times()
    code, description, *others = (element.text(name) for name in _FAULT)
    code = code or element.said(_FAULT[0])
    detail = code + (f": {description}" if description else "")
    if more := ", ".join(each for each in others if each):
        detail += f" ({more})"
    yield DeviceEvent(element.device, at, "fault_code", detail[:_MAX_DETAIL], told)


ELEMENTS: dict[str, Callable[[Element], Iterator[Reading]]] = {
    "Location": _location,
    "Locations": _location,
    "CumulativeOperatingHours": _hours("engine_hours"),
    "CumulativeIdleHours": _hours("idle_hours"),
    "Distance": _distance,
    "FuelUsed": _fuel_used,
    "FuelRemaining": _fuel_remaining,
    "EngineStatus": _engine,
    "EngineCondition": _engine,
    "FaultCode": _fault,
    "FaultCodes": _fault,
}
"""By the name that a machine's element has."""
