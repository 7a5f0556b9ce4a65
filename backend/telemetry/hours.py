"""Hours, combined from their ten minutes: from those that were just made, and from the others as the store has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from backend.telemetry.rollup import combined
from backend.telemetry.rows import HOUR, TEN_MINUTES, Bucket, Rolled, Rollup
from backend.telemetry.store import Reader

NEAR = 6 * HOUR


def hours_of(store: Reader, tens: Sequence[Rolled]) -> list[Rolled]:
    """The hours that these ten minutes are in."""
    made = {Bucket(each.device, each.begin) for each in tens}
    hours = {_hour(each) for each in made}
    rollups: dict[Bucket, list[Rollup]] = {of: [] for of in hours}
    readings: dict[Bucket, dict[str, int]] = {of: {} for of in hours}
    for some, span in _asked(made):
        for row in store.rollups(None, some, span):
            of = Bucket(row.device, row.begin)
            if of not in made and _hour(of) in hours:
                rollups[_hour(of)].append(row)
        for device, begin, kind, n in store.readings(some, span):
            of = Bucket(device, begin)
            if of not in made and _hour(of) in hours:
                _add(readings[_hour(of)], {kind: n})
    for ten in tens:
        hour = _hour(Bucket(ten.device, ten.begin))
        rollups[hour] += ten.rollups
        _add(readings[hour], ten.readings)
    anew = {_hour(Bucket(each.device, each.begin)) for each in tens if each.anew}
    return [Rolled(*of, HOUR, readings[of], combined(rollups[of]), anew=of in anew) for of in sorted(hours)]


def _hour(of: Bucket) -> Bucket:
    return Bucket(of.device, of.begin // HOUR * HOUR)


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for kind, n in more.items():
        counts[kind] = counts.get(kind, 0) + n


def _asked(made: set[Bucket]) -> Iterator[tuple[list[str], tuple[int, int, int]]]:
    """What to ask for: by hour or by device, whichever is less often.

    Of an hour not what was made for all of its devices, at its beginning and its end.
    """
    hours = {_hour(of) for of in made}
    begins = sorted({of.begin for of in hours})
    devices = sorted({of.device for of in hours})
    if len(begins) <= len(devices):
        for begin in begins:
            some = sorted(of.device for of in hours if of.begin == begin)
            if left := [
                ten for ten in range(begin, begin + HOUR, TEN_MINUTES) if not made.issuperset(_tens(some, ten))
            ]:
                yield some, (left[0], left[-1] + TEN_MINUTES, TEN_MINUTES)
        return
    for device in devices:
        for first, last in _runs(sorted(of.begin for of in hours if of.device == device)):
            yield [device], (first, last + HOUR, TEN_MINUTES)


def _tens(devices: Iterable[str], begin: int) -> list[Bucket]:
    return [Bucket(device, begin) for device in devices]


def _runs(begins: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of hours that are near: a tracker whose clock was wrong has some years apart."""
    found: list[tuple[int, int]] = []
    for begin in begins:
        if found and begin - found[-1][1] <= NEAR:
            found[-1] = (found[-1][0], begin)
        else:
            found.append((begin, begin))
    return found
