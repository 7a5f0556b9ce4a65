"""What is one thing has one number: serial numbers and GIAIs name one asset each.

Makers number their own models, so two assets may share a serial number only if both name a model, and not the same one.
What is gone gives its numbers back: a machine that was sold and bought again is a new entry of the register.
"""

from collections.abc import Iterator, Mapping

from models.assets.asset import GONE
from models.declared_assets import Asset


def taken(assets: Mapping[str, Asset]) -> Iterator[tuple[str, str]]:
    """Every asset with a number that another one has, and what is wrong; of two the one that comes later in order."""
    here = {ident: asset for ident, asset in sorted(assets.items()) if asset.state not in GONE}
    owners: dict[str, dict[str, str | None]] = {}
    codes: dict[str, str] = {}
    for ident, asset in here.items():
        others = owners.setdefault(asset.serial, {})
        for other, model in others.items():
            if asset.model is None or model is None or asset.model == model:
                yield ident, f"serial: {asset.serial!r} is the serial number of {other!r} already"
                break
        others[ident] = asset.model
        if asset.giai is not None:
            owner = codes.setdefault(_digits(asset.giai), ident)
            if owner != ident:
                yield ident, f"giai: {asset.giai!r} is the code of {owner!r} already"


def _digits(giai: str) -> str:
    """The one way to write it: as a URI or not, with its dot or not, it is the same code."""
    return giai.rpartition(":")[2].replace(".", "")
