"""What speaks for a learned decision, in words: one sentence for each topic that a feature can be about."""

from models.dock.course import FLOOR_CDBM
from models.dock.features import NAMES, WHOLE, Figures

TOPICS: tuple[str, ...] = ("order", "balance", "strength", "shape", "stay", "antennas", "shift")
STEADY = 100
"""Centi-decibels a second; below, a strength neither rises nor falls."""


def told(figures: Figures) -> dict[str, str]:
    """The sentence of each topic."""
    of = dict(zip(NAMES, figures.values, strict=True))
    first, then = ("inside", "outside") if figures.inside_first else ("outside", "inside")
    dwell_s = of["dwell"] / 1000
    if not of["then_reads"]:
        order = f"heard by the {first} row only"
        strength = f"strongest {_dbm(of['first_peak'])}"
        shape = f"{first} row {_trend(of['first_trend'])}"
    else:
        order = f"{first} row first by {of['sharp_ms'] / 1000:.1f} s of {dwell_s:.1f} s"
        strength = f"strongest {_dbm(of['first_peak'])} {first}, {_dbm(of['then_peak'])} {then}"
        shape = f"{first} row {_trend(of['first_trend'])}, {then} row {_trend(of['then_trend'])}"
    along_s = of["ports_along"] * dwell_s / WHOLE
    return {
        "order": order,
        "balance": f"{of['first_reads']} reads {first}, {of['then_reads']} {then}",
        "strength": strength,
        "shape": shape,
        "stay": f"in range for {dwell_s:.1f} s, heard in {of['events']} stretches of it",
        "antennas": f"antennas that heard it: {of['ports']}, those along the wall {along_s:.1f} s apart",
        "shift": _shift(of, first, then),
    }


def _shift(of: dict[str, int], first: str, then: str) -> str:
    if not of["shifts"]:
        return "no Doppler shift told"
    return f"Doppler shift {of['first_shift_mean'] / 100:+.1f} Hz {first}, {of['then_shift_mean'] / 100:+.1f} Hz {then}"


def _dbm(strength: int) -> str:
    return f"{(strength + FLOOR_CDBM) / 100:.0f} dBm"


def _trend(trend: int) -> str:
    if abs(trend) < STEADY:
        return "steady"
    return f"{'louder' if trend > 0 else 'fainter'} by {abs(trend) / 100:.0f} dB a second"
