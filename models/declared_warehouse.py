"""What people declare of work in the warehouse: what may lie in a bin, and which bins are picked from.

`models.declared` has the list of all kinds.
"""

from decimal import Decimal

from msgspec import Struct

from models.declared_stock import Id, Name
from models.units import not_negative, positive


class Bin(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a bin is filled; its id is that of the location. Without one, put-away suggests a place never."""

    capacity: Decimal | None = None
    """How much it holds, counted in the units of what lies there; null: no limit."""
    families: list[Name] = []
    """Families of items that it is for; none: any item, while the bin is empty or has that item already."""

    def __post_init__(self) -> None:
        positive(capacity=self.capacity)


class PickFace(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A bin that an item is picked from, and between which quantities it is kept from the other bins."""

    sku: Id
    bin: Id
    minimum: Decimal
    maximum: Decimal

    def __post_init__(self) -> None:
        not_negative(minimum=self.minimum)
        positive(maximum=self.maximum)
        if self.maximum <= self.minimum:
            msg = f"maximum: more than the minimum {self.minimum} expected, got {self.maximum}"
            raise ValueError(msg)
