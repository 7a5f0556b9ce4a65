"""Histories of assets from the telemetry store: whichever trackers were on them, each while it was."""

from collections import defaultdict
from collections.abc import Sequence

from backend.book.risks import Repair
from backend.telemetry.rows import Span
from backend.telemetry.store import Reader
from models.predict.history import BIN_US, METER, UNITS, History, collect

SIGNALS = tuple(name for name in UNITS if name != METER)


def history(store: Reader, trackers: Sequence[Span], repairs: Sequence[Repair], signals_since: int = 0) -> History:
    """What the store has of an asset: its signals since a time, its meter since the last repair or that time.

    `signals_since` 0 is everything, its meter too.
    """
    repaired = [each.at for each in repairs]
    meter_since = max([0, *repaired]) // BIN_US * BIN_US if signals_since else 0
    times: defaultdict[str, list[int]] = defaultdict(list)
    values: defaultdict[str, list[float]] = defaultdict(list)
    for tracker in trackers:
        for names, start in ((SIGNALS, signals_since), ((METER,), meter_since)):
            span = tracker._replace(since=max(start, tracker.since))
            for (name, unit), told in store.firsts(span, names, BIN_US).items():
                if UNITS[name] == unit:
                    times[name] += [at for at, _ in told]
                    values[name] += [value for _, value in told]
    return collect({name: (times[name], values[name]) for name in times}, repaired)
