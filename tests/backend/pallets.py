"""Scenes of stories: tags that pass a door together and so vote, a photo-eye that says whether any went through, and
pallets with cartons that no door reads by themselves.
"""

import random

from models import epc
from models.reading import Input, Reading, Scan, Tag, from_micros

SECOND = 1_000_000
TAGS = [epc.encode(f"urn:epc:id:sgtin:9521321.100010.{serial}") for serial in range(70, 77)]
PALLETS = [epc.encode(f"urn:epc:id:sscc:9521321.{number:010d}", 6) for number in (42, 43, 44)]
LABELS = [f"00{epc.decode(tag).sscc}" for tag in PALLETS]
BOLT, PUMP = "09521321500013", "19521321000107"
CARTONS = [f"01{BOLT}21B1", f"01{BOLT}21B2", f"01{BOLT}21B3\x1d10LOT-7", f"01{PUMP}2171", f"01{PUMP}217"]
"""Of the last two there are tags among TAGS and those of other scenes."""


def loaded(chance: random.Random, begin: int) -> list[tuple[str, Reading]]:
    """Cartons and a pallet are packed on pallets, some of it taken back, packed anew or issued; pallets pass doors."""
    at, told = begin, list[tuple[str, Reading]]()
    for _ in range(chance.randint(1, 4)):
        things = chance.sample([*CARTONS, *LABELS[1:]], chance.randint(2, 5))
        codes = ["SY:PACK", chance.choice(LABELS[:2]), *things, *["SY:UNDO"] * chance.choice((0, 0, 0, 1))]
        if chance.random() < 0.25:
            codes = [chance.choice(("SY:ISSUE", "SY:RECEIVE")), "SY:LOC:desk", chance.choice(CARTONS[:3]), "SY:QTY:1"]
        device = chance.choice(("scanner-1", "scanner-1", "scanner-1", "id:hand"))
        for code in codes:
            at += chance.choice((0, 1, 1, 5)) * SECOND
            told.append(("dock-a", Scan(device, from_micros(at), code, "]C1")))
        for tag in chance.sample([*PALLETS, PALLETS[0]], chance.choice((0, 1, 1, 2))):
            way = chance.choice(((3, 1), (1, 3)))
            start = at + chance.choice((-3, 0, 1, 1, 20)) * SECOND
            sightings = [(tag, antenna, start + k * 700_000) for k, antenna in enumerate((way[0], *way, way[1]))]
            if chance.random() < 0.3:
                sightings += [(TAGS[1], antenna, moment + 100_000) for _, antenna, moment in sightings]
            told += [("dock-a", _sighting(chance, "door-1", *each)) for each in sightings]
    return told


def pallet(chance: random.Random, begin: int, door: str = "door-1") -> list[tuple[str, Reading]]:
    """A few tags that pass within seconds, most the same way, some told badly, one perhaps only beside the door."""
    way = chance.choice(((3, 1), (1, 3)))
    told: list[tuple[str, Reading]] = []
    for tag in chance.sample(TAGS, chance.randint(2, 6)):
        first, then = way if chance.random() < 0.75 else (way[1], way[0])
        antennas = chance.choice(([first, first, then, then], [first, first, then, then], [first], [first, then]))
        start = begin + chance.choice((0, 0, 0, 200_000, 700_000, 1_400_000, 3 * SECOND))
        told += [
            ("dock-a", _sighting(chance, door, tag, antenna, start + k * 600_000)) for k, antenna in enumerate(antennas)
        ]
    if chance.random() < 0.3:
        stray = range(chance.randint(-20, -4), 8, 2)
        told += [("dock-a", _sighting(chance, door, TAGS[0], 1, begin + second * SECOND)) for second in stray]
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        at = begin + round(chance.choice((-9, -3.8, -2, 0.9, 1, 2, 3.7, 4, 30)) * SECOND)
        name, on = chance.choice(("photo_eye", "photo_eye", "photo_eye", "other")), chance.random() < 0.8
        told.append(("dock-a", Input(door, from_micros(at), name, on=on)))
    return told


def _sighting(chance: random.Random, door: str, tag: str, antenna: int, at: int) -> Reading:
    moment = from_micros(at + chance.choice((-1, 0, 0, 0, 100_000)))
    return Tag(door, moment, tag, antenna, rssi_dbm=float(chance.randint(-65, -45)), count=chance.randint(1, 4))
