"""What the sensors at a gearbox say: a function of load, heat and wear, and a noise that belongs to the sample's time.

Because the noise depends on nothing but seed, machine and time, a tracker and a file of training data say the same.
"""

from dataclasses import dataclass

from simulators.machines import Machine, State
from simulators.record import EXTERNAL_MV, GEARBOX_DECIDEGREES, LOAD_PERCENT, OIL_MBAR, VIBRATION_UM_S
from simulators.wear import Signs
from simulators.world import Chance


@dataclass(frozen=True, slots=True)
class Sensors:
    """How one machine differs from the next."""

    seed: int
    asset: str
    vibration_mm_s: float
    heat_c: float
    oil_bar: float

    def sample(self, state: State, signs: Signs, at_ms: int) -> tuple[tuple[int, int], ...]:
        """(AVL id, raw value) of each sensor while the engine runs, by rising id."""
        noise = Chance(f"{self.seed}/{self.asset}/{at_ms}")
        load = min(100.0, max(0.0, state.segment.load + noise.gauss(0, 3))) / 100
        stress = 0.35 + 0.8 * load
        vibration = self.vibration_mm_s * (0.55 + 0.9 * load) + signs.vibration_mm_s * stress
        vibration += signs.loose_mm_s + noise.gauss(0, 0.07)
        heat = state.heat_c + self.heat_c + signs.heat_c * stress + noise.gauss(0, 0.6)
        oil = self.oil_bar + 0.35 * load - 0.012 * (heat - 60) - signs.oil_bar + noise.gauss(0, 0.04)
        return (
            (OIL_MBAR, max(0, round(oil * 1000))),
            (VIBRATION_UM_S, max(0, round(vibration * 1000))),
            (EXTERNAL_MV, noise.randint(27_600, 28_300)),
            (GEARBOX_DECIDEGREES, round(heat * 10)),
            (LOAD_PERCENT, round(load * 100)),
        )


def sensors(machine: Machine, seed: int) -> Sensors:
    """A machine's sensors."""
    chance = machine.chance(seed, "sensors")
    return Sensors(seed, machine.asset, chance.uniform(1.6, 2.4), chance.gauss(0, 2), chance.uniform(3.7, 4.3))
