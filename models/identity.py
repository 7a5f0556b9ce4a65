"""What a tag is: stock, asset or unknown, decided in this one function and nowhere else.

Stock is sold or consumed and identified by SGTIN or SSCC; an asset is owned and used, GIAI or GRAI. A dated register
entry for one tag overrides its scheme: so a capitalised spare, or a tag with a code of its own, is what it is. Short
and long codings of one identity are one: only the identity is looked up.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from models.epc import Epc, decode
from models.errors import BadCode, Refused

Kind = Literal["stock", "asset", "unknown"]


class Identity(Struct, frozen=True):
    """The verdict with its reason. `quantity` is in units of the SKU and only there when one tag stands for goods."""

    kind: Kind
    sku: str | None
    asset: str | None
    quantity: Decimal | None
    why: str


class Override(Struct, frozen=True):
    """A register entry for one tag: a quantity of a SKU, or an asset; neither means that the tag is to be ignored.

    Without a quantity the tag is stock that the door does not count.
    """

    sku: str | None = None
    quantity: Decimal | None = None
    asset: str | None = None

    def __post_init__(self) -> None:
        if self.asset is not None and (self.sku is not None or self.quantity is not None):
            msg = f"tag: a SKU or an asset expected, got both ({self.sku}, {self.asset})"
            raise Refused(msg)
        if self.quantity is not None and (self.sku is None or self.quantity <= 0):
            msg = f"tag: a positive quantity of a SKU expected, got {self.quantity} of {self.sku}"
            raise Refused(msg)


class Register(Struct, frozen=True):
    """The part of the register that names tags, as it was at one moment.

    `tags`: EPC hex to override. `gtins`: GTIN-14 to (SKU, units in one). `assets`: pure-identity URI of a GIAI or GRAI
    to asset id.
    """

    tags: Mapping[str, Override] = {}
    gtins: Mapping[str, tuple[str, Decimal]] = {}
    assets: Mapping[str, str] = {}


def identify(epc: str, register: Register) -> Identity:
    """What the tag with this EPC (hexadecimal) is. Never raises: a code that does not decode is unknown, with why."""
    override = register.tags.get(epc)
    if override is not None:
        return _overridden(override)
    try:
        code = decode(epc)
    except BadCode as error:
        return Identity("unknown", None, None, None, str(error))
    if code.gtin is not None:
        return _goods(code.gtin, register)
    if code.sscc is not None:
        return Identity("stock", None, None, None, f"sscc {code.sscc}: a logistic unit, its contents carry the stock")
    if code.scheme in ("giai", "grai"):
        return _owned(code, register)
    return Identity("unknown", None, None, None, f"{code.scheme}: neither goods nor an asset")


def _overridden(override: Override) -> Identity:
    why = "register entry of this tag"
    if override.asset is not None:
        return Identity("asset", None, override.asset, None, why)
    if override.sku is not None:
        return Identity("stock", override.sku, None, override.quantity, why)
    return Identity("unknown", None, None, None, f"{why}: ignored")


def _goods(gtin: str, register: Register) -> Identity:
    found = register.gtins.get(gtin)
    if found is None:
        return Identity("stock", None, None, None, f"gtin {gtin}: not in the register")
    sku, units = found
    return Identity("stock", sku, None, units, f"gtin {gtin}")


def _owned(code: Epc, register: Register) -> Identity:
    asset = register.assets.get(code.uri)
    known = "" if asset is not None else ": not in the register"
    return Identity("asset", None, asset, None, f"{code.scheme} {code.uri.rpartition(':')[2]}{known}")
