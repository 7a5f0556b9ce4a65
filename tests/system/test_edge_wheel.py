"""The gateway's box: the wheel with the extra `edge` alone, in an environment of its own."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEVER = ("fastapi", "sqlalchemy", "numpy", "scipy", "sklearn", "skops", "uvicorn", "jinja2")
IMPORT_ALL = f"""
import importlib, importlib.util, pkgutil
import edge
for found in pkgutil.walk_packages(edge.__path__, "edge."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(",".join(name for name in {NEVER!r} if importlib.util.find_spec(name)))
"""


def build_wheel(folder: Path) -> Path:
    """The wheel, built by the installed hatchling from a copy of the sources."""
    source = folder / "source"
    left_out = shutil.ignore_patterns(".*", "build", "tests", "__pycache__")
    shutil.copytree(ROOT, source, ignore=left_out)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.timeout(300)
def test_the_edge_alone(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)
    venv.create(tmp_path / "box", with_pip=True)
    python = tmp_path / "box" / "bin" / "python"
    install = ["-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), f"{wheel}[edge]"]
    installed = subprocess.run([python, *install], capture_output=True, text=True, check=False)
    if installed.returncode and any(word in installed.stderr for word in ("NewConnectionError", "Name or service")):
        pytest.skip("no package registry is reached, to install the wheel's dependencies from")
    assert installed.returncode == 0, installed.stderr
    imported = subprocess.run([python, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.strip() == ""
    example = ROOT / "deploy" / "edge.example.toml"
    checked = [python.with_name("stockyard-edge"), "check-config", "-c", str(example)]
    ran = subprocess.run(checked, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    size_mb = sum(file.stat().st_size for file in (tmp_path / "box" / "lib").rglob("*") if file.is_file()) / 2**20
    print(f"\nthe edge's environment: {size_mb:.0f} MiB, pip among it")
