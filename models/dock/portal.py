"""A dock door with an inside and an outside row of antennas: the reads of one tag become passes, each with a verdict.

A pass ends after `timeout_us` of silence, in event time; models.dock.direction judges it. Its state is bounded however
long it is, and made of integer sums over the sightings in fold order: any split into batches gives the same state, the
same bytes and the same crossings.
"""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct, field
from msgspec.structs import replace

from models.dock.course import Course, Read, copy, hear
from models.dock.direction import LONGEST_US, Direction, Row, Verdict, judge
from models.dock.features import Figures, Span, features
from models.dock.learned import PassModel
from models.ids import derived_id

RULE = "portal-1"
EDGE = 32
MS = 1000
FLOOR_CDBM = -8000
MAX_READS = 1000
MEASURED_MS = 3_600_000
"""Times further from a pass's start than that are left out of the sums: its length alone decides then."""


class Portal(Struct, frozen=True):
    """A door: antenna ports per row, and the silence that ends a pass.

    The antennas of a row are named in the order in which they hang along the wall, the same in both rows.
    """

    door: str
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    timeout_us: int
    model: PassModel | None = None
    """Decides instead of the rule where both rows have antennas."""


class Sighting(Struct, frozen=True):
    """Reads of one tag at one antenna in one window; `evidence` is the reading's content hash in hexadecimal.

    `shift_chz` is the Doppler shift of the strongest in hundredths of a hertz, positive if the tag comes nearer.
    """

    at: int
    first_at: int
    epc: str
    antenna: int
    rssi_cdbm: int | None
    count: int
    evidence: str
    shift_chz: int | None = None


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
    course: Course = field(default_factory=Course)


class Crossing(Struct, frozen=True):
    """A pass that ended, and what was made of it. `evidence` holds at most 64 content hashes of `evidence_count`.

    `chances` are those of in, out and none, `stray` is that of none: goods that only stood, turned or passed in range.
    `middle_at` is the centre of the reads weighted by strength, in microseconds. `rule` names the rule, or the model.
    """

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
    chances: tuple[float, float, float]
    stray: float
    middle_at: int


def fold(portal: Portal, state: Pass | None, sightings: Sequence[Sighting]) -> tuple[Pass | None, list[Crossing]]:
    """Take in sightings of one tag at this door, in fold order and each once; passes that ended before one are closed.

    The given state is left as it was.
    """
    *ended, now = _passes(portal, state, sightings)
    return now, [_close(portal, each) for each in ended if each is not None]


def passes(portal: Portal, sightings: Sequence[Sighting]) -> list[Pass]:
    """The passes of one tag as they stand when each is closed, the last one too: what a model learns from."""
    return [each for each in _passes(portal, None, sightings) if each is not None]


def figures(state: Pass) -> Figures:
    """What a model looks at."""
    span = Span(state.start, state.first_at, state.last_at)
    return features(span, (state.inside, state.outside), state.course)


def _passes(portal: Portal, state: Pass | None, sightings: Sequence[Sighting]) -> list[Pass | None]:
    """Those that ended, and the open one."""
    now = None if state is None else _copy(state)
    found: list[Pass | None] = []
    for sighting in sightings:
        if now is not None and sighting.at >= now.last_at + portal.timeout_us:
            found.append(now)
            now = None
        if now is None:
            now = Pass(sighting.epc, sighting.at, sighting.first_at, sighting.at, Row(), Row(), [], [])
        _add(portal, now, sighting)
    return [*found, now]


def due(portal: Portal, state: Pass | None) -> int | None:
    """When the open pass ends if nothing more is heard, or None without one."""
    return None if state is None else state.last_at + portal.timeout_us


def expire(portal: Portal, state: Pass | None, now: int) -> tuple[Pass | None, list[Crossing]]:
    """Close the pass if it is due at or before `now`."""
    if state is None or state.last_at + portal.timeout_us > now:
        return state, []
    return None, [_close(portal, state)]


def _copy(state: Pass) -> Pass:
    return replace(
        state,
        inside=replace(state.inside),
        outside=replace(state.outside),
        head=list(state.head),
        tail=list(state.tail),
        course=copy(state.course),
    )


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
        _hear(portal.inside, now.inside, sighting, now)
    elif sighting.antenna in portal.outside:
        _hear(portal.outside, now.outside, sighting, now)


def _hear(ports: tuple[int, ...], row: Row, sighting: Sighting, now: Pass) -> None:
    row.first_at = min(row.first_at, sighting.first_at) if row.reads else sighting.first_at
    row.last_at = max(row.last_at, sighting.at)
    row.reads += sighting.count
    middle = (sighting.first_at + sighting.at) // 2
    rssi = sighting.rssi_cdbm
    if rssi is not None and (row.peak_cdbm is None or rssi > row.peak_cdbm):
        row.peak_cdbm, row.peak_at = rssi, middle
    weight = min(sighting.count, MAX_READS) * (1 if rssi is None else max(1, (rssi - FLOOR_CDBM) // 100))
    after_ms = (middle - now.start) // MS
    if -MEASURED_MS <= after_ms <= MEASURED_MS:
        row.weight += weight
        row.weight_ms += weight * after_ms
        port = ports.index(sighting.antenna)
        hear(now.course, Read(row is now.inside, port, after_ms, rssi, sighting.count, sighting.shift_chz))


def _close(portal: Portal, state: Pass) -> Crossing:
    verdict, rule = _judge(portal, state)
    return Crossing(
        id=derived_id(RULE, portal.door, state.epc, state.chain.hex()),
        door=portal.door,
        epc=state.epc,
        first_at=state.first_at,
        last_at=state.last_at,
        closed_at=state.last_at + portal.timeout_us,
        direction=verdict.direction,
        score=verdict.score,
        reasons=verdict.reasons,
        rule=rule,
        evidence=state.head + state.tail,
        evidence_count=state.evidence_count,
        chances=verdict.chances,
        stray=verdict.chances[2],
        middle_at=_middle(state),
    )


def judged(portal: Portal, state: Pass) -> Verdict:
    """The verdict of a pass as if it ended now."""
    return _judge(portal, state)[0]


def _judge(portal: Portal, state: Pass) -> tuple[Verdict, str]:
    """The verdict, and who gave it: the rule where there is no model, and where it needs no figures to be sure."""
    lasted_us, heard = state.last_at - state.first_at, state.inside.reads + state.outside.reads
    if portal.model is None or not (portal.inside and portal.outside and heard) or lasted_us > LONGEST_US:
        return judge(lasted_us, state.inside, state.outside), RULE
    return portal.model.judge(figures(state)), portal.model.name


def _middle(state: Pass) -> int:
    weight = state.inside.weight + state.outside.weight
    if not weight:
        return (state.first_at + state.last_at) // 2
    middle_at = state.start + (state.inside.weight_ms + state.outside.weight_ms) * MS // weight
    return min(max(middle_at, state.first_at), state.last_at)
