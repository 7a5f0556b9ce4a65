"""Random stories of trackers: fixes and inputs late or twice, around changes of all that decides how they fold."""

import random
from typing import Any

from models.declared import Asset, AssetClass, Circle, Corridor, Device, Tracker, Zone
from models.reading import Fix, Input, Reading, from_micros, micros
from tests.backend.books import DAY, SECOND
from tests.backend.stories import MIDNIGHT, Change, Story
from tests.models.motion.drives import degrees

TRUCK, CRANE, STRANGER = "imei:356307042441013", "imei:356307042441021", "imei:356307042441039"
ASSETS = {TRUCK: ("TRUCK-1", "TRUCK-2"), CRANE: ("CRANE-1", "CRANE-2"), STRANGER: ("FORKLIFT-1",)}
DOCK, GATE, PAD, FAR = (150.0, 120.0), (0.0, 0.0), (300.0, 60.0), (9000.0, 7000.0)
PLACES = [DOCK, DOCK, GATE, PAD, (150.0, 84.0), (185.0, 120.0), FAR, (40_000.0, 0.0)]
HOUR = 3600 * SECOND


def fix(at: float, place: tuple[float, float], device: str = TRUCK, **fields: Any) -> Fix:
    """A fix `at` seconds after midnight at a place, metres east and north of the gate."""
    lat, lon = degrees(*place)
    given = {"lat": lat, "lon": lon, "speed_mps": 3.0, "hdop": 0.9, "satellites": 9, "valid": True} | fields
    return Fix(device, from_micros(MIDNIGHT + round(at * SECOND)), **given)


def drive(begin: float, *places: tuple[float, float], every: float = 60.0) -> list[Reading]:
    return [fix(begin + k * every, place) for k, place in enumerate(places)]


def mount(device: str, asset: str | None, at: int, **fields: Any) -> Change:
    tracker = None if asset is None else Tracker(asset, **fields)
    return Change("devices", device, Device(device, tracker=tracker), at)


def zone(ident: str, x: float, y: float, radius_m: float, at: int) -> Change:
    return Change("zones", ident, Zone(ident, circle=Circle(*degrees(x, y), radius_m)), at)


def corridor(ident: str, width_m: float, at: int, *line: tuple[float, float], **fields: Any) -> Change:
    road = Corridor([degrees(*each) for each in line], width_m)
    return Change("zones", ident, Zone(ident, corridor=road, **fields), at)


def switch(at: float, device: str = TRUCK, name: str = "ignition", *, on: bool) -> Input:
    return Input(device, from_micros(MIDNIGHT + round(at * SECOND)), name, on)


def _time(chance: random.Random) -> int:
    """A moment around midnight and full hours of three days, on a grid on which things fall together."""
    step = chance.choice((1, 20, 60, 60, 600, 1800))
    at = MIDNIGHT + chance.choice((0, 0, 0, 1, 2)) * DAY + chance.randint(-10, 20) * step * SECOND
    return at + chance.choice((0, 0, 0, -1, 1))


def _fix(chance: random.Random) -> tuple[str, Reading]:
    at = _time(chance)
    x, y = chance.choice(PLACES)
    place = (x + chance.gauss(0, 3), y + chance.gauss(0, 3)) if chance.random() < 0.8 else (x, y)
    fields: dict[str, Any] = {"speed_mps": chance.choice((None, 0.0, 3.0, 20.0))}
    match chance.randrange(12):
        case 0:
            fields |= {"lat": None, "lon": None}
        case 1:
            fields |= {"satellites": 0}
        case 2:
            fields |= {"hdop": chance.choice((4.0, 20.0))}
        case 3:
            fields |= {
                "lat": chance.choice((90.0, -90.0, 0.0)),
                "lon": chance.choice((180.0, 0.0)),
                "altitude_m": 1e300,
            }
        case 4:
            fields |= {"device_at": from_micros(at)}
        case _:
            pass
    device = chance.choice((TRUCK, TRUCK, TRUCK, CRANE, STRANGER))
    if chance.random() < 0.3:
        name = chance.choice(("ignition", "ignition", "pto", "door"))
        return "dock-a", switch((at - MIDNIGHT) / SECOND, device, name, on=chance.random() < 0.6)
    return chance.choice(("dock-a", "dock-a", "dock-b")), fix((at - MIDNIGHT) / SECOND, place, device, **fields)


def _route(chance: random.Random) -> list[tuple[str, Reading]]:
    """A way through the yard that makes visits and distance."""
    begin = (_time(chance) - MIDNIGHT) / SECOND
    every = chance.choice((1.0, 60.0, 60.0, 900.0))
    places = [place for place in chance.choices(PLACES[:6], k=5) for _ in range(chance.randint(1, 3))]
    way = [("dock-a", each) for each in drive(begin, *places, every=every)]
    if chance.random() < 0.6:
        way.append(("dock-a", switch(begin - 1, on=chance.random() < 0.4)))
        way.append(("dock-a", switch(begin + chance.randint(0, len(places)) * every, on=chance.random() < 0.6)))
    return way


def _again(chance: random.Random, told: tuple[str, Reading]) -> tuple[str, Reading]:
    gateway, reading = told
    if reading.device_at is None:
        return told
    fields: dict[str, Any] = {name: getattr(reading, name) for name in reading.__struct_fields__}
    shift = chance.choice((-DAY, -60 * SECOND, SECOND, 60 * SECOND, DAY))
    return gateway, type(reading)(**fields | {"at": from_micros(micros(reading.at) + shift)})


def _change(chance: random.Random) -> Change:
    at = _time(chance)
    match chance.randrange(10):
        case 0 | 1 | 2 | 3:
            device = chance.choice((TRUCK, TRUCK, CRANE, STRANGER))
            fields = {"max_speed_mps": chance.choice((50.0, 10.0)), "hours_from": chance.choice(("ignition", "pto"))}
            return mount(device, chance.choice((*ASSETS[device], None)), at, **fields)
        case 4:
            pace = AssetClass(chance.choice((30.0, 600.0)), chance.choice((0.0, 50.0, 1000.0)), chance.choice((5, 500)))
            return Change("classes", chance.choice(("truck", "truck", "crane")), pace, at)
        case 5:
            return Change("assets", "TRUCK-1", Asset("T", "1", chance.choice(("truck", "crane", None))), at)
        case 6:
            rules = {"margin_m": chance.choice((0.0, 10.0)), "dwell_s": chance.choice((0.0, 60.0, 300.0))}
            return corridor("road", chance.choice((10.0, 40.0)), at, GATE, DOCK, PAD, **rules)
        case 7:
            circle = Circle(*degrees(*DOCK), 60.0)
            return Change(
                "zones", "dock", Zone(chance.choice("ab"), circle=circle, alert=chance.choice((None, "both"))), at
            )
        case _:
            x, y = chance.choice((DOCK, DOCK, PAD, GATE))
            return zone(chance.choice(("dock", "dock", "new")), x, y, chance.choice((30.0, 60.0, 5000.0)), at)


def make(seed: int) -> Story:
    chance = random.Random(seed)
    told = [_fix(chance) for _ in range(chance.randint(1, 25))]
    for _ in range(chance.randint(0, 3)):
        told += _route(chance)
    told += [_again(chance, chance.choice(told)) for _ in range(chance.randint(0, 5))]
    return Story(told, [_change(chance) for _ in range(chance.randint(0, 5))])
