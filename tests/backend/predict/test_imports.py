"""The backend starts without the libraries of the models; only the edge's extra needs even less."""

import subprocess
import sys

HEAVY = {"numpy", "scipy", "sklearn", "skops", "threadpoolctl", "joblib"}


def test_what_starts_the_backend_needs_no_numbers() -> None:
    code = f"import sys, backend.app, backend.cli, models.predict.card; print(*sorted({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_numbers_alone_need_no_learner() -> None:
    code = f"import sys, models.predict.features; print(*sorted({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "numpy"
