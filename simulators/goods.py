"""What the simulated warehouse handles: cartons with tags on pallets with tags, and goods that are only scanned.

The register of the system under test declares the same names and codes by itself (deploy/site.example.toml).
"""

from dataclasses import dataclass
from itertools import count

from simulators import epc
from simulators.world import World

CARTON_INDICATOR = 1
SMALLEST_PALLET, LARGEST_PALLET = 4, 12


@dataclass(frozen=True, slots=True)
class Cased:
    """A SKU that comes in tagged cartons of `units`; `target` pallets of it are wanted in store."""

    sku: str
    item: str
    units: int
    target: int
    demand: float

    @property
    def gtin(self) -> str:
        return epc.gtin14(CARTON_INDICATOR, self.item)


@dataclass(frozen=True, slots=True)
class Loose:
    """A SKU without tags; `largest` is the most that one scan moves."""

    sku: str
    item: str
    target: int
    largest: int

    @property
    def gtin(self) -> str:
        return epc.gtin13(self.item)


CASED = (
    Cased("PUMP-40", "00010", 1, 9, 1.0),
    Cased("VALVE-2IN", "00020", 12, 10, 1.2),
    Cased("FILTER-10", "00030", 24, 10, 1.4),
    Cased("MOTOR-1KW", "00040", 2, 9, 0.8),
)
LOOSE = (
    Loose("BOLT-M8", "50001", 2400, 120),
    Loose("GLOVE-L", "50002", 300, 24),
    Loose("TAPE-48", "50003", 240, 18),
)


@dataclass(frozen=True, slots=True)
class Carton:
    """One tagged carton."""

    epc: str
    serial: int
    goods: Cased


@dataclass(slots=True)
class Pallet:
    """A tagged pallet; nobody moves it before `free_us`."""

    epc: str
    cartons: tuple[Carton, ...]
    free_us: int = 0

    @property
    def goods(self) -> Cased:
        return self.cartons[0].goods


class Packing:
    """Packs pallets; a serial number is used once in a world."""

    def __init__(self, world: World) -> None:
        self._chance = world.chance("packing")
        self._pallets = count(1)
        self._cartons = {goods.sku: count(1) for goods in CASED}

    def pallet(self, goods: Cased, largest: int = LARGEST_PALLET) -> Pallet:
        """A new pallet of one SKU; one in eight carries a second SKU on top."""
        number = self._chance.randint(SMALLEST_PALLET, largest)
        other = self._chance.choice(CASED) if self._chance.happens(1 / 8) else goods
        mixed = number // 3 if other is not goods else 0
        cartons = [self._carton(goods) for _ in range(number - mixed)] + [self._carton(other) for _ in range(mixed)]
        return Pallet(epc.sscc96(1, next(self._pallets)), tuple(cartons))

    def _carton(self, goods: Cased) -> Carton:
        serial = next(self._cartons[goods.sku])
        return Carton(epc.sgtin96(CARTON_INDICATOR, goods.item, serial), serial, goods)
