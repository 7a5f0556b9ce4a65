"""Random stories at a site: few tags, doors and scanners, times crowded around time-outs and midnight, late register
changes, arrivals in any order; told to one book as they came, to another in order, with the register known before.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from msgspec import Struct

from backend.book import register
from backend.book.db import write
from models import epc
from models.declared import Desk, Device, Door, Item, Location, Lot, PackGtin, TagBinding
from models.reading import Input, Reading, Scan, Tag, from_micros, micros
from tests.backend.books import DAY, SECOND, Yard
from tests.backend.desks import workflow
from tests.backend.pallets import loaded, pallet

MIDNIGHT = 20_000 * DAY
TAGS = [
    epc.encode("urn:epc:id:sgtin:9521321.100010.7"),
    epc.encode("urn:epc:id:sgtin:9521321.100020.8"),
    "3034257bf7194e4000001a85",
]
BOLT, GLOVE, PUMP = "09521321500013", "09521321500020", "19521321000107"
CODES = [
    "SY:RECEIVE", "SY:ISSUE", "SY:LOC:desk", "SY:LOC:shelf", "SY:LOC:warehouse", "SY:QTY:3", "SY:CONFIRM", "SY:CANCEL",
    f"01{BOLT}", f"01{BOLT}", f"01{GLOVE}", f"01{GLOVE}3040", f"01{PUMP}", "01" + "1" * 14,
    f"01{GLOVE}1727013110L1", f"01{GLOVE}1727022810L1\x1d305",
]  # fmt: skip
EPOCHS = ["A" * 12, "B" * 12, "C" * 12]


@dataclass(frozen=True)
class Change:
    """One declaration."""

    kind: str
    id: str
    body: Struct
    valid_from: int


@dataclass
class Story:
    """Readings with the gateway that sends them, and the register's changes."""

    told: list[tuple[str, Reading]]
    changes: list[Change]


def _time(chance: random.Random) -> int:
    """A moment near midnight of one of three days, on a grid on which time-outs fall together."""
    step = chance.choice((1, 1, 1, 0.5, 60, 600))
    at = MIDNIGHT + chance.choice((0, 0, 0, 1, 2)) * DAY + round(chance.randint(-12, 12) * step * SECOND)
    return at + chance.choice((0, 0, 0, -1, 1))


def _reading(chance: random.Random) -> tuple[str, Reading]:
    at = _time(chance)
    device_at = from_micros(at) if chance.random() < 0.25 else None
    kind = chance.random()
    if kind < 0.62:
        door = chance.choice(("door-1", "door-1", "door-2"))
        first = None if chance.random() < 0.5 else from_micros(at - chance.randint(0, 2) * SECOND)
        rssi = None if chance.random() < 0.2 else float(chance.randint(-70, -50))
        tag = chance.choice((TAGS[0], TAGS[0], TAGS[1], TAGS[2]))
        antenna = chance.choice((1, 2, 3, 4))
        count = chance.randint(1, 4)
        return "dock-a", Tag(
            door, from_micros(at), tag, antenna, first_at=first, device_at=device_at, rssi_dbm=rssi, count=count
        )
    if kind < 0.95:
        device = chance.choice(("scanner-1", "scanner-1", "id:hand"))
        gateway = "dock-a" if device == "scanner-1" else chance.choice(("dock-a", "dock-b"))
        return gateway, Scan(device, from_micros(at), chance.choice(CODES), "]C1", device_at=device_at)
    return "dock-a", Input(chance.choice(("door-1", "eye")), from_micros(at), "photo_eye", on=True)


def _again(chance: random.Random, told: tuple[str, Reading]) -> tuple[str, Reading]:
    """The same content a second time, heard at another moment where the device's own clock says which it is."""
    gateway, reading = told
    if reading.device_at is None:
        return told
    shift = chance.choice((-DAY, -60 * SECOND, -3 * SECOND, -SECOND, 0, SECOND, 2 * SECOND, 30 * SECOND, DAY))
    fields: dict[str, Any] = {name: getattr(reading, name) for name in reading.__struct_fields__}
    return gateway, type(reading)(**fields | {"at": from_micros(micros(reading.at) + shift)})


