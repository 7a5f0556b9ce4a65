"""Who has an asset: a chain of hand-overs that is only ever appended, each entry hashed with the one before it.

At most one person or party has an asset at a time. What does not fit (somebody gives what another had, it is taken out
elsewhere than it was brought back) is recorded as it was said, and shown as a gap: who knows what happened can say so.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from models.chain import GENESIS
from models.errors import Clash, Refused

What = Literal["check_out", "check_in", "hand_over"]


class Entry(Struct, frozen=True, kw_only=True):
    """One entry of an asset's chain. `at` is when it happened, microseconds UTC; `place` is `location:ID` or `zone:ID`.

    `holder` has it afterwards, `giver` gave it, if that was said; `due_at` is when it is to be back. `signed` is how
    the holder confirmed it: a name, a badge, a key of a signature. `evidence` names readings, photos, papers.
    """

    id: str
    asset: str
    what: What
    at: int
    holder: str | None = None
    giver: str | None = None
    place: str | None = None
    why: str | None = None
    project: str | None = None
    due_at: int | None = None
    signed: str | None = None
    evidence: tuple[str, ...] = ()
    booking: str | None = None


class Holder(Struct, frozen=True):
    """Who has an asset, since when, until when it is due back, and by which entry."""

    holder: str
    since: int
    due_at: int | None
    entry: str
    place: str | None


class Gap(NamedTuple):
    """Something that the chain does not explain, at the entry where it shows."""

    at: int
    entry: str
    what: Literal["unknown_giver", "moved"]
    words: str


class Recorded(NamedTuple):
    """An entry as recorded: its number in the asset's chain from 1, who recorded it when, and the hash of the chain."""

    n: int
    actor: str
    recorded_at: int
    entry: Entry
    hash: bytes


def take(now: Holder | None, last_at: int | None, entry: Entry) -> Holder | None:
    """Who has the asset after an entry. `last_at` is when the one before it happened.

    Raises Refused for an entry that cannot be, Clash where somebody else has the asset, or nobody has it.
    """
    if last_at is not None and entry.at < last_at:
        msg = "at: not before the asset's last hand-over expected"
        raise Refused(msg)
    if entry.what == "check_in":
        if now is None:
            msg = f"asset {entry.asset}: checked out expected, nobody has it"
            raise Clash(msg)
        if entry.holder is not None or entry.due_at is not None:
            msg = "holder, due_at: nothing expected of a check-in"
            raise Refused(msg)
        return None
    if not entry.holder:
        msg = "holder: who has it from then on expected"
        raise Refused(msg)
    if entry.due_at is not None and entry.due_at <= entry.at:
        msg = "due_at: a time after `at` expected"
        raise Refused(msg)
    _check_given(now, entry)
    return Holder(entry.holder, entry.at, entry.due_at, entry.id, entry.place)


def _check_given(now: Holder | None, entry: Entry) -> None:
    if entry.what == "check_out" and now is not None:
        msg = f"asset {entry.asset}: checked in expected, {now.holder} has it"
        raise Clash(msg)
    if entry.what == "hand_over" and now is None:
        msg = f"asset {entry.asset}: checked out expected, nobody has it"
        raise Clash(msg)
    if now is not None and now.holder == entry.holder:
        msg = f"holder: another than {now.holder} expected, who has it"
        raise Clash(msg)


def holder(entries: Iterable[Entry], at: int) -> Holder | None:
    """Who had the asset at a time; `entries` are the chain, in its order."""
    now: Holder | None = None
    last_at: int | None = None
    for entry in entries:
        if entry.at > at:
            break
        now, last_at = take(now, last_at, entry), entry.at
    return now


def gaps(entries: Iterable[Entry]) -> list[Gap]:
    """What a chain, in its order, does not explain."""
    found: list[Gap] = []
    now: str | None = None
    place: str | None = None
    for entry in entries:
        if entry.giver is not None and now is not None and entry.giver != now:
            words = f"{entry.giver} gave it, {now} had it"
            found.append(Gap(entry.at, entry.id, "unknown_giver", words))
        if entry.what == "check_out" and place is not None and entry.place not in {None, place}:
            words = f"taken out at {entry.place}, brought back to {place}: who moved it is not known"
            found.append(Gap(entry.at, entry.id, "moved", words))
        now, place = entry.holder, entry.place if entry.what == "check_in" else None
    return found


def entry_hash(previous: bytes, n: int, actor: str, recorded_at: int, entry: Entry) -> bytes:
    """32 bytes: SHA-256 of the hash before (GENESIS before the first) and the entry with its number, actor and time."""
    fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if value is not None}
    whole = fields | {"n": n, "actor": actor, "recorded_at": recorded_at}
    return sha256(previous + msgspec.json.encode(whole, order="deterministic")).digest()


def first_broken(chain: Iterable[Recorded]) -> int | None:
    """The number of the first entry of an asset whose number or hash does not follow from the one before, or None."""
    previous, n = GENESIS, 1
    for each in chain:
        if each.n != n or entry_hash(previous, n, each.actor, each.recorded_at, each.entry) != each.hash:
            return n
        previous, n = each.hash, n + 1
    return None
