"""Our sentences against pynmea2's, which parses as leniently as we do strictly: on good sentences they agree."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pynmea2
import pytest

from edge.drivers.nmea_sentence import KMH_MPS, KNOT_MPS, Said, parse
from simulators.devices.nmea_codec import sentence


def place(chance: random.Random) -> str:
    digits = chance.randint(1, 7)
    lat = f"{chance.randrange(90):02}{chance.uniform(0, 59.9):0{3 + digits}.{digits}f},{chance.choice('NS')}"
    return f"{lat},{chance.randrange(180):03}{chance.uniform(0, 59.9):0{3 + digits}.{digits}f},{chance.choice('EW')}"


def body(kind: str, at: datetime, chance: random.Random) -> str:
    clock = f"{at:%H%M%S}" + chance.choice(("", f".{at.microsecond // 10_000:02}", f".{at.microsecond // 1000:03}"))
    speed, course = (
        chance.choice(("", f"{chance.uniform(0, 99):.2f}")),
        chance.choice(("", f"{chance.uniform(0, 360):.1f}")),
    )
    quality = f"{chance.randint(0, 5)},{chance.randint(0, 20):02},1.{chance.randrange(9)}"
    return {
        "RMC": f"{clock},{chance.choice('AV')},{place(chance)},{speed},{course},{at:%d%m%y},1.1,W,A",
        "GGA": f"{clock},{place(chance)},{quality},{chance.uniform(-400, 8000):.1f},M,4,M,,",
        "GLL": f"{place(chance)},{clock},{chance.choice('AV')},A",
        "VTG": f"{course},T,,M,{speed},N,{speed},K,A",
        "ZDA": f"{clock},{at:%d,%m,%Y},00,00",
    }[kind]


def same(ours: Said, theirs: Any) -> None:
    if ours.kind in {"RMC", "GGA", "GLL"}:
        assert ours.lat == pytest.approx(theirs.latitude, abs=1e-9)
        assert ours.lon == pytest.approx(theirs.longitude, abs=1e-9)
    if ours.kind in {"RMC", "GGA", "GLL", "ZDA"}:
        clock = theirs.timestamp
        us = ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond
        assert ours.time_us == us
    if ours.kind == "RMC":
        assert (ours.valid, ours.day, ours.course_deg) == (theirs.status == "A", theirs.datestamp, theirs.true_course)
        assert ours.speed_mps == (None if theirs.spd_over_grnd is None else theirs.spd_over_grnd * KNOT_MPS)
    elif ours.kind == "GGA":
        assert (ours.valid, ours.satellites) == (theirs.gps_qual > 0, int(theirs.num_sats))
        assert (ours.hdop, ours.altitude_m) == (float(theirs.horizontal_dil), theirs.altitude)
    elif ours.kind == "VTG":
        assert ours.course_deg == (None if theirs.true_track is None else float(theirs.true_track))
        kmh = theirs.spd_over_grnd_kmph
        assert ours.speed_mps == (None if kmh is None else pytest.approx(float(kmh) * KMH_MPS))
    elif ours.kind == "ZDA":
        assert ours.day == theirs.datestamp


@pytest.mark.parametrize("kind", ["RMC", "GGA", "GLL", "VTG", "ZDA"])
def test_good_sentences_say_the_same(kind: str) -> None:
    chance = random.Random(kind)
    for _ in range(1000):
        at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=chance.randrange(2_100_000_000_000))
        text = sentence(f"{chance.choice(('GP', 'GN', 'GL', 'BD'))}{kind},{body(kind, at, chance)}").strip()
        ours = parse(text.encode())
        assert ours is not None
        same(ours, pynmea2.parse(text, check=True))
