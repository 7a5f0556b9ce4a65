"""Commissioning: ASSIGN says what a tag is on, PACK which cartons are on which pallet."""

import re
from typing import Any

from models import epc
from models.barcode import Gs1
from models.errors import BadCode, Refused
from models.scan.desk import Desk, short
from models.scan.goods import amount
from models.scan.seen import seen
from models.scan.session import Half, Scanned
from models.units import quantity_text

STOCK_SCHEMES, ASSET_SCHEMES = ("sgtin", "sscc"), ("giai", "grai")
_EPC = re.compile(r"(?:[0-9a-f]{2}){2,62}")


def epc_of(text: str) -> str | None:
    """An EPC as tags are named: hexadecimal digits in small letters; None if it is none."""
    return text.lower() if _EPC.fullmatch(text.lower()) else None


def tag(desk: Desk, scan: Scanned, text: str) -> None:
    """SY:EPC:hex, as somebody reads it off a label: a tag to assign, or what is packed."""
    found = epc_of(text)
    if found is None:
        desk.refuse(scan, f"EPC: 4 to 124 hexadecimal digits expected, got {short(text)}")
    elif desk.now.mode == "assign":
        _half(desk, Half(scan.at, [scan.evidence], epc=found))
    elif desk.now.mode == "pack":
        _packed(desk, scan, name_of_epc(found), Gs1())
    else:
        desk.refuse(scan, "an EPC is for ASSIGN and PACK: scan one of them first")


def asset(desk: Desk, scan: Scanned, text: str) -> None:
    """SY:ASSET:id: what a tag is on; in other modes, that it was seen here."""
    found = desk.params.assets.get(text.lower())
    if found is None:
        desk.refuse(scan, f"unknown asset {short(text)}")
    elif desk.now.mode == "pack":
        desk.refuse(scan, "an asset is not packed: scan CONFIRM or another mode first")
    elif desk.now.mode != "assign":
        seen(desk, scan, found)
    else:
        _half(desk, Half(scan.at, [scan.evidence], asset=found))


def assign(desk: Desk, scan: Scanned, code: Gs1) -> None:
    """A GS1 code in ASSIGN: the asset or carton that a tag is on."""
    owned = owned_code(code)
    waits = desk.now.half is not None and desk.now.half.epc is not None
    found = desk.params.items.get(code.gtin or "")
    if owned is not None:
        known = desk.params.codes.get(owned)
        if known is None:
            desk.refuse(scan, f"{owned} is no asset of the register; a tag with this code needs no binding")
        else:
            _half(desk, Half(scan.at, [scan.evidence], asset=known))
    elif code.sscc is not None or (code.serial is not None and not waits):
        what = "an SSCC" if code.sscc is not None else "a GTIN with a serial number"
        desk.refuse(scan, f"{what} is an EPC itself: a tag with this code needs no binding", code)
    elif found is None:
        desk.refuse(scan, f"unknown item {code.gtin}" if code.gtin else "no asset and no carton in this code", code)
    else:
        _half(desk, Half(scan.at, [scan.evidence], sku=found.sku, code=code))


def owned_code(code: Gs1) -> str | None:
    """An asset's GIAI or GRAI as `Workflow.codes` has it; None of other codes."""
    return f"(8004){code.giai}" if code.giai else f"(8003){code.grai}" if code.grai else None


def labelled(desk: Desk, scan: Scanned, code: Gs1) -> bool:
    """Take an asset's label outside of ASSIGN and PACK; False if it is none of a registered asset."""
    known = desk.params.codes.get(owned_code(code) or "")
    if known is None or desk.now.mode in {"assign", "pack"}:
        return False
    seen(desk, scan, known)
    return True


