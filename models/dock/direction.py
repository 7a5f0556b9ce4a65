"""The rule that says which way a tag went, from what the two rows of antennas of a door heard of one pass.

Goods that go through are heard by one row first and by the other later, about equally well. What stands in range or
turns back has both rows' centres of time close together; what passes along one side is heard by the far row little. So
every test is a ratio, none a level in dBm: a door with other power or antennas needs no other constants. The centre of
time weighted by RSSI is the attribute that carries most (Keller, Thiesse and Fleisch, Classification Models for
RFID-Based Real-Time Detection of Process Events in the Supply Chain). docs/measured.md has how often it
is right.
"""

from typing import Literal, NamedTuple

from msgspec import Struct

LONGEST_US = 40_000_000
LEAD_SHARE = 0.15
LEAD_MS = 300
READS_SHARE = 0.2
PEAK_CDB = 2000
SLACK_US = 500_000
SECOND = 1_000_000

Direction = Literal["in", "out", "none"]


class Row(Struct):
    """What one row of antennas heard in a pass; times in microseconds, sums of weight x milliseconds since the start.

    `peak_at` is when it heard the tag best, the first time of equals.
    """

    reads: int = 0
    first_at: int = 0
    last_at: int = 0
    peak_cdbm: int | None = None
    peak_at: int = 0
    weight: int = 0
    weight_ms: int = 0


class Verdict(NamedTuple):
    """Direction, how sure one is of it (0 to 1), why in words, and the chances of in, out and none (their sum is 1)."""

    direction: Direction
    score: float
    reasons: list[str]
    chances: tuple[float, float, float]


def verdict(direction: Direction, score: float, reasons: list[str], leading: Direction = "none") -> Verdict:
    """A verdict of a rule: what its score leaves over goes to `leading`, or to both ways through alike."""
    score = round(score, 3)
    rest = round(1 - score, 3)
    if direction == "in":
        return Verdict(direction, score, reasons, (score, 0.0, rest))
    if direction == "out":
        return Verdict(direction, score, reasons, (0.0, score, rest))
    if leading == "none":
        return Verdict(direction, score, reasons, (rest / 2, rest / 2, score))
    return Verdict(direction, score, reasons, (rest, 0.0, score) if leading == "in" else (0.0, rest, score))


def judge(lasted_us: int, inside: Row, outside: Row) -> Verdict:
    """The direction of a pass of `lasted_us`; `none` if it is no way through."""
    if lasted_us > LONGEST_US:
        return verdict("none", 1.0, [f"in range for {lasted_us / SECOND:.0f} s"])
    if not inside.reads and not outside.reads:
        return verdict("none", 1.0, ["heard by neither row"])
    if not inside.reads or not outside.reads:
        reads, name = inside.reads + outside.reads, "inside" if inside.reads else "outside"
        return verdict("none", 1 - 1 / (2 + reads), [f"heard by the {name} row only ({reads} reads)"])
    lead_ms = inside.weight_ms // inside.weight - outside.weight_ms // outside.weight
    first, then = (outside, inside) if lead_ms > 0 else (inside, outside)
    name = "outside" if lead_ms > 0 else "inside"
    leading: Direction = "in" if lead_ms > 0 else "out"
    share = abs(lead_ms) * 1000 / max(lasted_us, SECOND)
    against = _against(first, then, name) + _too_close(abs(lead_ms), share)
    if against:
        return verdict("none", 1 - 0.5 ** (1 + len(against)), against, leading)
    why = f"{name} row first by {abs(lead_ms) / 1000:.1f} s of {lasted_us / SECOND:.1f} s"
    alike = f"rows heard it alike ({inside.reads} reads inside, {outside.reads} outside)"
    return verdict(leading, 1 - 0.5 * LEAD_SHARE / share, [why, alike])


def _too_close(lead_ms: int, share: float) -> list[str]:
    if share >= LEAD_SHARE and lead_ms >= LEAD_MS:
        return []
    return [f"both rows at about the same time ({lead_ms / 1000:.1f} s apart): standing or turning back"]


def _against(first: Row, then: Row, name: str) -> list[str]:
    """What contradicts a way through that the row `name` heard first."""
    reasons: list[str] = []
    few, many = sorted((first.reads, then.reads))
    if few < READS_SHARE * many:
        reasons.append(f"one row heard it much less ({few} reads to {many}): passing along one side")
    if first.peak_cdbm is not None and then.peak_cdbm is not None:
        if abs(first.peak_cdbm - then.peak_cdbm) > PEAK_CDB:
            reasons.append(f"one row heard it {abs(first.peak_cdbm - then.peak_cdbm) / 100:.0f} dB weaker")
        if then.peak_at < first.peak_at:
            reasons.append(f"{name} row first, but strongest there last")
    if then.first_at < first.first_at - SLACK_US or then.last_at < first.last_at - SLACK_US:
        reasons.append(f"{name} row first, but also heard it last: turning back")
    return reasons
