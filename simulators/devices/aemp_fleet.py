"""A fleet as a telematics provider knows it: what each machine sent last, and the pages that say it.

ISO/TS 15143-3:2020, 8.2 (fleet snapshot), 8.4 (links). Machines send now and then, and each element has the time of its
own last message: that is why a page that was read repeats most of what the one before said.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Literal
from xml.sax.saxutils import escape

from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal, from_micros

Form = Literal["xml", "json"]
LAT, LON = 51.0600, 3.7300
MINUTE_US = 60_000_000
NAMESPACE = "http://standards.iso.org/iso/15143/-3"
LITRES_AN_HOUR = 14
METERS = {
    "CumulativeOperatingHours": ("engine_hours", "Hour", "h"),
    "CumulativeIdleHours": ("idle_hours", "Hour", "h"),
    "Distance": ("odometer", "Odometer", "km"),
    "FuelUsed": ("fuel_used", "FuelConsumed", "L"),
}
FAULT_SHARE = 0.02
NEWS_SHARE = 0.7
"""So often a machine that is asked for news has something to say of an element."""


@dataclass(frozen=True, slots=True)
class Element:
    """What a machine said of one thing: the members as a page has them."""

    name: str
    at_us: int
    """A whole second."""
    members: tuple[tuple[str, str], ...]


class Machine:
    """One machine; `elements` is what it said last."""

    def __init__(self, chance: Random, pin: str) -> None:
        self._chance, self.pin = chance, pin
        self._at_us = 0
        self._hundredths = chance.randrange(100_000, 900_000)
        self._idle = self._hundredths // 4
        self._metres = chance.randrange(1_000_000, 90_000_000)
        self._lat, self._lon = round(LAT + chance.uniform(-0.1, 0.1), 6), round(LON + chance.uniform(-0.1, 0.1), 6)
        self.elements: dict[str, Element] = {}

    def send(self, at_us: int) -> list[Element]:
        """What it says anew at that time, in whole seconds; nothing twice in one. At first it says everything."""
        if at_us <= self._at_us:
            return []
        self._at_us, first = at_us, not self.elements
        self._work()
        said = [
            Element(name, at_us, members)
            for name, members in self._all()
            if first or self._chance.random() < NEWS_SHARE
        ]
        self.elements |= {each.name: each for each in said}
        return said

    def _work(self) -> None:
        chance = self._chance
        self._hundredths += chance.randint(0, 20)
        self._idle += chance.randint(0, 5)
        self._metres += chance.randint(0, 500)
        self._lat = round(self._lat + chance.uniform(-1e-4, 1e-4), 6)

    def _all(self) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        chance, hours = self._chance, self._hundredths / 100
        place = (("Latitude", str(self._lat)), ("Longitude", str(self._lon)), ("Altitude", "8"))
        yield "Location", (*place, ("AltitudeUnits", "metre"))
        yield "CumulativeOperatingHours", (("Hour", str(hours)),)
        yield "CumulativeIdleHours", (("Hour", str(self._idle / 100)),)
        yield "Distance", (("OdometerUnits", "kilometre"), ("Odometer", str(self._metres / 1000)))
        litres = self._hundredths * LITRES_AN_HOUR // 100
        yield "FuelUsed", (("FuelUnits", "litre"), ("FuelConsumed", str(litres)))
        yield "FuelRemaining", (("Percent", str(chance.randint(5, 100))),)
        yield "EngineStatus", (("EngineNumber", "1"), ("Running", chance.choice(("true", "false"))))
        if chance.random() < FAULT_SHARE:
            yield "FaultCode", (("CodeIdentifier", f"SPN {chance.randint(1, 5000)} FMI 1"), ("CodeSeverity", "high"))


def reading(pin: str, element: Element) -> Reading:
    """What a gateway makes of an element."""
    device, at, said = f"id:{pin}", from_micros(element.at_us), dict(element.members)
    if element.name in METERS:
        name, member, unit = METERS[element.name]
        return Meter(device, at, name, float(said[member]), unit)
    if element.name == "Location":
        lat, lon = float(said["Latitude"]), float(said["Longitude"])
        return Fix(device, at, lat=lat, lon=lon, altitude_m=float(said["Altitude"]), valid=True)
    if element.name == "FuelRemaining":
        return Signal(device, at, "fuel_level", float(said["Percent"]), "%")
    if element.name == "EngineStatus":
        return Input(device, at, "engine", said["Running"] == "true")
    return DeviceEvent(device, at, "fault_code", f"{said['CodeIdentifier']} ({said['CodeSeverity']})")


def page(machines: dict[str, list[Element]], links: dict[str, str], form: Form) -> bytes:
    """One page: what each of these machines said last."""
    return (_xml if form == "xml" else _json)(machines, links)


def _stamp(at_us: int) -> str:
    return f"{from_micros(at_us):%Y-%m-%dT%H:%M:%S}Z"


def _xml(machines: dict[str, list[Element]], links: dict[str, str]) -> bytes:
    lines = [f'<?xml version="1.0" encoding="UTF-8"?>\n<Fleet xmlns="{NAMESPACE}" version="2" snapshotTime="{_now()}">']
    lines += [f"<Links><rel>{rel}</rel><href>{escape(href)}</href></Links>" for rel, href in links.items()]
    for pin, elements in machines.items():
        header = f"<OEMName>Simulated</OEMName><Model>S 1</Model><EquipmentID>{pin[-4:]}</EquipmentID><PIN>{pin}</PIN>"
        lines.append(f"<Equipment><EquipmentHeader>{header}</EquipmentHeader>")
        for each in elements:
            inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in each.members)
            lines.append(f'<{each.name} datetime="{_stamp(each.at_us)}">{inner}</{each.name}>')
        lines.append("</Equipment>")
    return "\n".join([*lines, "</Fleet>"]).encode()


def _json(machines: dict[str, list[Element]], links: dict[str, str]) -> bytes:
    equipment = [
        {"EquipmentHeader": {"OEMName": "Simulated", "EquipmentID": pin[-4:], "PIN": pin}}
        | {each.name: dict(each.members) | {"datetime": _stamp(each.at_us)} for each in elements}
        for pin, elements in machines.items()
    ]
    told = {"snapshotTime": _now(), "Links": [{"rel": rel, "href": href} for rel, href in links.items()]}
    return json.dumps(told | {"Equipment": equipment}).encode()


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"
