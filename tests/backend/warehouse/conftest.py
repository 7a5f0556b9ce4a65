from collections.abc import Iterator

import pytest

from tests.backend.books import Yard
from tests.backend.warehouse.floors import Floor, floor_of


@pytest.fixture
def floor(yard: Yard) -> Iterator[Floor]:
    """A warehouse with its API."""
    with floor_of(yard) as made:
        yield made
