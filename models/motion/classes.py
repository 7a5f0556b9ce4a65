"""How kinds of assets move, where the register says nothing else: the literal table, by category."""

from collections.abc import Mapping

from msgspec import Struct

from models.declared import AssetClass


class Pace(Struct, frozen=True):
    """How a category moves, in the fold's units: a pause that ends a trip, and how far a trip and a transport go."""

    stop_us: int
    trip_mm: int
    transported_mm: int


OTHERS = Pace(180_000_000, 200_000, 200_000)
"""A road vehicle."""
CLASSES: Mapping[str, Pace] = {
    "truck": OTHERS,
    "vehicle": OTHERS,
    "trailer": OTHERS,
    "forklift": Pace(60_000_000, 30_000, 200_000),
    "crane": Pace(300_000_000, 30_000, 200_000),
    "excavator": Pace(300_000_000, 30_000, 200_000),
}


def pace(category: str | None, declared: AssetClass | None) -> Pace:
    """The pace of a category: as declared; what is not, as built in for it or its kind, else that of a road vehicle."""
    built_in = CLASSES.get(category or "") or CLASSES.get((declared and declared.kind) or "", OTHERS)
    if declared is None:
        return built_in
    return Pace(
        built_in.stop_us if declared.stop_s is None else round(declared.stop_s * 1_000_000),
        built_in.trip_mm if declared.trip_m is None else round(declared.trip_m * 1000),
        built_in.transported_mm if declared.transported_m is None else round(declared.transported_m * 1000),
    )
