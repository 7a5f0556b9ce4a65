from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.epc import encode
from models.errors import Refused
from models.identity import Identity, Override, Register, identify

CARTON = encode("urn:epc:id:sgtin:9521321.100020.1", 2)
PALLET = encode("urn:epc:id:sscc:9521321.1000000001", 6)
FORKLIFT = encode("urn:epc:id:giai:9521321.400")
CRATE = encode("urn:epc:id:grai:9521321.12345.8")
SHELF = encode("urn:epc:id:sgln:9521321.12345.0")
REGISTER = Register(
    gtins={"19521321000206": ("VALVE-2IN", Decimal(12))}, assets={"urn:epc:id:giai:9521321.400": "FORKLIFT-1"}
)


@pytest.mark.parametrize(
    ("epc", "expected"),
    [
        (CARTON, ("stock", "VALVE-2IN", None, Decimal(12))),
        (encode("urn:epc:id:sgtin:9521321.199990.1"), ("stock", None, None, None)),
        (PALLET, ("stock", None, None, None)),
        (FORKLIFT, ("asset", None, "FORKLIFT-1", None)),
        (CRATE, ("asset", None, None, None)),
        (encode("urn:epc:id:sgtin:9521321.100020.A%2F01", 2), ("stock", "VALVE-2IN", None, Decimal(12))),
        (encode("urn:epc:tag:giai-202:0.9521321.400"), ("asset", None, "FORKLIFT-1", None)),
        (encode("urn:epc:id:grai:9521321.12345.08"), ("asset", None, None, None)),
        (SHELF, ("unknown", None, None, None)),
        (encode("urn:epc:id:gsrn:9521321.1000000001"), ("unknown", None, None, None)),
        (encode("urn:epc:id:gdti:9521321.12345.0A"), ("unknown", None, None, None)),
        (encode("urn:epc:id:gid:1.2.3"), ("unknown", None, None, None)),
        ("e2003412dc03011852233147", ("unknown", None, None, None)),
        ("00", ("unknown", None, None, None)),
    ],
)
def test_the_scheme_decides(epc: str, expected: tuple[str, str | None, str | None, Decimal | None]) -> None:
    identity = identify(epc, REGISTER)
    assert (identity.kind, identity.sku, identity.asset, identity.quantity) == expected
    assert identity.why


def test_overrides_win() -> None:
    tags = {
        CARTON: Override(asset="SPARE-1"),
        FORKLIFT: Override(sku="PUMP-40", quantity=Decimal(1)),
        PALLET: Override(),
        CRATE: Override(sku="FILTER-10"),
    }
    register = Register(tags, REGISTER.gtins, REGISTER.assets)
    kinds = [identify(epc, register) for epc in tags]
    assert [(each.kind, each.sku, each.asset, each.quantity) for each in kinds] == [
        ("asset", None, "SPARE-1", None),
        ("stock", "PUMP-40", None, Decimal(1)),
        ("unknown", None, None, None),
        ("stock", "FILTER-10", None, None),
    ]


@pytest.mark.parametrize(
    ("sku", "quantity", "asset"),
    [
        ("PUMP-40", Decimal(1), "SPARE-1"),
        (None, Decimal(1), None),
        ("PUMP-40", Decimal(0), None),
        (None, Decimal(1), "A"),
    ],
)
def test_an_override_is_one_thing(sku: str | None, quantity: Decimal | None, asset: str | None) -> None:
    with pytest.raises(Refused, match="tag"):
        Override(sku, quantity, asset)


@given(st.binary(max_size=30))
def test_never_both(raw: bytes) -> None:
    identity = identify(raw.hex(), REGISTER)
    assert isinstance(identity, Identity)
    assert identity.asset is None or identity.sku is None
