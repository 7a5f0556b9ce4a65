from pathlib import Path

import pytest

from tests.backend.books import make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated book with the example site and nothing else, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "book.db")
