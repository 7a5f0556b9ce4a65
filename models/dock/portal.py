"""A dock door with an inside and an outside row of antennas: the reads of one tag become passes, each with a verdict.

A pass ends after `timeout_us` of silence, in event time. Its state is bounded however long it is, made of integer sums
over the sightings in fold order, so that any split into batches gives the same state, bytes and crossings. Goods
passing through is heard by one row first and by the other later: the rule compares the two rows' RSSI-weighted time
centroids (after Keller, Thiesse and Fleisch, Classification Models for RFID-Based Real-Time Detection of Process Events
in the Supply Chain). What only stands in range or turns back is heard by both at once or by one alone: none.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from models.ids import derived_id

RULE = "portal-1"
EDGE = 32
JUDGED_US = 40_000_000
MS = 1000
FLOOR_CDBM = -8000
MAX_READS = 1000
MIN_READS = 2
THRESHOLD_MS = 500

Direction = Literal["in", "out", "none"]


class Portal(Struct, frozen=True):
    """A door: antenna ports per row, and the silence that ends a pass."""

    door: str
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    timeout_us: int


class Sighting(Struct, frozen=True):
    """Reads of one tag at one antenna in one window; `evidence` is the reading's content hash in hexadecimal."""

    at: int
    first_at: int
    epc: str
    antenna: int
    rssi_cdbm: int | None
    count: int
    evidence: str


class Row(Struct):
    """What one row of antennas heard in a pass: reads, and the sums of weight and weight x time since the start."""

    reads: int = 0
    peak_cdbm: int | None = None
    weight: int = 0
    weight_ms: int = 0


class Pass(Struct):
    """One open pass; `start` is when its first sighting ended, the origin of the sums.

    `head` and `tail` are the first and last content hashes, `chain` a running SHA-256 over all.
    """

    epc: str
    start: int
    first_at: int
    last_at: int
    inside: Row
    outside: Row
    head: list[str]
    tail: list[str]
    evidence_count: int = 0
    chain: bytes = b""


class Crossing(Struct, frozen=True):
    """A pass that ended, and what was made of it. `evidence` holds at most 64 content hashes of `evidence_count`."""

    id: str
    door: str
    epc: str
    first_at: int
    last_at: int
    closed_at: int
    direction: Direction
    score: float
    reasons: list[str]
    rule: str
    evidence: list[str]
    evidence_count: int


def fold(portal: Portal, state: Pass | None, sightings: Sequence[Sighting]) -> tuple[Pass | None, list[Crossing]]:
    """Take in sightings of one tag at this door, in fold order and each once; passes that ended before one are closed.

    The given state is left as it was.
    """
    now = None if state is None else _copy(state)
    crossings: list[Crossing] = []
    for sighting in sightings:
        if now is not None and sighting.at >= now.last_at + portal.timeout_us:
            crossings.append(_close(portal, now))
            now = None
        if now is None:
            now = Pass(sighting.epc, sighting.at, sighting.first_at, sighting.at, Row(), Row(), [], [])
        _add(portal, now, sighting)
    return now, crossings


def due(portal: Portal, state: Pass | None) -> int | None:
    """When the open pass ends if nothing more is heard, or None without one."""
    return None if state is None else state.last_at + portal.timeout_us


def expire(portal: Portal, state: Pass | None, now: int) -> tuple[Pass | None, list[Crossing]]:
    """Close the pass if it is due at or before `now`."""
    if state is None or state.last_at + portal.timeout_us > now:
        return state, []
    return None, [_close(portal, state)]


def _copy(state: Pass) -> Pass:
    return Pass(
        state.epc,
        state.start,
        state.first_at,
        state.last_at,
        Row(*_values(state.inside)),
        Row(*_values(state.outside)),
        list(state.head),
        list(state.tail),
        state.evidence_count,
        state.chain,
    )


def _values(row: Row) -> tuple[int, int | None, int, int]:
    return row.reads, row.peak_cdbm, row.weight, row.weight_ms


def _add(portal: Portal, now: Pass, sighting: Sighting) -> None:
    now.first_at = min(now.first_at, sighting.first_at)
    now.last_at = max(now.last_at, sighting.at)
    now.evidence_count += 1
    now.chain = sha256(now.chain + sighting.evidence.encode()).digest()
    if len(now.head) < EDGE:
        now.head.append(sighting.evidence)
    else:
        now.tail = [*now.tail, sighting.evidence][-EDGE:]
    if sighting.antenna in portal.inside:
        _hear(now.inside, sighting, now)
    elif sighting.antenna in portal.outside:
        _hear(now.outside, sighting, now)


def _hear(row: Row, sighting: Sighting, now: Pass) -> None:
    row.reads += sighting.count
    if sighting.rssi_cdbm is not None:
        row.peak_cdbm = sighting.rssi_cdbm if row.peak_cdbm is None else max(row.peak_cdbm, sighting.rssi_cdbm)
    middle_ms = ((sighting.first_at + sighting.at) // 2 - now.start) // MS
    weight = min(sighting.count, MAX_READS) * _weight(sighting.rssi_cdbm)
    row.weight += weight
    row.weight_ms += weight * middle_ms


def _weight(rssi_cdbm: int | None) -> int:
    return 1 if rssi_cdbm is None else max(1, (rssi_cdbm - FLOOR_CDBM) // 100)


def _close(portal: Portal, state: Pass) -> Crossing:
    direction, score, reasons = judge(state)
    return Crossing(
        id=derived_id(RULE, portal.door, state.epc, state.chain.hex()),
        door=portal.door,
        epc=state.epc,
        first_at=state.first_at,
        last_at=state.last_at,
        closed_at=state.last_at + portal.timeout_us,
        direction=direction,
        score=score,
        reasons=reasons,
        rule=RULE,
        evidence=state.head + state.tail,
        evidence_count=state.evidence_count,
    )


def judge(state: Pass) -> tuple[Direction, float, list[str]]:
    """Direction of a pass, how sure the rule is (0 to 1), and why in words."""
    lasted_us = state.last_at - state.first_at
    if lasted_us > JUDGED_US:
        return "none", 1.0, [f"in range for {lasted_us / 1e6:.0f} s"]
    for row, name, other in ((state.inside, "inside", state.outside), (state.outside, "outside", state.inside)):
        if other.reads < MIN_READS:
            heard = f"{other.reads} reads" if other.reads else "none"
            return "none", 0.8, [f"heard by the {name} row only ({row.reads} reads, other row {heard})"]
    lead_ms = state.inside.weight_ms // state.inside.weight - state.outside.weight_ms // state.outside.weight
    score = round(abs(lead_ms) / (abs(lead_ms) + THRESHOLD_MS), 3)
    if abs(lead_ms) < THRESHOLD_MS:
        return "none", round(1 - score, 3), [f"both rows at the same time (apart {lead_ms / 1000:+.1f} s)"]
    if lead_ms > 0:
        return "in", score, [f"outside row first by {lead_ms / 1000:.1f} s"]
    return "out", score, [f"inside row first by {-lead_ms / 1000:.1f} s"]
