"""The deriver: whatever comes late, twice, across midnight or around register changes ends in the orderly book."""

import os
import random
from pathlib import Path

import pytest

from backend.verify import verify
from tests.backend.books import DAY, SECOND, Yard, facts
from tests.backend.stories import MIDNIGHT, make, tell_in_disorder, tell_in_order

STORIES = int(os.environ.get("STOCKYARD_STORIES", "300"))
PIECES = 4


def broken(yard: Yard) -> list[str]:
    return [f"{finding.name}: {finding.detail}" for finding in verify(yard.book) if not finding.ok]


def compare(seed: int, template: Path, folder: Path) -> None:
    """One story, told twice."""
    story = make(random.Random(seed))
    chance = random.Random(-seed)
    orderly = Yard.copy(template, folder / f"{seed} orderly.db", MIDNIGHT - DAY)
    tell_in_order(orderly, story)
    orderly.settle(4 * DAY)
    start = chance.choice((MIDNIGHT - DAY, MIDNIGHT - 5 * SECOND, MIDNIGHT, MIDNIGHT + 3 * DAY))
    disorder = Yard.copy(template, folder / f"{seed} disorder.db", start)
    tell_in_disorder(disorder, story, chance)
    midway = broken(disorder) if chance.random() < 0.3 else []
    disorder.settle(MIDNIGHT + 5 * DAY - disorder.clock.now)
    books = facts(orderly.book), facts(disorder.book)
    for yard in (orderly, disorder):
        yard.book.dispose()
    assert not midway, f"seed {seed}, before the deriver has caught up"
    assert not broken(orderly), f"seed {seed}"
    assert not broken(disorder), f"seed {seed}"
    for name in books[0]:
        assert books[0][name] == books[1][name], f"seed {seed}: {name}"


@pytest.mark.parametrize("piece", range(PIECES))
def test_every_story_ends_in_the_orderly_book(piece: int, template: Path, tmp_path: Path) -> None:
    for seed in range(piece, STORIES, PIECES):
        compare(seed, template, tmp_path)
