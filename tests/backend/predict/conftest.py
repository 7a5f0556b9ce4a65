from pathlib import Path

import pytest

from backend.predict.registry import Registry
from tests.models.predict import fleet


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Models of a state directory, with one that serves."""
    found = Registry(tmp_path)
    found.save(*fleet.trained())
    return found
