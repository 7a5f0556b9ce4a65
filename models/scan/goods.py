"""Items in the modes with places: what they wait for, and what they do once quantity and place are known."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from models.barcode import Gs1
from models.errors import Refused
from models.scan.desk import Desk, short
from models.scan.session import MOST_ADDED, MOST_WAITING, Item, Scanned, Waiting
from models.stock.item import Units, in_base
from models.units import BadQuantity, checked, parse_quantity, quantity_text

DONE: Mapping[str, str] = {
    "receive": "{} received at {}",
    "issue": "{} issued from {}",
    "return": "{} returned to {}",
    "count": "{} counted at {}; a count moves nothing",
}
NO_PLACE = "no location: scan a location"
NOTHING_WAITS = "no item waits for a quantity: scan the item first"


def item(desk: Desk, scan: Scanned, code: Gs1) -> None:
    """An item in a mode with places."""
    now, mode = desk.now, desk.now.mode
    found = desk.params.items.get(code.gtin or "")
    if mode is None:
        desk.refuse(scan, "no mode: scan RECEIVE, ISSUE, RETURN, MOVE or COUNT first", code)
    elif found is None:
        what = f"item {code.gtin}" if code.gtin else f"SSCC {code.sscc}" if code.sscc else "code without a GTIN"
        desk.refuse(scan, f"unknown {what}", code)
    elif found.tagged and mode != "count":
        _match(desk, scan, code, found)
    elif len(now.held) >= MOST_WAITING:
        desk.refuse(scan, f"{MOST_WAITING} items wait for a place: scan it first", code)
    else:
        place, by = (None, None) if mode == "move" else (now.location or desk.params.location, now.location_by)
        context = desk.context(by)
        waiting = Waiting(scan.at, mode, place, code, [scan.evidence], context, badge=now.badge)
        if _says_how_many(code, found):
            whole(desk, waiting)
        else:
            desk.set(waiting=waiting)


def _match(desk: Desk, scan: Scanned, code: Gs1, found: Item) -> None:
    text = f"{found.sku} is tagged: the door moves it"
    named = {"sku": found.sku, "code": code.gtin, "lot": code.lot, "serial": code.serial, "badge": desk.now.badge}
    evidence = [scan.evidence, *desk.context(desk.now.location_by)]
    desk.tell("match", scan.at, text, evidence, location=desk.now.location, label=code, **named)


def _says_how_many(code: Gs1, found: Item) -> bool:
    return code.count is not None or (code.weight_kg is not None and found.uom == "kg")


def amount(code: Gs1, said: Decimal | None, found: Item) -> Decimal:
    """How much of the item, in its unit: what was said, else a weight, else a count, else one.

    Raises Refused: no quantity, or not a whole number of what is counted so.
    """
    if said is None and code.weight_kg is not None and found.uom == "kg":
        return in_base(found.measures, checked(code.weight_kg))
    count = said if said is not None else Decimal(1 if code.count is None else code.count)
    return in_base(found.measures, checked(checked(count) * found.units))


def said_of(text: str, found: Item | None) -> Decimal:
    """How many trade items `n`, or `n:unit`, is. Raises Refused where it is no decimal of them exactly."""
    number, _, unit = text.partition(":")
    many = parse_quantity(number)
    if not unit or found is None:
        return many
    of_item = Units("trade items", {unit: found.measures.factor(unit) / Fraction(found.units)})
    return in_base(of_item, many, unit)


def quantity(desk: Desk, scan: Scanned, text: str) -> None:
    """SY:QTY:n, SY:QTY:n:unit: so many of what waits; it acts."""
    waiting, half = desk.now.waiting, desk.now.half
    try:
        if waiting is not None:
            said = said_of(text, desk.params.items.get(waiting.code.gtin or ""))
            desk.set(waiting=None)
            ready = replace(waiting, at=scan.at, quantity=said, evidence=[*waiting.evidence, scan.evidence])
            whole(desk, ready)
        elif half is not None and half.sku is not None:
            said = parse_quantity(text)
            desk.set(half=replace(half, at=scan.at, quantity=said, evidence=[*half.evidence, scan.evidence]))
        else:
            desk.refuse(scan, NOTHING_WAITS)
    except Refused as error:
        desk.refuse(scan, str(error))


def add(desk: Desk, scan: Scanned, text: str) -> None:
    """SY:+n: so many more of what waits; it waits on."""
    waiting = desk.now.waiting
    if waiting is None:
        desk.refuse(scan, NOTHING_WAITS)
    elif len(waiting.evidence) > MOST_ADDED:
        desk.refuse(scan, f"{MOST_ADDED} additions to one item: scan CONFIRM")
    else:
        try:
            said = checked((waiting.quantity or Decimal(1)) + parse_quantity(text))
        except BadQuantity as error:
            desk.refuse(scan, str(error))
            return
        evidence = [*waiting.evidence, scan.evidence]
        desk.set(waiting=replace(waiting, at=scan.at, quantity=said, evidence=evidence))


def settle(desk: Desk, at: int) -> None:
    """What waits for its quantity has what was said, or 1."""
    waiting = desk.now.waiting
    if waiting is not None:
        desk.set(waiting=None)
        whole(desk, replace(waiting, at=at))


def whole(desk: Desk, waiting: Waiting) -> None:
    """An item whose quantity is known: it acts, or waits for its place."""
    if waiting.location is None:
        desk.set(held=[*desk.now.held, waiting])
    else:
        act(desk, waiting)


def act(desk: Desk, waiting: Waiting, target: str | None = None) -> None:
    """Quantity and place are known."""
    code = waiting.code
    found = desk.params.items.get(code.gtin or "")
    try:
        if found is None:
            desk.refuse_what(waiting.at, f"unknown item {code.gtin}", waiting.evidence, code)
            return
        many = amount(code, waiting.quantity, found)
    except Refused as error:
        desk.refuse_what(waiting.at, str(error), waiting.evidence, code)
        return
    what = f"{quantity_text(many)} x {found.sku}"
    moved = f"{what} moved from {waiting.location} to {target}"
    done = moved if target is not None else DONE[waiting.mode].format(what, waiting.location)
    desk.do(
        waiting.mode,
        waiting.at,
        done if code.warning is None else f"{done}; look at the label: {code.warning}",
        [*waiting.evidence, *waiting.context],
        sku=found.sku,
        code=code.gtin,
        lot=code.lot,
        serial=code.serial,
        quantity=many,
        location=waiting.location,
        target=target,
        badge=waiting.badge,
        label=code,
    )


def go_to(desk: Desk, scan: Scanned, name: str) -> None:
    """A place was scanned."""
    place = desk.params.locations.get(name.lower())
    if place is None:
        desk.refuse(scan, f"unknown location {short(name)}")
    elif desk.now.mode == "move":
        _move_to(desk, scan, place)
    else:
        desk.set(location=place, location_by=scan.evidence)
        held, waiting = desk.now.held, desk.now.waiting
        desk.set(held=[])
        for each in held:
            act(desk, _at(desk, each, place, scan.at))
        if waiting is not None and waiting.location is None:
            desk.set(waiting=_at(desk, waiting, place, waiting.at))


def _at(desk: Desk, waiting: Waiting, place: str, at: int) -> Waiting:
    return replace(waiting, location=place, at=at, context=[desk.now.location_by or "", *waiting.context])


def _move_to(desk: Desk, scan: Scanned, place: str) -> None:
    """Where from; or, with items and a place where from, where to."""
    now = desk.now
    if now.source is None or (now.waiting is None and not now.held):
        desk.set(source=place, source_by=scan.evidence)
        return
    if place == now.source:
        desk.refuse(scan, f"{place} is where the items come from: scan where they go")
        return
    settle(desk, scan.at)
    held = desk.now.held
    desk.set(held=[], source=None, source_by=None)
    for each in held:
        context = [scan.evidence, now.source_by or "", *each.context]
        act(desk, replace(each, at=scan.at, location=now.source, context=context), place)


def give_up(desk: Desk, at: int) -> None:
    """No place came, or no other half."""
    settle(desk, at)
    held, half, source = desk.now.held, desk.now.half, desk.now.source
    desk.set(held=[], half=None)
    missing = "scan where to" if source is not None else NO_PLACE
    for each in held:
        desk.refuse_what(at, f"item {each.code.gtin}: {missing}", each.evidence, each.code)
    if half is not None:
        text = "nothing was scanned that it is on" if half.epc is not None else "no tag was scanned for it"
        what = f"tag {half.epc}" if half.epc is not None else half.asset or half.sku or ""
        desk.refuse_what(at, f"{what}: {text}", half.evidence, half.code)
