"""What a maintenance calendar tells others: an entry for each service or order to come, whose id stays the same.

A subscriber sees that an entry changed by its sequence, which rises with every change and with nothing else (RFC 5545,
3.8.7.4); what is withdrawn stays for a while as cancelled, what is done is left out.
"""

from collections.abc import Collection, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

KEPT_US = 30 * 86_400_000_000
"""For so long what was withdrawn is told."""


class Entry(Struct, frozen=True):
    """One entry; both days are included. `sequence` says how often it changed, `changed_at` when, in microseconds."""

    uid: str
    asset: str
    plan: str | None
    occurrence: int | None
    team: str | None
    begin: date
    end: date
    title: str
    text: str
    is_cancelled: bool = False
    sequence: int = 0
    changed_at: int = 0


class Changes(Struct, frozen=True):
    """What became of the entries of some assets: these are as they are now, those are gone."""

    saved: tuple[Entry, ...]
    gone: tuple[str, ...]


def changes(
    present: Collection[Entry], held: Mapping[str, Entry], done: Mapping[tuple[str, str], int], now: int
) -> Changes:
    """What differs between what is planned now and what was told of the same assets.

    `done`: how many services of a plan were done, by (asset, plan): an occurrence that was is no longer planned.
    """
    planned = {entry.uid: entry for entry in present}
    saved = [_told(entry, held.get(entry.uid), now) for entry in planned.values()]
    gone: list[str] = []
    for uid, was in held.items():
        if uid in planned:
            continue
        if _is_done(was, done) or (was.is_cancelled and now - was.changed_at > KEPT_US):
            gone.append(uid)
        elif not was.is_cancelled:
            saved.append(replace(was, is_cancelled=True, sequence=was.sequence + 1, changed_at=now))
    return Changes(tuple(entry for entry in saved if entry != held.get(entry.uid)), tuple(gone))


def _told(entry: Entry, was: Entry | None, now: int) -> Entry:
    if was is None:
        return replace(entry, changed_at=now)
    same = replace(entry, sequence=was.sequence, changed_at=was.changed_at)
    return was if same == was else replace(entry, sequence=was.sequence + 1, changed_at=now)


def _is_done(entry: Entry, done: Mapping[tuple[str, str], int]) -> bool:
    if entry.plan is None or entry.occurrence is None:
        return False
    return entry.occurrence <= done.get((entry.asset, entry.plan), 0)
