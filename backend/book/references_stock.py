"""What must be true of stock in the register at one time: places within places, items with their variants, lots."""

from collections.abc import Iterator

from models.declared_stock import Item, Location, Lot
from models.epc import check_digit
from models.register import Register
from models.stock.item import is_whole
from models.stock.lot import split

_RANK = {"site": 0, "zone": 1, "bin": 2}


def location(register: Register, at: int, body: object) -> Iterator[str]:
    """A location's site and parent are there, a bin is in a zone, a zone in a site, and none is in itself."""
    if not isinstance(body, Location):
        return
    if body.site is not None and register.get("sites", body.site, at) is None:
        yield f"site: one of the sites expected, got {body.site!r}"
    if body.parent is None:
        return
    parent = register.get("locations", body.parent, at)
    if not isinstance(parent, Location):
        yield f"parent: one of the locations expected, got {body.parent!r}"
    elif body.is_virtual or parent.is_virtual:
        yield f"parent: expected of real places only, and real, got {body.parent!r}"
    elif _RANK.get(parent.kind or "", -1) >= _RANK.get(body.kind or "", len(_RANK)):
        yield f"parent: a larger kind of place than {body.kind} expected, got {parent.kind} {body.parent!r}"


def cycles(register: Register, at: int) -> Iterator[str]:
    """No location is within itself."""
    parents = {k: each.parent for k, each in register.all("locations", at).items() if isinstance(each, Location)}
    for ident, parent in parents.items():
        seen, up = {ident}, parent
        while up is not None and up not in seen:
            seen.add(up)
            up = parents.get(up)
        if up == ident:
            yield f"locations.{ident}: parent: a place that is not within {ident!r} expected, got {parent!r}"


def item(register: Register, at: int, body: object) -> Iterator[str]:
    """An item's numbers, units, supplies and what it is a variant of."""
    if not isinstance(body, Item):
        return
    for pack in body.gtins:
        if pack.gtin[-1] != (digit := check_digit(pack.gtin[:-1])):
            yield f"gtins: {pack.gtin} has check digit {pack.gtin[-1]}, expected {digit}"
    if body.reorder_min is not None and body.reorder_max is None:
        yield "reorder_max: expected, as there is a reorder_min"
    if body.reorder_min is not None and body.reorder_max is not None and body.reorder_max <= body.reorder_min:
        yield f"reorder_max: more than reorder_min {body.reorder_min} expected, got {body.reorder_max}"
    if body.expiry_required and not body.lot_required:
        yield "lot_required: expected, as an expiry is required: a lot has it"
    yield from _units(body)
    yield from _supplies(register, at, body)
    yield from _variant(register, at, body)


def _units(body: Item) -> Iterator[str]:
    named = [body.uom, *(each.unit for each in body.units)]
    for unit in sorted({*named}):
        if named.count(unit) > 1:
            yield f"units: {unit!r} once expected, the item's uom among them, got {named.count(unit)}"
    if body.whole:
        amounts = {"pack_size": body.pack_size} | {f"gtins: {pack.gtin}: units": pack.units for pack in body.gtins}
        yield from (
            f"{field}: a whole number expected, got {amount}"
            for field, amount in amounts.items()
            if not is_whole(amount)
        )


def _supplies(register: Register, at: int, body: Item) -> Iterator[str]:
    named = [supply.supplier for supply in body.supplies]
    for supplier in sorted({*named}):
        if register.get("suppliers", supplier, at) is None:
            yield f"supplies.supplier: one of the suppliers expected, got {supplier!r}"
        if named.count(supplier) > 1:
            yield f"supplies: {supplier!r} once expected, got {named.count(supplier)}"


def _variant(register: Register, at: int, body: Item) -> Iterator[str]:
    if body.variant_of is None:
        if body.variant:
            yield "variant_of: expected, as there is a variant"
        return
    parent = register.get("items", body.variant_of, at)
    if not body.variant:
        yield 'variant: what makes it one expected, as size = "L"'
    if not isinstance(parent, Item) or parent.variant_of is not None:
        yield f"variant_of: an item that is no variant itself expected, got {body.variant_of!r}"
    elif parent.gtins or parent.tagged:
        yield f"variant_of: an item without gtins of its own, and not tagged, expected, got {body.variant_of!r}"


def variants(register: Register, at: int) -> Iterator[str]:
    """No two variants of an item are the same one."""
    owners: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for ident, body in register.all("items", at).items():
        if isinstance(body, Item) and body.variant_of is not None and body.variant:
            key = (body.variant_of, tuple(sorted(body.variant.items())))
            if key in owners:
                yield f"items.{ident}: variant: another than that of {owners[key]!r} expected, got {body.variant}"
            owners.setdefault(key, ident)


def gtins(register: Register, at: int) -> Iterator[str]:
    """A trade item number belongs to one item, once."""
    owners: dict[str, str] = {}
    for ident, body in register.all("items", at).items():
        for pack in body.gtins if isinstance(body, Item) else ():
            if pack.gtin in owners:
                yield f"items.{ident}: gtins: {pack.gtin} is already a number of {owners[pack.gtin]!r}"
            owners.setdefault(pack.gtin, ident)


def lots(register: Register, at: int) -> Iterator[str]:
    """A lot is of an item, and came before it expires."""
    for ident, body in register.all("lots", at).items():
        if not isinstance(body, Lot):
            continue
        sku, _ = split(ident)
        if register.get("items", sku, at) is None:
            yield f"lots.{ident}: id: ITEM/LOT with one of the items expected, got {sku!r}"
        if body.supplier is not None and register.get("suppliers", body.supplier, at) is None:
            yield f"lots.{ident}: supplier: one of the suppliers expected, got {body.supplier!r}"
        if body.expires is not None and body.received is not None and body.expires < body.received:
            yield f"lots.{ident}: expires: not before it was received, {body.received}, expected, got {body.expires}"
