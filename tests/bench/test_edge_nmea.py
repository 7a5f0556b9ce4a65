"""NMEA sentences read, beside pynmea2 on the same ones in the same process, by turns; the median of seven counts.

All fields of RMC and GGA are used, and the checksum is checked by both. Ours checks every field too, which pynmea2
leaves to whoever reads it.
"""

from datetime import UTC, datetime, timedelta
from statistics import median
from time import thread_time
from typing import Any

import pynmea2

from edge.drivers.nmea_sentence import parse
from simulators.devices.nmea_codec import Position, burst

TIMES, ROUNDS, LEAST = 2_000, 7, 3.0
START = datetime(2026, 11, 26, 8, tzinfo=UTC)


def sentences() -> list[str]:
    """RMC and GGA of a receiver that moves, ten a second."""
    found: list[str] = []
    for n in range(TIMES):
        position = Position(
            START + timedelta(milliseconds=100 * n),
            has_fix=True,
            lat=51.06 + n * 1.3e-6,
            lon=-3.73 - n * 1.7e-6,
            altitude_m=8.0 + n % 7,
            speed_kmh=n % 60 + 0.5,
            course_deg=n % 360,
            satellites=n % 12 + 4,
            hdop=1.1,
        )
        found += [each.strip() for each in burst(position) if each[3:6] in {"RMC", "GGA"}]
    return found


def theirs(text: str) -> None:
    said = pynmea2.parse(text, check=True)
    if said.sentence_type == "RMC":
        _ = said.latitude, said.longitude, said.datetime, said.status, said.spd_over_grnd, said.true_course
    else:
        _ = said.latitude, said.longitude, said.timestamp, said.gps_qual
        _ = said.num_sats, said.horizontal_dil, said.altitude


def test_sentences(measure: Any) -> None:
    texts = sentences()
    lines = [each.encode("ascii") for each in texts]
    ratios, rates = [], []
    for _ in range(ROUNDS):
        begin = thread_time()
        for line in lines:
            parse(line)
        between = thread_time()
        for text in texts:
            theirs(text)
        end = thread_time()
        ratios.append((end - between) / (between - begin))
        rates.append(len(lines) / (between - begin))
    row = {"group": "edge", "check": "NMEA sentences", "unit": "sentences/s", "value": median(rates)}
    row |= {"peer": "pynmea2 1.19.0", "peer_value": median(rates) / median(ratios), "bound": f">= {LEAST} x peer"}
    print(f"\n{row['check']}: {median(ratios):.1f} x", end="")
    measure(row, ok=median(ratios) >= LEAST)
