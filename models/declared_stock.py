"""What people and systems declare of stock: places, items with their units and supplies, lots, suppliers.

`models.declared` has the other kinds and the list of all of them.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared_reorder import ReorderPolicy
from models.place import VIRTUAL
from models.units import MAX_DECIMALS, not_negative, positive

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$(?!\n)")]
LotId = Annotated[str, Meta(min_length=3, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*/[!-~]+$(?!\n)")]
"""An item's id without a slash, a slash, and the lot: any character that a GS1 code may have in AI (10)."""
Gtin = Annotated[str, Meta(pattern=r"^[0-9]{14}$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Note = Annotated[str, Meta(min_length=1, max_length=400)]
Factor = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]


Negative = Literal["refuse", "allow"]
"""What becomes of a person's entry that takes more than there is. What was read or scanned is never refused."""


class Location(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place that stock can be at: a bin in a zone of a site; a virtual one is not counted as on hand."""

    name: str
    site: Id | None = None
    virtual: bool = False
    kind: (
        Literal[
            "site",
            "zone",
            "bin",
            "supplier",
            "customer",
            "production",
            "project",
            "scrap",
            "adjustment",
            "in_transit",
            "capitalised",
        ]
        | None
    ) = None
    """A site holds zones and bins, a zone holds bins; from supplier on they are virtual: what goes there has left."""
    parent: Id | None = None
    """The location that this one is in."""
    negative: Negative | None = None
    """Whether people may take more from here than there is; else the item says so."""

    @property
    def is_virtual(self) -> bool:
        """Whether it stands for the world outside."""
        return self.virtual or self.kind in VIRTUAL


class PackGtin(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A trade item number and how many units of the item it holds."""

    gtin: Gtin
    units: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        positive(units=self.units)


class ItemUnit(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A further unit of an item: one of it is exactly numerator / denominator of the item's `uom`."""

    unit: Name
    numerator: Factor
    denominator: Factor = 1


class Supply(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a supplier sells an item: quantities in its `uom`, the price of one `uom` in the company's currency."""

    supplier: Id
    pack_size: Decimal = Decimal(1)
    minimum_order: Decimal = Decimal(0)
    price: Decimal | None = None
    lead_time_days: Days | None = None

    def __post_init__(self) -> None:
        positive(pack_size=self.pack_size)
        not_negative(minimum_order=self.minimum_order, price=self.price)


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """The five questions that tell stock from assets; `models.classification` has what follows."""

    sold_or_used_up: bool
    """Does it earn by leaving: is it sold, or used up in what is made or done?"""
    placed_singly: bool
    """Must the exact place of each single one be known?"""
    serviced: bool
    """Does it need services or inspections of its own?"""
    capitalised: bool
    """Is its cost capitalised and depreciated, rather than an expense when it leaves?"""
    stops_work: bool
    """When it goes wrong or is missing, does work stop, rather than a sale or an order wait?"""


class Classified(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The five answers, and what followed from them: filled in, or checked, when it is declared."""

    answers: Answers
    verdict: Literal["stock", "asset", "capitalised_spare"] | None = None
    reason: Note | None = None


class Item(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Stock: what is sold or consumed. `tagged`: its cartons carry tags, the door moves it, a scan only matches."""

    name: str
    uom: str = "each"
    gtins: list[PackGtin] = []
    tagged: bool = False
    reorder_min: Decimal | None = None
    reorder_max: Decimal | None = None
    pack_size: Decimal = Decimal(1)
    supplier: str | None = None
    family: Name | None = None
    """Items of a family are answered and reported together."""
    variant_of: Id | None = None
    """The item that this is a variant of; that one has no stock of its own."""
    variant: dict[Name, Name] = {}
    """What makes it that variant: size = "L", colour = "blue"."""
    purpose: Literal["sale", "raw", "consumable", "spare"] = "sale"
    """What it is bought for; it decides which account an issue is posted to."""
    units: list[ItemUnit] = []
    whole: bool = False
    """Whether only whole numbers of its `uom` can be."""
    lot_required: bool = False
    """A person's entry without a lot is refused, a reading without one is an alert."""
    expiry_required: bool = False
    """So is one of a lot without an expiry date."""
    min_shelf_life_days: Days = 0
    """Allocated only if it can still be used so long after the day of need."""
    expiry_alert_days: Days = 30
    """Told so long before a lot on hand expires."""
    costing: Literal["fifo", "lifo", "average", "specific"] = "fifo"
    supplies: list[Supply] = []
    price: Decimal | None = None
    """What one is sold for, in the company's currency; a change is a further dated entry."""
    classified: Classified | None = None
    reorder: ReorderPolicy | None = None
    """When and how much is proposed to be bought; without it `reorder_min` and `reorder_max` say so."""
    negative: Negative | None = None
    """Whether people may take more of it than there is, where the place says nothing; by default they may not."""

    def __post_init__(self) -> None:
        """`reorder_min` may be 0: order when nothing is left."""
        least = self.reorder_min
        is_nothing = least is not None and least.is_zero() and -MAX_DECIMALS <= least.adjusted() <= 0
        positive(reorder_min=None if is_nothing else least, reorder_max=self.reorder_max, pack_size=self.pack_size)
        not_negative(price=self.price)


class Lot(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a lot of an item; its id is SKU/LOT. A change of its status is a further dated entry."""

    expires: date | None = None
    """The last day on which it may be used."""
    received: date | None = None
    """When it came; else the day of its first receipt in the ledger."""
    supplier: Id | None = None
    status: Literal["available", "quarantined", "recalled"] = "available"
    note: Note | None = None
    """Why its status is what it is."""


class Supplier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who sells to us."""

    name: str
    lead_time_days: Days | None = None
    """What they promise from order to delivery, where an item's supply says nothing else."""
    currency: Currency | None = None
    """What they invoice in; prices in the register are in the company's own."""
