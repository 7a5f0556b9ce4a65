"""The backend starts without the libraries of the models; only the edge's extra needs even less."""

import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "sklearn", "skops", "threadpoolctl", "joblib"}


@pytest.mark.parametrize("module", ["backend.app", "backend.cli", "backend.predict.scorer", "models.predict.card"])
def test_what_starts_the_backend_needs_no_numbers(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_numbers_alone_need_no_learner() -> None:
    code = f"import sys, models.predict.features; print(*sorted({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "numpy"
