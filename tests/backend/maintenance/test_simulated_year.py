"""Nine weeks of five machines by their readings alone: each service is told once, and when it was said to be due.

The year of 200 machines is tests/bench/test_assets_year.py.
"""

import random
from pathlib import Path

from tests.backend.books import open_quick
from tests.backend.maintenance.machines import world
from tests.backend.maintenance.simulated_year import Year
from tests.backend.maintenance.year_score import alerts_of, open_of, score, uses_of


def test_each_service_is_told_once_and_in_time(tmp_path: Path) -> None:
    machines = world(3, 5, 62)
    year = Year(open_quick(tmp_path / "book.db"), machines, 62, lambda _: None)
    year.run()
    found = score(year)
    assert (found.told_once, found.wrongly) == (found.services, [])
    assert found.services > 10
    assert found.coverage >= 0.8, "of so few"
    before, uses = alerts_of(year.book), uses_of(year.book)
    year.rebuild()
    assert (alerts_of(year.book), uses_of(year.book)) == (before, uses)
    other = year.replayed(open_quick(tmp_path / "other.db"), random.Random(5))
    assert uses_of(other.book) == uses
    assert open_of(other.book) == open_of(year.book)
