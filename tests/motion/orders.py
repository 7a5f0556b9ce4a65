"""A month sent to a book in some order of arrival; what was made of it must be the same for every order."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from backend.book.schema import travel
from models.reading import Reading
from simulators.machines import Kind
from simulators.record import readings
from simulators.reporting import Habit, Noise, Report, live_first
from simulators.weather import DAY_MS
from tests.backend.books import DAY, SECOND, Yard, digest
from tests.backend.stories import Change, declare
from tests.motion.months import BEGIN_MS, IMEI, Told, told, zone_of

KINDS: tuple[Kind, ...] = ("truck", "crane")
DECLARED = 1_600_000_000 * SECOND
TWICE_SHARE = 0.1
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Order = Callable[[Sequence[Report], random.Random], list[Report]]


def newest_first(reported: Sequence[Report], _chance: random.Random) -> list[Report]:
    return [*reversed(reported)]


def in_shuffled_batches(reported: Sequence[Report], chance: random.Random) -> list[Report]:
    """Stretches of it in any order, a tenth of the records twice."""
    pieces: list[list[Report]] = []
    at = 0
    while at < len(reported):
        pieces.append([*reported[at : at + chance.randint(1, 200)]])
        at += len(pieces[-1])
    chance.shuffle(pieces)
    mixed = [report for piece in pieces for report in piece]
    for twice in chance.sample(mixed, round(TWICE_SHARE * len(mixed))):
        mixed.insert(chance.randrange(len(mixed)), twice)
    return mixed


ORDERS: dict[str, Order] = {
    "in order": lambda reported, _chance: [*reported],
    "live first": lambda reported, _chance: live_first(reported),
    "newest first": newest_first,
    "shuffled batches": in_shuffled_batches,
}


def months(days: int, habit: Habit, seed: int = 1) -> list[Told]:
    return [told(kind, seed, days, Noise(), habit) for kind in KINDS]


def changes(given: Sequence[Told]) -> list[Change]:
    """The zones around the machines, as the register has them from long before."""
    around = {fence.zone: fence for month in given for fence in month.fences}
    return [Change("zones", fence.zone, zone_of(fence), DECLARED) for fence in around.values()]


def tell(yard: Yard, given: Sequence[Told], order: Order, chance: random.Random, derives_every: int) -> None:
    """Every machine's records by a stream of its own, taking turns; the deriver takes a step after so many, about."""
    ordered = [order(month.reports, chance) for month in given]
    epochs = ["".join(chance.choices(CROCKFORD, k=12)) for _ in given]
    at = [0 for _ in given]
    while any(at[i] < len(ordered[i]) for i in range(len(given))):
        i = chance.choice([i for i in range(len(given)) if at[i] < len(ordered[i])])
        piece = ordered[i][at[i] : at[i] + chance.randint(20, 120)]
        at[i] += len(piece)
        said = [*_said(IMEI[given[i].kind], piece)]
        yard.ingest.take([yard.message(said, epochs[i])] * chance.choice((1, 1, 1, 2)))
        yard.clock.now += chance.randint(0, 40) * SECOND
        if chance.random() < len(piece) / derives_every:
            yard.deriver.step()


def _said(imei: str, piece: Sequence[Report]) -> Iterator[Reading]:
    return (reading for report in piece for reading in readings(imei, report.record))


def outcome(
    template: Path, file: Path, given: Sequence[Told], order: str, derives_every: int
) -> tuple[dict[str, str], int, float]:
    """What was made of it in an order: digests of everything derived, how many rows of motion, how many seconds."""
    end = (BEGIN_MS // DAY_MS) * DAY + (given[0].month.end_ms - BEGIN_MS) * 1000
    begun = perf_counter()
    yard = Yard.copy(template, file, end + 60 * SECOND)
    declare(yard, changes(given))
    tell(yard, given, ORDERS[order], random.Random(f"order/{order}"), derives_every)
    yard.settle(4 * DAY)
    made, rows = digest(yard.book), len(yard.rows(travel))
    yard.book.dispose()
    return made, rows, perf_counter() - begun
