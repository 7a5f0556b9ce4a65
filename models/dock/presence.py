"""Presence: which place a tag is at, told by readers without a direction (shelves, tool cribs, gates), as a pure fold.

A place is an antenna of a reader, or several that share a name. A tag arrives, moves when another place hears it so
much better that the difference is no fading, and departs after a silence. The rule for a move is the mobility profile
that EdgeX Foundry's app-rfid-llrp-inventory publishes: the mean RSSI of the last reads there must exceed that here by
an offset that shrinks while the tag is silent here. Integers only, in centi-dB and microseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from models.ids import derived_id

RULE = "presence-1"
KEPT = 20
LEAST = 2
"""A place needs that many reads before a tag moves there."""
PLACES = 32
"""Of more places than that, the one where a tag was not heard for longest is no longer compared."""
MS = 1000
SECOND = 1_000_000
What = Literal["arrive", "move", "depart"]


class Mobility(Struct, frozen=True):
    """How much better another place must hear a tag: `threshold_cdb` at first, less from `holdoff_ms` of silence on."""

    threshold_cdb: int = 600
    slope_mdb: int = -8
    """Thousandths of a dB per millisecond of silence."""
    holdoff_ms: int = 500

    def offset_mdb(self, silent_us: int) -> int:
        """min(threshold, slope x (silence - holdoff) + threshold), in thousandths of a dB."""
        threshold = self.threshold_cdb * 10
        return min(threshold, self.slope_mdb * (silent_us // MS - self.holdoff_ms) + threshold)


class Points(Struct, frozen=True):
    """Antennas of readers and the places they look at; two with one name are one place."""

    places: Mapping[tuple[str, int], str] = {}
    depart_us: int = 600 * SECOND
    forget_us: int = 336 * 3600 * SECOND
    """After a departure; a departed tag that is heard again arrives anew."""
    mobility: Mobility = Mobility()
    name: str = ""
    """Whose presence this is: ids are of it."""

    def place(self, reader: str, antenna: int) -> str:
        """The place's name; an antenna without one is a place of its own."""
        return self.places.get((reader, antenna), f"{reader}/{antenna}")


class Read(Struct, frozen=True):
    """A tag heard at an antenna; `evidence` is the reading's content hash in hexadecimal."""

    at: int
    epc: str
    reader: str
    antenna: int
    rssi_cdbm: int | None
    evidence: str


class Heard(Struct):
    """The last RSSI values of a tag at one place, oldest first, and when it was last heard there."""

    last_at: int
    rssi_cdbm: list[int] = []


class Presence(Struct):
    """Where a tag is, or was until it departed."""

    epc: str
    place: str
    last_at: int
    heard: dict[str, Heard]
    evidence: str
    """Of the last read."""
    departed_at: int | None = None


class Seen(Struct, frozen=True):
    """A tag arrived at `place`, moved there from `was`, or departed from it, at `at` microseconds."""

    id: str
    what: What
    epc: str
    place: str
    was: str | None
    at: int
    evidence: list[str]


def fold(points: Points, state: Presence | None, reads: Sequence[Read]) -> tuple[Presence | None, list[Seen]]:
    """Take in reads of one tag, in fold order and each once. The given state is left as it was."""
    now = None if state is None else _copy(state)
    seen: list[Seen] = []
    for read in reads:
        now, ended = expire(points, now, read.at)
        seen += ended
        place = points.place(read.reader, read.antenna)
        if now is None or now.departed_at is not None:
            now = Presence(read.epc, place, read.at, {}, read.evidence)
            seen.append(_seen(points, "arrive", now, (None, read.at)))
        _hear(now, place, read)
        if place != now.place and _moves(points.mobility, now, place, read.at):
            was, now.place = now.place, place
            seen.append(_seen(points, "move", now, (was, read.at)))
    return now, seen


def due(points: Points, state: Presence | None) -> int | None:
    """When the tag departs or is forgotten if nothing more is heard; None without one."""
    if state is None:
        return None
    return state.last_at + points.depart_us if state.departed_at is None else state.departed_at + points.forget_us


def expire(points: Points, state: Presence | None, now: int) -> tuple[Presence | None, list[Seen]]:
    """Let time pass up to and with `now`: what is silent departs, what departed long ago is forgotten."""
    seen: list[Seen] = []
    if state is not None and state.departed_at is None and state.last_at + points.depart_us <= now:
        at = state.last_at + points.depart_us
        seen.append(_seen(points, "depart", state, (None, at)))
        state = replace(state, departed_at=at, heard={})
    if state is not None and state.departed_at is not None and state.departed_at + points.forget_us <= now:
        state = None
    return state, seen


def _copy(state: Presence) -> Presence:
    heard = {place: replace(each, rssi_cdbm=list(each.rssi_cdbm)) for place, each in state.heard.items()}
    return replace(state, heard=heard)


def _hear(now: Presence, place: str, read: Read) -> None:
    """A late read counts where it was heard, and moves no clock back."""
    now.last_at = max(now.last_at, read.at)
    now.evidence = read.evidence
    heard = now.heard.setdefault(place, Heard(read.at))
    heard.last_at = max(heard.last_at, read.at)
    if read.rssi_cdbm is not None:
        heard.rssi_cdbm = [*heard.rssi_cdbm, read.rssi_cdbm][-KEPT:]
    if len(now.heard) > PLACES:
        others = (name for name in now.heard if name not in (now.place, place))
        del now.heard[min(others, key=lambda name: (now.heard[name].last_at, name))]


def _moves(mobility: Mobility, now: Presence, place: str, at: int) -> bool:
    here, there = now.heard.get(now.place), now.heard[place]
    offset = mobility.offset_mdb(at - here.last_at if here is not None else 0)
    if here is None or not here.rssi_cdbm or not there.rssi_cdbm:
        return offset <= 0
    if len(there.rssi_cdbm) < LEAST:
        return False
    ours, theirs = len(here.rssi_cdbm), len(there.rssi_cdbm)
    better = 10 * (sum(there.rssi_cdbm) * ours - sum(here.rssi_cdbm) * theirs)
    return better > offset * ours * theirs


def _seen(points: Points, what: What, state: Presence, since: tuple[str | None, int]) -> Seen:
    was, at = since
    ident = derived_id(RULE, points.name, state.epc, what, state.place, was or "", str(at), state.evidence)
    return Seen(ident, what, state.epc, state.place, was, at, [state.evidence])
