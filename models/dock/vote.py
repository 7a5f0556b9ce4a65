"""The final verdict of a crossing: the tags of one pass vote, and a photo-eye says whether anything went through.

Tags on one pallet go the same way, and what one tag tells badly its neighbours tell well. Who votes with whom is told
from times alone: the centres of their passes lie close together, and the passes are about equally long. So a tag that
is stored beside the door, heard for minutes or in snatches, is not dragged along by a pallet that passes it. The
verdict is a function of the set of crossings: sums are exact, so that order cannot matter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from models.dock.direction import Direction, Verdict

WINDOW_US = 1_500_000
"""Centres of passes that vote together are no further apart. Pallets at walking pace need about a second."""
LONGER = 2
"""One of two passes that vote together is at most so many times as long as the other …"""
SHORTEST_US = 2_000_000
"""… where all shorter ones count as this long."""
VOTERS = 3
UNIT = 1 << 40
"""Chances are added as whole multiples of 1/UNIT: such sums are exact in any order."""
FIELD = 64
"""Bits of one sum: of at most 2 ** 23 voters."""
SURE = 0.95
"""Whoever is so sure of being a stray remains one."""
SLACK_US = 2_000_000
REACH_US = 40_000_000
"""How far from the centre of a pass a photo-eye is asked: longer passes are no way through."""
DIRECTIONS: tuple[Direction, Direction, Direction] = ("in", "out", "none")
_WENT = {"in": "went in", "out": "went out", "none": "did not go through"}


class Ballot(Struct, frozen=True):
    """What a crossing says by itself; times in microseconds, `chances` of in, out and none."""

    first_at: int
    last_at: int
    middle_at: int
    direction: Direction
    score: float
    reasons: list[str]
    chances: tuple[float, float, float]

    @property
    def own(self) -> Verdict:
        """The verdict of this tag alone."""
        return Verdict(self.direction, self.score, self.reasons, self.chances)

    @property
    def length(self) -> int:
        """How long the pass took, as LONGER compares it."""
        return max(self.last_at - self.first_at, SHORTEST_US)

    @property
    def voice(self) -> int:
        """The three chances and one head for its direction, side by side in one number: one addition adds them all."""
        heads = [self.direction == way for way in DIRECTIONS]
        fields = [*(round(chance * UNIT) for chance in self.chances), *heads]
        return sum(said << FIELD * place for place, said in enumerate(fields))

    @property
    def eye_span(self) -> tuple[int, int]:
        """From when to when the beam would be broken by this pass, both included."""
        return (
            max(self.first_at - SLACK_US, self.middle_at - REACH_US),
            min(self.last_at + SLACK_US, self.middle_at + REACH_US),
        )


def elect_all(ballots: Sequence[Ballot]) -> list[Verdict]:
    """The verdicts of all crossings of one door, in their order."""
    found = elect(ballots, range(len(ballots)))
    return [found[place] for place in range(len(ballots))]


def elect(ballots: Sequence[Ballot], of: Collection[int]) -> dict[int, Verdict]:
    """The verdicts of the crossings at the places `of` among all ballots of one door near them.

    With fewer than VOTERS of its pass, or if it is SURE to be a stray, a crossing's own verdict stands. Thousands may
    be in range at once, so what they say is added up along with the window, not anew for each: n log n steps.
    """
    order = sorted(range(len(ballots)), key=lambda place: ballots[place].middle_at)
    middles = [ballots[place].middle_at for place in order]
    voices = [ballots[place].voice for place in order]
    lengths = [ballots[place].length for place in order]
    tally = _Tally(lengths)
    begin = end = 0
    found: dict[int, Verdict] = {}
    for place, middle, length in zip(order, middles, lengths, strict=True):
        while end < len(order) and middles[end] <= middle + WINDOW_US:
            tally.add(lengths[end], voices[end])
            end += 1
        while middles[begin] < middle - WINDOW_US:
            tally.add(lengths[begin], -voices[begin])
            begin += 1
        if place in of:
            found[place] = _elected(ballots[place], tally.between(-(-length // LONGER), length * LONGER))
    return found


class _Tally:
    """Sums by length: a Fenwick tree, in which adding to one and asking for a stretch of them take log n steps."""

    def __init__(self, lengths: Iterable[int]) -> None:
        self._lengths = sorted({*lengths})
        self._sums = [0] * (len(self._lengths) + 1)

    def add(self, length: int, what: int) -> None:
        place = bisect_left(self._lengths, length) + 1
        while place < len(self._sums):
            self._sums[place] += what
            place += place & -place

    def between(self, low: int, high: int) -> int:
        """The sum of lengths from `low` to `high`, both included."""
        return self._up_to(bisect_right(self._lengths, high)) - self._up_to(bisect_left(self._lengths, low))

    def _up_to(self, place: int) -> int:
        total = 0
        while place:
            total += self._sums[place]
            place &= place - 1
        return total


def _elected(own: Ballot, voices: int) -> Verdict:
    """The verdict of a crossing by the sum of all voices of its pass, its own among them."""
    fields = [voices >> FIELD * place & (1 << FIELD) - 1 for place in range(6)]
    sums, heads = fields[:3], fields[3:]
    if sum(heads) < VOTERS or (own.direction == "none" and own.chances[2] >= SURE):
        return own.own
    most, total = max(sums), sum(sums)
    winners: list[Direction] = [way for way, said in zip(DIRECTIONS, sums, strict=True) if said == most]
    direction = own.direction if own.direction in winners else winners[0]
    shares = (sums[0] / total, sums[1] / total, sums[2] / total) if total > 0 else own.chances
    which = DIRECTIONS.index(direction)
    reasons = [f"{heads[which]} of {sum(heads)} tags of this pass {_WENT[direction]}"]
    if direction != own.direction:
        reasons.append(f"by itself {own.direction} ({own.score:.2f})")
    return Verdict(direction, round(shares[which], 3), reasons + own.reasons, shares)


def watched(verdict: Verdict, own: Ballot, broken: Sequence[int], eye: str) -> Verdict:
    """The verdict where the door has the photo-eye `eye`, whose beam was broken at these times, in order."""
    if verdict.direction == "none":
        return verdict
    low, high = own.eye_span
    first = bisect_left(broken, low)
    if first < len(broken) and broken[first] <= high:
        return Verdict(verdict.direction, verdict.score, [*verdict.reasons, f"{eye} was broken"], verdict.chances)
    unseen = f"{eye} was not broken: nothing went through the door"
    return Verdict("none", 1.0, [unseen, *verdict.reasons], (0.0, 0.0, 1.0))