def _door(chance: random.Random) -> Change:
    return _door_at(chance, chance.choice(("door-1", "door-2")), _time(chance))


def _door_at(chance: random.Random, name: str, at: int) -> Change:
    rows = chance.choice((([1, 2], [3, 4]), ([1, 2], [3, 4]), ([3, 4], [1, 2]), ([1], [2])))
    timeout_s = chance.choice((1.0, 2.0, 3.0, 8.0))
    eye = chance.choice((None, None, "photo_eye", "other"))
    door = Door(*rows, chance.choice(("warehouse", "desk")), "supplier", "customer", timeout_s, photo_eye=eye)
    body = Device(gateway="dock-a", name=name, door=door if chance.random() < 0.85 else None)
    return Change("devices", f"dock-a/{name}", body, at)


def _change(chance: random.Random) -> Change:
    at = _time(chance)
    match chance.randrange(7):
        case 0 | 1:
            return _door(chance)
        case 2:
            packs = [PackGtin(PUMP, Decimal(chance.randint(1, 3)))] if chance.random() < 0.8 else []
            return Change("items", "PUMP-40", Item("Pump", gtins=packs, tagged=chance.random() < 0.7), at)
        case 3:
            packs = [PackGtin(BOLT, Decimal(chance.randint(1, 3)))] if chance.random() < 0.6 else []
            return Change("items", "BOLT-M8", Item("Bolt", gtins=packs, tagged=chance.random() < 0.3), at)
        case 4:
            goods = TagBinding("stock", "VALVE-2IN", Decimal(chance.randint(1, 9)))
            return Change("tags", chance.choice(TAGS), chance.choice((goods, TagBinding("none"))), at)
        case 5:
            lot = Change("lots", "GLOVE-L/L1", chance.choice((Lot(), Lot(note="wet"), Lot(date(2027, 3, 1)))), at)
            return chance.choice(
                (Change("locations", "shelf", Location("Shelf", virtual=chance.random() < 0.3), at), lot)
            )
        case _:
            desk = Desk("desk", "supplier", "customer") if chance.random() < 0.8 else None
            return Change("devices", "id:hand", Device("id:hand", desk=desk), at)


