"""A book that is sealed and pruned at any moments comes to the same as one that keeps everything, too late apart.

`STOCKYARD_STORIES=2000 python -m pytest tests/backend/test_sealing.py` tells 2,000 random stories; without it 16.
"""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from backend.book.schema import journal, seal, stream, too_late
from backend.verify import verify
from models.reading import micros
from tests.backend import journeys, stories
from tests.backend.books import DAY, Yard
from tests.backend.sealed_pairs import Pair, tell
from tests.backend.stories import MIDNIGHT

STORIES = int(os.environ.get("STOCKYARD_STORIES", "16"))
PIECES, ENOUGH = 4, 400


def broken(yard: Yard) -> list[str]:
    return [f"{finding.name}: {finding.detail}" for finding in verify(yard.book) if not finding.ok]


def compare(seed: int, template: Path, folder: Path) -> Counter[str]:
    """One story in both books; how many seals, pruned numbers and late readings it had."""
    chance = random.Random(-seed)
    story = journeys.make(seed) if seed % 3 == 0 else stories.make(random.Random(seed))
    pair = Pair.make(template, folder / str(seed), MIDNIGHT - DAY)
    tell(pair, story, chance)
    midway = broken(pair.pruned) if chance.random() < 0.3 else []
    later = chance.choice((1, 5)) * DAY
    pair.on(lambda yard: yard.settle(later))
    if chance.random() < 0.7:
        pair.seal(chance.choice((1, 2, 4)))
    pair.on(lambda yard: yard.settle(0))
    wrong = broken(pair.pruned)
    assert not midway, f"seed {seed}, before the deriver has caught up"
    assert not wrong, f"seed {seed}"
    pair.same()
    found = Counter(
        seals=len(pair.pruned.rows(seal)),
        pruned=sum(row["pruned_to"] for row in pair.pruned.rows(stream)),
        late=len(pair.pruned.rows(too_late)),
        kept=len(pair.pruned.rows(journal)),
        refused=len(pair.refused),
    )
    first = min((micros(reading.at) for reading in pair.late), default=None)
    assert first is None or first < pair.boundary
    pair.close()
    return found


@pytest.mark.parametrize("piece", range(PIECES))
def test_a_pruned_book_comes_to_the_same(piece: int, template: Path, tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for seed in range(piece, STORIES, PIECES):
        found += compare(seed, template, tmp_path)
    print(dict(found))
    assert {*found} >= {"seals", "pruned", "kept"}, "the stories do not show it"
    assert STORIES < ENOUGH or found["late"] * found["refused"] > 0
