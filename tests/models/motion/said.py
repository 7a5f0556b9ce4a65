"""What inputs and counters say, in short, and what it comes to."""

from models.motion import meter
from models.motion.gain import Heard
from models.motion.meter import Metered, Metering, Usage

S, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
TRUCK = Metering("TRUCK-1", "ignition", 600 * S, 7200 * S)
T0 = 20_000 * 24 * HOUR


def on(at: int, name: str = "ignition") -> Heard:
    return Heard(T0 + at, name, f"{at:032x}{1:032x}", on=True)


def off(at: int, name: str = "ignition") -> Heard:
    return Heard(T0 + at, name, f"{at:032x}{0:032x}", on=False)


def counter(at: int, hours: float, name: str = "engine_hours", unit: str = "h") -> Heard:
    return Heard(T0 + at, name, f"{at:064x}", value=meter.counted(name, hours, unit))


def total(rows: list[Usage], state: Metered | None, name: str, now: int | None = None) -> tuple[float, float]:
    """(least, most) of a meter, in hours."""
    tail = [] if state is None else (meter.close(state, None) if now is None else meter.open_usage(TRUCK, state, now))
    mine = [row for row in (*rows, *tail) if row.meter == name]
    return sum(row.least for row in mine) / 3_600_000, sum(row.most for row in mine) / 3_600_000
