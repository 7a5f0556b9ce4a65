"""How kinds of assets move, where the register says nothing else: the literal table, by category."""

from collections.abc import Mapping

from msgspec import Struct

from models.declared import AssetClass

OTHERS = AssetClass()
"""A road vehicle."""
CLASSES: Mapping[str, AssetClass] = {
    "truck": OTHERS,
    "vehicle": OTHERS,
    "trailer": OTHERS,
    "forklift": AssetClass(stop_s=60.0, trip_m=30.0),
    "crane": AssetClass(stop_s=300.0, trip_m=30.0),
    "excavator": AssetClass(stop_s=300.0, trip_m=30.0),
}


class Pace(Struct, frozen=True):
    """A class in the fold's units."""

    stop_us: int
    trip_mm: int
    transported_mm: int


def pace(category: str | None, declared: AssetClass | None) -> Pace:
    """The pace of a category: as declared, else as built in, else that of a road vehicle."""
    it = declared or CLASSES.get(category or "", OTHERS)
    return Pace(round(it.stop_s * 1_000_000), round(it.trip_m * 1000), round(it.transported_m * 1000))
