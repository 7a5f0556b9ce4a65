"""Every record that a tracker was told is safe is in the journal, and counts exactly once however often it was sent."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from models.reading import from_micros, micros
from simulators.answers import System
from simulators.checks.found import Found
from simulators.checks.machine import Machine, Span, days, made
from simulators.checks.streams import Heard
from simulators.truth import Truth

LAG_S = 60.0
"""Positions are in the telemetry store a little later than in the journal."""
POLL_S = 0.5
MOST = 10_000
"""Positions that one answer holds."""


def check(system: System, machines: Sequence[Machine], truth: Truth, heard: Heard) -> Found:
    """Compare the records of all trackers with journal and tracks."""
    found = Found("each tracker record counts once")
    journalled = resent = unsaid = 0
    records = made(truth)
    for imei, told in records.items():
        there = heard.fixes.get(imei, Counter())
        lost = sorted(at for at, acked in told.items() if acked and not there[at])
        found.differences += [f"imei:{imei} {_text(at)}: acknowledged, but not in the journal" for at in lost]
        unsure = sorted(at for at, acked in told.items() if not acked)
        found.listed += [f"imei:{imei} {_text(at)}: not acknowledged, {there[at]} times there" for at in unsure]
        again = {at: there[at] for at in told if there[at] > 1}
        found.listed += [f"imei:{imei} {_text(at)}: sent again, {times} times there" for at, times in again.items()]
        journalled += sum(there[at] > 0 for at in told)
        resent += sum(times - 1 for times in again.values())
        unsaid += len(unsure)
    found.differences += _strangers(records, heard)
    counted = _Tracks(system, found)
    for one in machines:
        counted.check(one)
    found.figures = {
        "records": sum(map(len, records.values())),
        "in the journal": journalled,
        "sent again": resent,
        "not acknowledged": unsaid,
        "in the tracks": counted.points,
    }
    return found


def _strangers(records: Mapping[str, Mapping[int, bool]], heard: Heard) -> Iterator[str]:
    """Readings of trackers at a time at which no record was made."""
    for imei, times in sorted(heard.trackers.items()):
        unmade = sorted(times - records.get(imei, {}).keys())
        yield from (f"imei:{imei} {_text(at)}: in the journal, but never made" for at in unmade)


class _Tracks:
    """Positions as the system counts them, compared with the records of the journal."""

    def __init__(self, system: System, found: Found) -> None:
        self.points = 0
        self._system = system
        self._found = found
        self._deadline = time.monotonic() + LAG_S

    def check(self, one: Machine) -> None:
        """Every record is one position, and every position a record."""
        if one.window is None:
            return
        for begin, end in days((one.window[0], one.window[1] + 1)):
            wanted = {at for at in one.heard if begin <= at < end}
            there = self._caught_up(one.asset, (begin, end - 1), wanted)
            self.points += sum(there.values())
            differing = sorted(at for at in {*wanted, *there} if there[at] != (at in wanted))
            self._found.differences += [f"{one.asset} {_text(at)}: {there[at]} times in its track" for at in differing]

    def _caught_up(self, asset: str, span: Span, wanted: set[int]) -> Counter[int]:
        """The track's positions by time, once all that are wanted are there or the wait is over."""
        while True:
            there = Counter(self._positions(asset, span))
            if wanted <= there.keys() or time.monotonic() > self._deadline:
                return there
            time.sleep(POLL_S)

    def _positions(self, asset: str, span: Span) -> list[int]:
        """All between two moments, both included; what is too much for one answer is asked for in halves."""
        points = [micros(point.at) for point in self._system.track(asset, span, MOST)]
        begin, end = span
        if len(points) < MOST or begin == end:
            return points
        middle = (begin + end) // 2
        return self._positions(asset, (begin, middle)) + self._positions(asset, (middle + 1, end))


def _text(at: int) -> str:
    return f"{from_micros(at):%m-%d %H:%M:%S.%f}"[:-3]
