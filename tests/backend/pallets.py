"""Scenes of stories: tags that pass a door together and so vote, and a photo-eye that says whether any went through."""

import random

from models import epc
from models.reading import Input, Reading, Tag, from_micros

SECOND = 1_000_000
TAGS = [epc.encode(f"urn:epc:id:sgtin:9521321.100010.{serial}") for serial in range(70, 77)]


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
