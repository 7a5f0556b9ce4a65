"""Stock that is promised: made once, fulfilled in parts, or cancelled; what is left of it counts as allocated.

With a location it holds what lies there, of its lot or, without one, of what has no lot: it cannot be more than is
available. Without a location it is a demand for the item wherever it is, and may be more than there is: that is what
reordering follows (planned maintenance, orders that wait).
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from models.errors import Clash, Refused
from models.units import checked, plain, quantity_text

Purpose = Literal["order", "pick", "work_order", "plan"]
State = Literal["open", "fulfilled", "cancelled"]


class Reservation(Struct, frozen=True, kw_only=True):
    """What is promised to whom, and when it is needed (microseconds UTC)."""

    id: str
    sku: str
    quantity: Decimal
    lot: str | None = None
    location: str | None = None
    purpose: Purpose
    reference: str
    need_at: int

    def __post_init__(self) -> None:
        if self.lot is not None and self.location is None:
            msg = f"location: expected, as a lot is reserved where it lies, got nothing with lot {self.lot!r}"
            raise Refused(msg)
        force_setattr(self, "quantity", checked(self.quantity))


class Held(Struct, frozen=True):
    """A reservation and how far it has come."""

    reservation: Reservation
    fulfilled: Decimal = Decimal(0)
    state: State = "open"

    @property
    def left(self) -> Decimal:
        """What is still promised: nothing once it is over."""
        return plain(self.reservation.quantity - self.fulfilled) if self.state == "open" else Decimal(0)


def fulfil(held: Held, quantity: Decimal) -> Held:
    """So many of it went where they were promised. Raises Clash if it is over, Refused if less is left."""
    quantity = checked(quantity)
    if held.state != "open":
        msg = f"reservation {held.reservation.id}: open expected, it is {held.state}"
        raise Clash(msg)
    if quantity > held.left:
        msg = f"quantity: at most the {quantity_text(held.left)} that are left expected, got {quantity_text(quantity)}"
        raise Refused(msg)
    fulfilled = plain(held.fulfilled + quantity)
    state: State = "fulfilled" if fulfilled == held.reservation.quantity else "open"
    return replace(held, fulfilled=fulfilled, state=state)


def cancel(held: Held) -> Held:
    """What is left is promised no more; again is harmless. Raises Clash if all of it was fulfilled."""
    if held.state == "fulfilled":
        msg = f"reservation {held.reservation.id}: open expected, it is fulfilled"
        raise Clash(msg)
    return replace(held, state="cancelled")
