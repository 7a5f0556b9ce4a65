"""Measurements with bounds: `make bench [ONLY=edge,ingest,page]`; they run alone, on a machine that does nothing else.

Figures go to build/bench.json as docs/contract.md section 2 says, and to the terminal.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).parents[2] / "build" / "bench.json"
Measure = Callable[..., None]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Only `make bench` measures; ONLY names groups: the first word of a file after test_."""
    only = os.environ.get("STOCKYARD_BENCH")
    if only is None:
        return True
    name = collection_path.stem.removeprefix("test_").partition("_")[0]
    return True if only and collection_path.suffix == ".py" and name not in {*only.split(","), "conftest"} else None


@pytest.fixture(scope="session")
def results() -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    yield found
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


@pytest.fixture
def measure(results: list[dict[str, Any]]) -> Measure:
    """Note one figure; a bound that is missed fails the bench after it was noted."""

    def note(row: dict[str, Any], *, ok: bool) -> None:
        full = {"peer": None, "peer_value": None, "bound": None} | row | {"ok": ok}
        results.append(full)
        peer = f", {full['peer']} {full['peer_value']:,.4g}" if full["peer"] else ""
        print(f"\n{full['group']}: {full['check']}: {full['value']:,.4g} {full['unit']}{peer}; bound {full['bound']}")
        assert ok, full

    return note
