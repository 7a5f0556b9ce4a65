"""Outbox and journal hold the same readings, each once: the sets of (gateway, epoch, seq), and their content."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from models.reading import Scan, Tag, micros
from models.wire import content_hash, decode
from simulators.answers import Entry, Gap, Quarantined, System
from simulators.checks.found import Found
from simulators.outbox import Kept, read

CONFLICT = "conflict"
TRACKER = "imei:"
TOLD = {"fix", "input", "meter", "signal"}
"""What a tracker's record is made of: one fix, and others of the same time."""


@dataclass(frozen=True, slots=True)
class HeardScan:
    """A scan in the journal."""

    device: str
    data: str
    at_us: int
    hash: str


@dataclass(slots=True)
class Heard:
    """What the journal holds that the truth can be compared with.

    Scans, when each tag was seen at each door, and what each tracker said, by IMEI: how often its fix of a time is
    there, and the times of all that it said.
    """

    scans: list[HeardScan] = field(default_factory=list[HeardScan])
    sightings: dict[tuple[str, str], list[int]] = field(default_factory=dict[tuple[str, str], list[int]])

    fixes: dict[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])
    trackers: dict[str, set[int]] = field(default_factory=dict[str, set[int]])

    def take(self, entry: Entry) -> None:
        """Remember a scan, a sighting or what a tracker said."""
        if entry.kind in TOLD and entry.device.startswith(TRACKER):
            imei, at_us = entry.device.removeprefix(TRACKER), micros(entry.at)
            self.trackers.setdefault(imei, set()).add(at_us)
            if entry.kind == "fix":
                self.fixes.setdefault(imei, Counter())[at_us] += 1
        if entry.kind not in {"scan", "tag"}:
            return
        reading = decode(bytes(entry.reading))
        if isinstance(reading, Scan):
            at_us, seen = micros(reading.at), content_hash(reading).hex()
            self.scans.append(HeardScan(reading.device, reading.data, at_us, seen))
        elif isinstance(reading, Tag):
            self.sightings.setdefault((reading.device, reading.epc), []).append(micros(reading.at))


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands for readings of one epoch outside the journal."""

    gaps: list[Gap]
    quarantined: list[Quarantined]

    def counts(self, last: int) -> Counter[int]:
        """How often each seq up to `last` is covered."""
        counted: Counter[int] = Counter()
        for gap in self.gaps:
            counted.update(range(gap.from_seq, min(gap.to_seq, last) + 1))
        counted.update(
            one.seq for one in self.quarantined if one.seq is not None and one.seq <= last and one.sort != CONFLICT
        )
        return counted


def check(system: System, outboxes: list[Kept]) -> tuple[Found, Heard]:
    """Compare every epoch of the outboxes with the journal, and read the rest of the journal too."""
    found, heard = Found("outbox = journal, each reading once"), Heard()
    kept = {epoch: outbox for outbox in outboxes for epoch in outbox.next_seq}
    gaps, quarantine = system.gaps(), system.quarantine()
    found.listed += [f"gap {one.epoch} {one.from_seq}..{one.to_seq}: {one.reason}" for one in gaps]
    found.listed += [f"quarantined {one.epoch} {one.seq}: {one.reason}" for one in quarantine]
    totals: Counter[str] = Counter()
    for gateway in system.gateways():
        for stream in gateway.streams:
            beside = Beside(
                [one for one in gaps if one.epoch == stream.epoch],
                [one for one in quarantine if one.epoch == stream.epoch],
            )
            outbox = kept.pop(stream.epoch, None)
            last = outbox.next_seq[stream.epoch] - 1 if outbox else stream.committed
            rows = outbox.rows(stream.epoch) if outbox else ()
            entries = _Noted(system.journal(gateway.name, stream.epoch), heard, totals)
            name = f"{gateway.name} {stream.epoch}"
            found.differences += compare(name, last, rows, entries, beside)
            if outbox and entries.highest >= (now := read(outbox.path).next_seq[stream.epoch]):
                found.differences.append(f"{name} {entries.highest}: in the journal, but the outbox ends at {now - 1}")
            totals["epochs"] += 1
            totals["numbers"] += last
            totals["not in the outboxes given"] += 0 if outbox else 1
    found.differences += [
        f"{epoch}: {outbox.next_seq[epoch] - 1} readings in {outbox.path.name}, nothing in the journal"
        for epoch, outbox in kept.items()
        if outbox.next_seq[epoch] > 1
    ]
    found.figures = dict(totals)
    return found, heard


class _Noted:
    """Entries as they are read, counted and remembered on the way."""

    def __init__(self, entries: Iterable[Entry], heard: Heard, totals: Counter[str]) -> None:
        self.highest = 0
        self._entries, self._heard, self._totals = entries, heard, totals

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self._totals["journal"] += 1
            self._heard.take(entry)
            self.highest = max(self.highest, entry.seq)
            yield entry


def compare(
    name: str, last: int, rows: Iterable[tuple[int, bytes]], entries: Iterable[Entry], beside: Beside
) -> list[str]:
    """Differences of one epoch for seq 1 ... `last`: lost, doubled, of other content.

    Without rows (no outbox given) only the journal's own sequence is judged.
    """
    counted = beside.counts(last)
    outside = set(counted)
    differences: list[str] = []
    texts = iter(rows)
    row = next(texts, None)
    for entry in entries:
        if entry.seq > last:
            continue
        counted[entry.seq] += 1
        while row is not None and row[0] < entry.seq:
            row = next(texts, None)
        if row is not None and row[0] == entry.seq and not same(row[1], bytes(entry.reading)):
            differences.append(f"{name} {entry.seq}: journal {bytes(entry.reading)!r}, outbox {row[1]!r}")
    for seq in range(1, last + 1):
        times = counted[seq]
        if times == 0:
            differences.append(f"{name} {seq}: lost: in neither journal, gap nor quarantine")
        elif times > 1:
            where = "and in a gap or quarantine" if seq in outside else "in the journal"
            differences.append(f"{name} {seq}: {times} times {where}")
    return differences


def same(one: bytes, other: bytes) -> bool:
    """Whether two texts say the same."""
    return one == other or msgspec.json.decode(one) == msgspec.json.decode(other)
