"""The register: what people and systems declared, dated. Every entry holds from its `valid_from` until the next one.

The bodies are in `models.declared`. A change never overwrites: it is a further dated entry.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from models.declared import TagBinding

METER_NOTES = "meter_notes"
"""Entries of what people say of the counters of an asset, by its id: every one holds, none replaces another."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated declaration; `n` is its place in the append-only log and breaks ties of `valid_from`."""

    kind: str
    id: str
    valid_from: int
    n: int
    body: Struct
    recorded_at: int = 0


def _standing(dated: Iterable[Entry]) -> list[Entry]:
    """A tag's entries without the moments whose last entry is withdrawn."""
    last = {entry.valid_from: entry for entry in dated}
    return [
        entry for entry in last.values() if not (isinstance(entry.body, TagBinding) and entry.body.thing == "before")
    ]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Register:
    """All entries, to be asked as of a time (microseconds). Built once per change; read-only in use, hence hashable."""

    entries: dict[tuple[str, str], list[Entry]] = field(default_factory=dict[tuple[str, str], list[Entry]])
    times: list[int] = field(default_factory=list[int])

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Register":
        """The register of these entries, in any order."""
        register = cls()
        for entry in sorted(entries, key=lambda e: (e.valid_from, e.n)):
            register.entries.setdefault((entry.kind, entry.id), []).append(entry)
        times: set[int] = set()
        for (kind, ident), dated in [*register.entries.items()]:
            if kind == METER_NOTES:
                continue
            if kind == "tags":
                register.entries[kind, ident] = _standing(dated)
            else:
                times.update(entry.valid_from for entry in dated)
        register.times = sorted(times)
        return register

    def period(self, at: int) -> int:
        """The start of the span, around `at`, in which nothing but tags and meters change; 0 before the first entry.

        There are many tags, each for itself: ask for one by its EPC.
        """
        found = bisect_right(self.times, at)
        return self.times[found - 1] if found else 0

    def get(self, kind: str, ident: str, at: int) -> Struct | None:
        """The body that held at a time, or None before the first."""
        dated = self.entries.get((kind, ident), [])
        found = bisect_right(dated, at, key=lambda e: e.valid_from)
        return dated[found - 1].body if found else None

    def all(self, kind: str, at: int) -> dict[str, Struct]:
        """Every body of a kind that held at a time, by id, in id order."""
        found = {ident: self.get(k, ident, at) for k, ident in sorted(self.entries) if k == kind}
        return {ident: body for ident, body in found.items() if body is not None}

    def begun(self, kind: str, ident: str) -> int | None:
        """When something was first declared: not before it was written down, whatever day it was dated from."""
        dated = self.entries.get((kind, ident), [])
        if not dated:
            return None
        return max(dated[0].valid_from, min(dated, key=lambda entry: entry.n).recorded_at)

    def changes(self, kind: str, ident: str) -> list[int]:
        """The times from which another body holds."""
        return [entry.valid_from for entry in self.entries.get((kind, ident), [])]
