"""ASSIGN and PACK: what a tag is on, and which cartons are on which pallet."""

from decimal import Decimal

import pytest

from models.scan.tagging import name_of_epc
from tests.models.scan.scanning import BOLT, CARTON, OWNED, PACK, PALLET, PUMP, SSCC, TAG, acts, said

EPC = f"SY:EPC:{TAG}"
ON = f"tag ..{TAG[-8:]} is on "
OTHER = "00095213210000000438"
ITSELF = "is an EPC itself: a tag with this code needs no binding"


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([EPC, "SY:ASSET:crane-1"], [f"{ON}asset CRANE-1"]),
        (["SY:ASSET:CRANE-1", EPC.upper()], [f"{ON}asset CRANE-1"]),
        (["80049521321CRANE1", EPC], [f"{ON}asset CRANE-1"]),
        ([EPC, f"01{BOLT}3040"], [f"{ON}40 x BOLT-M8"]),
        ([f"01{BOLT}", "SY:QTY:3", EPC], [f"{ON}3 x BOLT-M8"]),
        ([f"01{PACK}", EPC], [f"{ON}100 x BOLT-M8"]),
        ([EPC, f"01{PUMP}21S1"], [f"{ON}1 x PUMP-40"]),
        (
            [EPC, "SY:ASSET:crane-1", f"SY:EPC:{CARTON}", f"01{BOLT}"],
            [f"{ON}asset CRANE-1", f"tag ..{CARTON[-8:]} is on 1 x BOLT-M8"],
        ),
        (
            [f"SY:EPC:{CARTON}", "SY:ASSET:crane-1"],
            [f"tag ..{CARTON[-8:]} is on asset CRANE-1, though its code is of stock (SGTIN)"],
        ),
        (
            [f"SY:EPC:{OWNED}", f"01{BOLT}"],
            [f"tag ..{OWNED[-8:]} is on 1 x BOLT-M8, though its code is of an asset (GIAI)"],
        ),
        ([EPC, "SY:ASSET:crane-1", "SY:UNDO"], [f"{ON}asset CRANE-1", f"taken back: {ON}asset CRANE-1"]),
        (
            [EPC, f"SY:EPC:{CARTON}", "SY:ASSET:crane-1"],
            [
                f"tag {TAG}: another was scanned instead",
                f"tag ..{CARTON[-8:]} is on asset CRANE-1, though its code is of stock (SGTIN)",
            ],
        ),
        (
            [EPC, 60, "SY:ASSET:crane-1"],
            [f"tag {TAG}: nothing was scanned that it is on", "CRANE-1: no tag was scanned for it"],
        ),
        ([EPC, "SY:RECEIVE"], [f"tag {TAG}: nothing was scanned that it is on"]),
        ([EPC, "SY:CONFIRM", "SY:CANCEL"], ["not whole yet: scan what it is on"]),
        ([f"01{BOLT}21S1"], [f"a GTIN with a serial number {ITSELF}"]),
        ([SSCC], [f"an SSCC {ITSELF}"]),
        (["80049521321NEW"], ["(8004)9521321NEW is no asset of the register; a tag with this code needs no binding"]),
        (["SY:ASSET:ghost"], ["unknown asset 'ghost'"]),
        (["SY:EPC:xyz"], ["EPC: 4 to 124 hexadecimal digits expected, got 'xyz'"]),
        (["0109521321599994"], ["unknown item 09521321599994"]),
        ([f"01{BOLT}300", EPC], ["quantity: a positive number expected, got '0'"]),
    ],
)
def test_assign(codes: list[str | int], texts: list[str]) -> None:
    assert said("SY:ASSIGN", *codes) == texts


def test_an_assign_has_what_the_register_needs() -> None:
    asset, carton = acts("SY:BADGE:anna", "SY:ASSIGN", EPC, "SY:ASSET:crane-1", EPC, f"01{BOLT}10L7\x1d3040")
    assert (asset.epc, asset.asset, asset.sku, asset.quantity, asset.badge) == (TAG, "CRANE-1", None, None, "anna")
    assert (carton.epc, carton.asset, carton.sku, carton.quantity) == (TAG, None, "BOLT-M8", Decimal(40))
    assert (carton.lot, carton.location, len(carton.evidence)) == ("L7", None, 4)


C1, C2 = "(01)19521321000107(21)S1", name_of_epc(CARTON)
P1, P2 = f"({SSCC[:2]}){SSCC[2:]}", f"({OTHER[:2]}){OTHER[2:]}"
FIRST = f"01{PUMP}21S1"


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([SSCC, FIRST, f"SY:EPC:{CARTON}"], [f"{C1} is on pallet {P1}", f"{C2} is on pallet {P1}"]),
        ([f"SY:EPC:{PALLET}", FIRST], [f"{C1} is on pallet {P1}"]),
        ([SSCC, OTHER], [f"{P2} is on pallet {P1}"]),
        ([SSCC, "SY:CONFIRM", OTHER, FIRST], [f"{C1} is on pallet {P2}"]),
        ([SSCC, "SY:PACK", OTHER, FIRST], [f"{C1} is on pallet {P2}"]),
        ([SSCC, EPC], [f"{TAG} is on pallet {P1}"]),
        ([SSCC, FIRST, "SY:UNDO"], [f"{C1} is on pallet {P1}", f"taken back: {C1} is on pallet {P1}"]),
        ([SSCC, SSCC], ["this is the pallet itself: scan the cartons, or CONFIRM and another pallet"]),
        ([FIRST], ["no pallet: scan its SSCC first"]),
        ([SSCC, f"01{PUMP}"], ["a carton's serial number (21) or SSCC expected"]),
        ([SSCC, 600, "SY:PACK", FIRST], ["no pallet: scan its SSCC first"]),
    ],
)
def test_pack(codes: list[str | int], texts: list[str]) -> None:
    assert said("SY:PACK", *codes) == texts


def test_a_pack_names_the_same_carton_however_it_was_scanned() -> None:
    label, tag = acts("SY:PACK", SSCC, "0119521321000107217", f"SY:EPC:{CARTON}")
    assert label.child == tag.child == "(01)19521321000107(21)7"
    assert (label.sku, tag.sku, label.parent) == ("PUMP-40", "PUMP-40", P1)
