"""From the end of a pass to its row on the page, in a real browser, with the whole demo running."""

from pathlib import Path
from typing import Any

import pytest

from tests.system.demo_run import Demo, watch

WITHIN_S = 2.0


@pytest.mark.timeout(300)
def test_crossing_to_page(tmp_path: Path, measure: Any) -> None:
    demo = Demo(tmp_path, 0, 70)
    try:
        shown = watch(demo.url(), 60)
    finally:
        demo.end()
    latest = shown.lags_s[-1]
    row = {"group": "page", "check": f"latest of {len(shown.lags_s)} crossings on the page after their pass ended"}
    measure(row | {"value": latest, "unit": "s", "bound": f"<= {WITHIN_S} s"}, ok=latest <= WITHIN_S)
