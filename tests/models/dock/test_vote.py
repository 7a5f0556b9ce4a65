"""The vote of a pass's tags and the photo-eye: who votes together, who is left alone, and that order cannot matter."""

import random
import time
from collections.abc import Sequence
from itertools import permutations
from math import fsum

import pytest

from models.dock.direction import Direction
from models.dock.vote import (
    DIRECTIONS,
    LONGER,
    REACH_US,
    SHORTEST_US,
    SLACK_US,
    SURE,
    WINDOW_US,
    Ballot,
    elect_all,
    watched,
)

S = 1_000_000
IN, OUT, NONE = (0.9, 0.0, 0.1), (0.0, 0.8, 0.2), (0.1, 0.1, 0.8)
STRAY = (0.02, 0.02, 0.96)
WAYS: dict[tuple[float, float, float], Direction] = {IN: "in", OUT: "out", NONE: "none", STRAY: "none"}


def ballot(chances: tuple[float, float, float], middle: float = 3, lasted: float = 4) -> Ballot:
    """A pass of `lasted` seconds around its middle."""
    low, high = round((middle - lasted / 2) * S), round((middle + lasted / 2) * S)
    return Ballot(low, high, round(middle * S), WAYS[chances], max(chances), ["why"], chances)


@pytest.mark.parametrize(
    ("own", "others", "direction", "reasons"),
    [
        (NONE, [IN, IN, IN], "in", ["3 of 4 tags of this pass went in", "by itself none (0.80)", "why"]),
        (OUT, [IN, IN, IN], "in", ["3 of 4 tags of this pass went in", "by itself out (0.80)", "why"]),
        (IN, [IN, IN, NONE], "in", ["3 of 4 tags of this pass went in", "why"]),
        (OUT, [OUT, OUT], "out", ["3 of 3 tags of this pass went out", "why"]),
        (IN, [NONE, NONE, NONE], "none", ["3 of 4 tags of this pass did not go through", "by itself in (0.90)", "why"]),
        (NONE, [IN], "none", ["why"]),
        (STRAY, [IN] * 9, "none", ["why"]),
        (NONE, [STRAY, IN, IN, IN, IN], "in", ["4 of 6 tags of this pass went in", "by itself none (0.80)", "why"]),
    ],
)
def test_the_tags_of_a_pass_decide_together(
    own: tuple[float, float, float], others: list[tuple[float, float, float]], direction: str, reasons: list[str]
) -> None:
    verdict = elect_all([ballot(each) for each in (own, *others)])[0]
    assert (verdict.direction, verdict.reasons) == (direction, reasons)
    assert sum(verdict.chances) == pytest.approx(1)
    assert 0 <= verdict.score <= 1


def test_a_vote_that_is_split_leaves_each_its_own() -> None:
    even = [(0.5, 0.5, 0.0), (0.5, 0.5, 0.0), (0.5, 0.5, 0.0)]
    ways: tuple[Direction, Direction] = ("in", "out")
    for way in ways:
        own = Ballot(0, S, S, way, 0.5, [], even[0])
        assert elect_all([own, *(Ballot(0, S, S, "in", 0.5, [], each) for each in even)])[0].direction == way


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (ballot(IN, 3 + WINDOW_US / S), True),
        (ballot(IN, 3 + WINDOW_US / S + 0.000001), False),
        (ballot(IN, 3 - WINDOW_US / S - 0.000001), False),
        (ballot(IN, 3, 4 * LONGER), True),
        (ballot(IN, 3, 4 * LONGER + 0.00001), False),
        (ballot(IN, 3, SHORTEST_US / S), True),
        (ballot(IN, 3, 0), True),
        (ballot(IN, 3, 300), False),
    ],
)
def test_who_votes_together_is_told_by_times(other: Ballot, alike: bool) -> None:  # noqa: FBT001 - a table
    for of_three in permutations([ballot(IN), ballot(IN), other]):
        told = [each.reasons[0] for each in elect_all(of_three)]
        assert told == ["3 of 3 tags of this pass went in" if alike else "why"] * 3


