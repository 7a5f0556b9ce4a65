"""A seeded day of trucks of the shape of TSBS "iot": what each said every 10 s, with losses and in a disordered order.

Shape: two rows (readings, diagnostics) per truck and 10 s; walks of speed, load, fuel and status; 1 % of the batches of
ten and 10 % of the rows are lost, 10 % lack a field; 5 % of the batches and 30 % of the rows come late. Beside TSBS:
trucks park now and then, and say at what moment their engine goes on and off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, radians, sin
from random import Random
from typing import NamedTuple

S = 1_000_000
STEP_US = 10 * S
BEGIN = 20_454 * 86_400 * S
"""2026-01-01, in microseconds UTC."""
FLEETS = ("East", "West", "North", "South")
DRIVERS = ("Albert", "Andy", "Derek", "Rodney", "Seth", "Trish")
MODELS = {"F-150": (2000.0, 200.0, 15.0), "G-2000": (5000.0, 300.0, 19.0), "H-2": (1500.0, 150.0, 12.0)}
"""Load that it may carry (kg), tank (L), nominal fuel (L/h)."""
BATCH = 10
M_PER_DEGREE = 111_195.0
FASTEST_MPS = 28.0
HEARTBEAT_US = 300 * S


class Truck(NamedTuple):
    """What is known of a truck; its tracker is `imei:` and fifteen digits."""

    name: str
    fleet: str
    driver: str
    model: str
    device: str

    @property
    def capacity_kg(self) -> float:
        return MODELS[self.model][0]

    @property
    def nominal_lph(self) -> float:
        return MODELS[self.model][2]


class Drive(NamedTuple):
    """TSBS's `readings`: degrees, m, m/s, degrees, degrees, L/h. None is a field that was lost."""

    at: int
    truck: int
    lat: float | None
    lon: float | None
    altitude: float | None
    speed: float | None
    course: float | None
    fuel_rate: float | None


class Health(NamedTuple):
    """TSBS's `diagnostics`: fuel in % of the tank, load in kg, status 0 ... 5. None is a field that was lost."""

    at: int
    truck: int
    fuel_level: float | None
    load: float | None
    status: float | None


class Engine(NamedTuple):
    """When the engine went on or off, and each five minutes as it is; none is lost."""

    at: int
    truck: int
    on: bool


Row = Drive | Health | Engine


@dataclass
class Day:
    """What arrived of a span of trucks: `arrivals` in the order of arrival."""

    trucks: list[Truck]
    begin: int
    end: int
    arrivals: list[Row] = field(default_factory=list[Row])

    @property
    def plan_ms(self) -> int:
        """After so much running a truck is due for service: some are at the end of the day."""
        return (self.end - self.begin) // 2000

    def drives(self) -> list[Drive]:
        return [row for row in self.arrivals if isinstance(row, Drive)]

    def health(self) -> list[Health]:
        return [row for row in self.arrivals if isinstance(row, Health)]

    def engines(self) -> list[Engine]:
        return [row for row in self.arrivals if isinstance(row, Engine)]


def make(seed: int, trucks: int, hours: float, begin: int = BEGIN) -> Day:
    """The same rows in the same order for the same arguments."""
    chance = Random(seed)
    fleet = [
        Truck(f"truck_{k}", chance.choice(FLEETS), chance.choice(DRIVERS), chance.choice([*MODELS]), f"imei:{k:015}")
        for k in range(trucks)
    ]
    day = Day(fleet, begin, begin + int(hours * 3600) * S)
    walks = [_truck(Random(f"{seed}/{k}"), each, k, day) for k, each in enumerate(fleet)]
    day.arrivals = [*_disordered(_in_time(walks), chance)]
    return day


def _in_time(walks: list[Iterator[list[Row]]]) -> Iterator[Row]:
    for moment in zip(*walks, strict=True):
        for rows in moment:
            yield from rows


def _disordered(rows: Iterator[Row], chance: Random) -> Iterator[Row]:
    """Batches and rows lost or late, as TSBS does: what is late comes after a later batch, one by one by chance."""
    late_rows: list[Row] = []
    late_batches: list[list[Row]] = []
    batch: list[Row] = []
    for row in rows:
        if isinstance(row, Engine):
            yield row
            continue
        batch.append(row)
        if len(batch) < BATCH:
            continue
        fate = chance.random()
        kept, batch = [*_rows(batch, late_rows, chance)], []
        if fate < 0.05:
            late_batches.append(kept)
        elif fate < 0.06:
            continue
        else:
            yield from kept
            if late_batches and chance.random() < 0.5:
                yield from late_batches.pop(0)
    yield from batch
    for each in late_batches:
        yield from each
    yield from late_rows


def _rows(batch: list[Row], late: list[Row], chance: Random) -> Iterator[Row]:
    for row in batch:
        fate = chance.random()
        if fate < 0.1:
            continue
        said = _without(row, chance) if chance.random() < 0.1 else row
        if fate < 0.4:
            late.append(said)
        else:
            yield said
            if late and chance.random() < 0.5:
                yield late.pop(0)


def _without(row: Row, chance: Random) -> Row:
    """One field lost; a position is one field."""
    if isinstance(row, Drive):
        lost = chance.choice(("lat", "altitude", "speed", "course", "fuel_rate"))
        return row._replace(**dict.fromkeys(("lat", "lon") if lost == "lat" else (lost,)))
    if isinstance(row, Health):
        return row._replace(**{chance.choice(("fuel_level", "load", "status")): None})
    return row


def _truck(chance: Random, truck: Truck, k: int, day: Day) -> Iterator[list[Row]]:
    """What one truck says at each step."""
    gauss, uniform = chance.gauss, chance.uniform
    lat, lon = 50.5 + 0.05 * (k % 20), 4.0 + 0.1 * (k // 20)
    speed, course, altitude, rate = uniform(0, FASTEST_MPS), uniform(0, 360), 50.0, uniform(5, 25)
    fuel, load, status = uniform(5, 100), round(uniform(0, truck.capacity_kg)), uniform(0, 5)
    parks = k % 5 != 0
    on, change_at, said_at = True, day.begin + int(uniform(1, 5) * 3600) * S, 0
    for at in range(day.begin, day.end, STEP_US):
        rows: list[Row] = []
        if parks and at >= change_at:
            on, said_at = not on, 0
            change_at = at + int(uniform(1, 5) * 3600 if on else uniform(0.5, 6) * 3600) * S
        if at - said_at >= HEARTBEAT_US:
            rows.append(Engine(at, k, on))
            said_at = at
        speed = min(max(speed + uniform(-3, 3), 0.0), FASTEST_MPS) if on else 0.0
        course = (course + uniform(-15, 15)) % 360
        lat += speed * 10 * cos(radians(course)) / M_PER_DEGREE
        lon += speed * 10 * sin(radians(course)) / (M_PER_DEGREE * cos(radians(lat)))
        altitude = min(max(altitude + uniform(-5, 5), 0.0), 500.0)
        rate = min(max(rate + uniform(-1, 1), 0.0), 50.0)
        fuel = fuel - uniform(0, 0.06) if fuel > 0.06 else 100.0
        if chance.random() < 0.05:
            load = round(uniform(0, truck.capacity_kg))
        status = min(max(status + gauss(0, 1), 0.0), 5.0)
        moving = (round(speed, 2), round(course, 1), round(rate, 2))
        rows.append(Drive(at, k, round(lat, 6), round(lon, 6), round(altitude, 1), *moving))
        rows.append(Health(at, k, round(fuel, 2), float(load), float(int(status))))
        yield rows
    yield [Engine(day.end, k, on)]
