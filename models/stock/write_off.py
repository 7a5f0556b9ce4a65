"""Stock that leaves for nothing: somebody asks, with a reason, and somebody else says yes or no, once."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from models.errors import Clash, Refused
from models.ids import derived_id
from models.stock.ledger import Movement
from models.units import checked

State = Literal["requested", "approved", "rejected"]


class WriteOff(Struct, frozen=True, kw_only=True):
    """What is to be written off, where it lies, and why; `by` asks for it."""

    id: str
    sku: str
    lot: str | None = None
    location: str
    quantity: Decimal
    reason: str
    by: str
    state: State = "requested"
    decided_by: str | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "quantity", checked(self.quantity))


def decide(asked: WriteOff, verdict: Literal["approved", "rejected"], by: str) -> WriteOff:
    """The write-off after the verdict; the same again is harmless.

    Raises Refused where somebody approves their own, Clash if it was decided otherwise.
    """
    if asked.state == verdict:
        return asked
    if asked.state != "requested":
        msg = f"write-off {asked.id}: requested expected, it is {asked.state}"
        raise Clash(msg)
    if verdict == "approved" and by == asked.by:
        msg = f"by: another person than {asked.by!r}, who asked for it, expected"
        raise Refused(msg)
    return replace(asked, state=verdict, decided_by=by)


def movement(approved: WriteOff, scrap: str, at: int) -> Movement:
    """The entry of the ledger: out of where it lies, to scrap, when it was approved."""
    return Movement(
        id=derived_id("write-off", approved.id),
        at=at,
        sku=approved.sku,
        lot=approved.lot,
        quantity=approved.quantity,
        source=approved.location,
        target=scrap,
        reason="write-off",
        evidence=[f"write_off:{approved.id}"],
    )
