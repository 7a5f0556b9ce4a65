"""What must be true of bins and pick faces in the register at one time: what they name is there, and real."""

from collections.abc import Iterator

from models.declared_stock import Item, Location
from models.declared_warehouse import PickFace
from models.register import Register


def bins(register: Register, at: int) -> Iterator[str]:
    """A bin is one of the real locations."""
    for ident in register.all("bins", at):
        if not _is_real(register, ident, at):
            yield f"bins.{ident}: id: one of the real locations expected, got {ident!r}"


def faces(register: Register, at: int) -> Iterator[str]:
    """A pick face is of an item at a real location, and an item has one there."""
    owners: dict[tuple[str, str], str] = {}
    for ident, body in register.all("faces", at).items():
        if not isinstance(body, PickFace):
            continue
        if not _is_real(register, body.bin, at):
            yield f"faces.{ident}: bin: one of the real locations expected, got {body.bin!r}"
        if not isinstance(register.get("items", body.sku, at), Item):
            yield f"faces.{ident}: sku: one of the items expected, got {body.sku!r}"
        if (other := owners.setdefault((body.sku, body.bin), ident)) != ident:
            yield f"faces.{ident}: bin: {body.bin!r} is already a face of {body.sku!r}, {other!r}"


def _is_real(register: Register, ident: str, at: int) -> bool:
    body = register.get("locations", ident, at)
    return isinstance(body, Location) and not body.is_virtual