def _pass_over_a_change(chance: random.Random, night: int) -> Story:
    """A pass that is open when its door changes shortly before midnight, heard again before it and after."""
    seconds = [*chance.choices((-7, -6.5, -6, -5), k=2), *chance.choices((-3, -2, -1, -0.5), k=chance.randint(0, 2))]
    seconds += [chance.choice((0, 1, 4, 12, 3600)) for _ in range(3)]
    told: list[tuple[str, Reading]] = []
    for at in seconds:
        moment = from_micros(night + round(at * SECOND) + chance.randint(0, 3))
        told.append(("dock-a", Tag("door-1", moment, TAGS[0], chance.choice((1, 3)), rssi_dbm=-50.0, count=2)))
    door = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 8.0)
    first = Change("devices", "dock-a/door-1", Device(gateway="dock-a", name="door-1", door=door), night - 12 * SECOND)
    return Story(told, [first, _door_at(chance, "door-1", night - chance.randint(2, 8) * SECOND // 2)])


def _item_over_a_change(chance: random.Random, night: int) -> Story:
    """An item that waits for its quantity when the desk is taken away shortly before midnight, and then comes back."""
    codes = [(-40, "SY:RECEIVE"), (-30, "SY:LOC:desk"), (-20, f"01{BOLT}"), (chance.randint(-4, -1), f"01{GLOVE}")]
    codes += [(chance.choice((-10, -2, 1, 20, 45, 60, 3600)), chance.choice(CODES)) for _ in range(4)]
    told: list[tuple[str, Reading]] = []
    for at, code in codes:
        moment = from_micros(night + at * SECOND + chance.randint(0, 3))
        told.append(("dock-a", Scan("id:hand", moment, code, "]C1")))
    desks = [Desk("desk", "supplier", "customer"), None, Desk("desk", "customer", "supplier")]
    times = [night - DAY, night - chance.randint(2, 9) * SECOND, night + chance.choice((2, 30, 50)) * SECOND]
    changes = [
        Change("devices", "id:hand", Device("id:hand", desk=desk), at) for desk, at in zip(desks, times, strict=True)
    ]
    return Story(told, changes[: chance.randint(2, 3)])


def make(chance: random.Random) -> Story:
    """A story of a few dozen readings and some changes, now and then of one that comes at a bad moment."""
    night = MIDNIGHT + chance.choice((0, 1)) * DAY
    told = [_reading(chance) for _ in range(chance.randint(3, 30))]
    changes = [_change(chance) for _ in range(chance.randint(0, 5))]
    if chance.random() < 0.4:
        scene = chance.choice((_pass_over_a_change, _item_over_a_change))(chance, night)
        told, changes = [*told[:6], *scene.told], [*changes[:1], *scene.changes]
    if chance.random() < 0.5:
        begins = [_time(chance) for _ in range(chance.randint(1, 2))]
        told = [*told[:8], *(each for begin in begins for each in pallet(chance, begin))]
        if chance.random() < 0.6:
            watched = Door([1, 2], [3, 4], "warehouse", "supplier", "customer", 3.0, photo_eye="photo_eye")
            body = Device(gateway="dock-a", name="door-1", door=watched)
            changes = [Change("devices", "dock-a/door-1", body, min(begins) - chance.choice((1, DAY))), *changes[:3]]
    if chance.random() < 0.5:
        begins = [_time(chance) for _ in range(chance.randint(1, 4))]
        told = [*told[:10], *(each for begin in begins for each in workflow(chance, begin))]
    if chance.random() < 0.5:
        told = [*told[:12], *loaded(chance, _time(chance))]
    told += [_again(chance, chance.choice(told)) for _ in range(chance.randint(0, 6))]
    return Story(told, changes)


def declare(yard: Yard, changes: Sequence[Change]) -> None:
    """Put these into the register, in this order."""
    for each in changes:
        with write(yard.book) as tx:
            stamp = {"valid_from": each.valid_from, "now": yard.clock.now}
            register.put(tx, each.kind, each.id, each.body, actor="test", **stamp)


def tell_in_order(yard: Yard, story: Story) -> None:
    """The register first, then the readings in order of time, a few at once."""
    declare(yard, story.changes)
    told = sorted(story.told, key=lambda each: each[1].at)
    for low in range(0, len(told), 3):
        piece = told[low : low + 3]
        yard.clock.now = max(yard.clock.now, *(micros(reading.at) for _, reading in piece))
        for gateway, run in groupby(piece, key=lambda each: each[0]):
            yard.send([reading for _, reading in run], gateway=gateway)


def tell_in_disorder(yard: Yard, story: Story, chance: random.Random) -> None:
    """Any order, any batches, changes in between, and the deriver now and then; inputs perhaps when all is decided."""
    held = [each for each in story.told if isinstance(each[1], Input)] if chance.random() < 0.3 else []
    told = [each for each in story.told if each not in held]
    if chance.random() < 0.5:
        chance.shuffle(told)
    else:
        delay = chance.choice((2, 10, 60))
        late = [(micros(r.at) + round(chance.expovariate(1 / delay) * SECOND), i) for i, (_, r) in enumerate(told)]
        told = [told[i] for _, i in sorted(late)]
    changes = list(story.changes)
    while told or changes:
        what = chance.random()
        if changes and (what < 0.15 or not told):
            declare(yard, [changes.pop(0)])
        elif told:
            piece = told[: chance.randint(1, 8)]
            told = told[len(piece) :]
            _send(yard, piece, chance)
        yard.clock.now += chance.choice((0, 1, 5, 40)) * SECOND
        if chance.random() < 0.35:
            yard.deriver.step()
    if held:
        yard.settle(4 * DAY)
        _send(yard, held, chance)


def _send(yard: Yard, piece: Sequence[tuple[str, Reading]], chance: random.Random) -> None:
    """As early as the wire allows: a reading from more than a day ahead is invalid."""
    yard.clock.now = max(yard.clock.now, *(micros(reading.at) - DAY for _, reading in piece))
    messages = [
        yard.message([reading for owner, reading in piece if owner == gateway], chance.choice(EPOCHS), gateway)
        for gateway in sorted({owner for owner, _ in piece})
    ]
    yard.ingest.take(messages * chance.choice((1, 1, 2)))
