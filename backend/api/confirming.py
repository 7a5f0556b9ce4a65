"""What a person has in hand, told by a tag, a barcode or a name: which item, which lot, how much."""

from decimal import Decimal
from typing import NamedTuple

from backend.api.items_tasks import ConfirmationBody
from backend.identities import identities
from models import barcode
from models.barcode import Gs1
from models.errors import Refused
from models.identity import identify
from models.register import Register
from models.stock.picking import Wrong
from models.units import checked, parse_quantity


class InHand(NamedTuple):
    """So much of an item, of a lot if that was read."""

    sku: str
    lot: str | None
    quantity: Decimal


def in_hand(register: Register, said: ConfirmationBody, at: int) -> InHand:
    """What was scanned. Raises Wrong for what is no item, BadCode, or Refused naming the field that is missing."""
    ways = [field for field in ("epc", "code", "sku") if getattr(said, field) is not None]
    if len(ways) != 1:
        msg = f"epc, code, sku: one of them expected, got {' and '.join(ways) or 'none'}"
        raise Refused(msg)
    if said.epc is not None:
        return _of_tag(register, said, said.epc, at)
    if said.code is not None:
        return _of_code(register, said, said.code, at)
    if said.quantity is None:
        msg = "quantity: expected with sku"
        raise Refused(msg)
    return InHand(said.sku or "", said.lot, parse_quantity(said.quantity))


def _of_tag(register: Register, said: ConfirmationBody, epc: str, at: int) -> InHand:
    what = identify(epc, identities(register, at, epc))
    if what.kind != "stock" or what.sku is None or what.quantity is None:
        msg = f"epc: a tag of goods expected, {epc} is {what.kind}: {what.why}"
        raise Wrong(msg)
    return InHand(what.sku, said.lot, checked(what.quantity))


def _of_code(register: Register, said: ConfirmationBody, text: str, at: int) -> InHand:
    code = barcode.parse(text, said.symbology)
    found = identities(register, at, "").gtins.get(code.gtin or "") if isinstance(code, Gs1) else None
    if not isinstance(code, Gs1) or found is None:
        msg = "code: an item of the register expected"
        raise Wrong(msg)
    sku, units = found
    if said.quantity is not None:
        return InHand(sku, code.lot or said.lot, parse_quantity(said.quantity))
    return InHand(sku, code.lot or said.lot, checked(units * (code.count or 1)))