def _half(desk: Desk, half: Half) -> None:
    """One of the two; the other makes it whole, another of the same sort takes its place."""
    other = desk.now.half
    if other is None or (other.epc is None) == (half.epc is None):
        if other is not None:
            what = f"tag {other.epc}" if other.epc is not None else other.asset or other.sku or ""
            desk.refuse_what(half.at, f"{what}: another was scanned instead", other.evidence, other.code)
        desk.set(half=half)
        return
    desk.set(half=None)
    bound, on = (half, other) if half.epc is not None else (other, half)
    evidence = [*bound.evidence, *on.evidence, *desk.context()]
    try:
        text, facts = _bound(desk, bound.epc or "", on)
    except Refused as error:
        desk.refuse_what(half.at, str(error), [*half.evidence, *other.evidence], on.code)
        return
    desk.do("assign", half.at, text, evidence, epc=bound.epc, badge=desk.now.badge, **facts)


def _bound(desk: Desk, tag_epc: str, on: Half) -> tuple[str, dict[str, Any]]:
    """The text and the facts of a binding. Raises Refused."""
    short_tag = f"tag ..{tag_epc[-8:]}"
    scheme = _scheme(tag_epc)
    if on.asset is not None:
        odd = f", though its code is of stock ({scheme.upper()})" if scheme in STOCK_SCHEMES else ""
        return f"{short_tag} is on asset {on.asset}{odd}", {"asset": on.asset}
    found = desk.params.items.get(on.code.gtin or "")
    if found is None:
        msg = f"unknown item {on.code.gtin}"
        raise Refused(msg)
    many = amount(on.code, on.quantity, found)
    odd = f", though its code is of an asset ({scheme.upper()})" if scheme in ASSET_SCHEMES else ""
    facts = {"sku": found.sku, "code": on.code.gtin, "lot": on.code.lot, "serial": on.code.serial, "quantity": many}
    return f"{short_tag} is on {quantity_text(many)} x {found.sku}{odd}", facts


def _scheme(tag_epc: str) -> str:
    try:
        return epc.decode(tag_epc).scheme
    except BadCode:
        return ""


def name_of_epc(tag_epc: str) -> str:
    """How packs name what a tag is on: the element string of an SSCC or SGTIN, else the EPC itself.

    >>> name_of_epc("3074257bf7194e4000001a85")
    '(01)80614141123458(21)6789'
    """
    try:
        code = epc.decode(tag_epc)
    except BadCode:
        return tag_epc
    if code.sscc is not None:
        return f"(00){code.sscc}"
    return f"(01){code.gtin}(21){code.serial}" if code.gtin is not None and code.serial else tag_epc


def pack(desk: Desk, scan: Scanned, code: Gs1) -> None:
    """A GS1 code in PACK: the pallet, or a carton on it."""
    if code.sscc is not None:
        _packed(desk, scan, f"(00){code.sscc}", code)
    elif code.gtin is not None and code.serial is not None:
        _packed(desk, scan, f"(01){code.gtin}(21){code.serial}", code)
    else:
        desk.refuse(scan, "a carton's serial number (21) or SSCC expected", code)


def _packed(desk: Desk, scan: Scanned, name: str, code: Gs1) -> None:
    pallet = desk.now.pallet
    if pallet is None and not name.startswith("(00)"):
        desk.refuse(scan, "no pallet: scan its SSCC first", code)
    elif pallet is None:
        desk.set(pallet=name, pallet_by=scan.evidence)
    elif name == pallet:
        desk.refuse(scan, "this is the pallet itself: scan the cartons, or CONFIRM and another pallet", code)
    else:
        found = desk.params.items.get(code.gtin or _gtin(name) or "")
        named: dict[str, Any] = {"code": code.gtin, "lot": code.lot, "serial": code.serial, "badge": desk.now.badge}
        evidence = [scan.evidence, *desk.context(desk.now.pallet_by)]
        sku = found.sku if found is not None else None
        named |= {"parent": pallet, "child": name, "sku": sku, "label": code}
        desk.do("pack", scan.at, f"{name} is on pallet {pallet}", evidence, **named)


def _gtin(name: str) -> str | None:
    return name[4:18] if name.startswith("(01)") else None