def test_a_tag_that_is_stored_beside_the_door_is_not_dragged_along() -> None:
    stored = ballot(NONE, 3, 60)
    verdicts = elect_all([stored, *(ballot(IN, 3 + k / 10) for k in range(9))])
    assert [each.direction for each in verdicts] == ["none", *["in"] * 9]
    assert verdicts[0].reasons == ["why"]
    assert verdicts[1].reasons[0] == "9 of 9 tags of this pass went in"


def among(own: Ballot, others: Sequence[Ballot]) -> tuple[Direction, list[int]]:
    """The direction that most of the votes near a crossing are for, and the heads behind each: by definition."""
    near = [each for each in others if abs(each.middle_at - own.middle_at) <= WINDOW_US]
    lengths = [max(each.last_at - each.first_at, SHORTEST_US) for each in near]
    mine = max(own.last_at - own.first_at, SHORTEST_US)
    voters = [each for each, long in zip(near, lengths, strict=True) if max(mine, long) <= LONGER * min(mine, long)]
    sums = [fsum(each.chances[way] for each in voters) for way in range(3)]
    heads = [sum(each.direction == way for each in voters) for way in DIRECTIONS]
    stays = len(voters) < 3 or (own.direction == "none" and own.chances[2] >= SURE)
    return own.direction if stays else DIRECTIONS[sums.index(max(sums))], heads


def test_the_votes_of_many_are_those_of_each_by_itself_in_any_order() -> None:
    chance = random.Random(2)
    for _ in range(60):
        ballots: list[Ballot] = []
        for _ in range(chance.choice((2, 8, 30))):
            chances = tuple(chance.random() ** 3 for _ in range(3))
            low, half = (
                chance.randint(0, 6 * S),
                chance.choice((S // 2, S, S + 1, 2 * S, 4 * S, chance.randint(0, 9 * S))),
            )
            shares = (chances[0] / sum(chances), chances[1] / sum(chances), chances[2] / sum(chances))
            way = DIRECTIONS[shares.index(max(shares))]
            ballots.append(Ballot(low, low + 2 * half, low + half, way, 0.5, [], shares))
        expected = elect_all(ballots)
        for own, verdict in zip(ballots, expected, strict=True):
            direction, heads = among(own, ballots)
            assert verdict.direction == direction
            if verdict.reasons:
                alike = heads[DIRECTIONS.index(direction)]
                assert verdict.reasons[0].startswith(f"{alike} of {sum(heads)} tags")
        order = chance.sample(range(len(ballots)), len(ballots))
        assert elect_all([ballots[each] for each in order]) == [expected[each] for each in order]


def test_thousands_in_range_at_once_are_no_thousands_of_sums() -> None:
    """Each by itself among all the others, 10,000 would take minutes."""
    ballots = [ballot((IN, OUT, NONE)[k % 3], 3 + k / 10_000, 2 + k % 50 / 10) for k in range(10_000)]
    began = time.process_time()
    assert len(elect_all(ballots)) == 10_000
    assert time.process_time() - began < 4


def test_nothing_goes_through_without_breaking_the_beam() -> None:
    own = ballot(IN)
    low, high = own.first_at - SLACK_US, own.last_at + SLACK_US
    for at in (low, own.middle_at, high):
        seen = watched(own.own, own, [at, high + 9 * S], "photo_eye")
        assert (seen.direction, seen.reasons) == ("in", ["why", "photo_eye was broken"])
    for broken in ([], [low - 1], [high + 1]):
        unseen = watched(own.own, own, broken, "photo_eye")
        assert (unseen.direction, unseen.score, unseen.chances[2]) == ("none", 1.0, 1.0)
        assert unseen.reasons == ["photo_eye was not broken: nothing went through the door", "why"]
    assert watched(ballot(NONE).own, own, [], "photo_eye") == ballot(NONE).own


def test_a_long_pass_asks_the_photo_eye_near_its_middle_only() -> None:
    assert ballot(IN, 1000, 900).eye_span == (1000 * S - REACH_US, 1000 * S + REACH_US)
