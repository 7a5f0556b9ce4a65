"""A migration that is killed at any statement leaves a book of before or of after, and can be run again.

`STOCKYARD_EVERY_STATEMENT=1 pytest tests/backend/book/test_migrations_killed.py` kills at each statement of each
revision, before it, after it and around its commit, on PostgreSQL too; else some of them on SQLite.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.book import migrations
from backend.cli import app
from tests.servers.postgres import Cluster

EVERY = 1 if os.environ.get("STOCKYARD_EVERY_STATEMENT") else 72
PROGRAM = Path(__file__).parent / "dying_migrations.py"
ROOT = Path(__file__).parents[3]


def killed_all_along(where: str, every: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), where, str(every)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found["kills"])
    assert found["wrong"] == []
    assert {*found["kills"]} == {name for name, _ in migrations.planned(None)}
    assert sum(found["kills"].values()) >= 200 / every


@pytest.mark.timeout(3600)
def test_killed_at_each_statement_on_sqlite(tmp_path: Path) -> None:
    killed_all_along(str(tmp_path), EVERY)


@pytest.mark.timeout(3600)
@pytest.mark.skipif(EVERY > 1, reason="a database is copied for each kill: the long form, STOCKYARD_EVERY_STATEMENT=1")
def test_killed_at_each_statement_on_postgresql(postgres_cluster: Cluster) -> None:
    killed_all_along(postgres_cluster.address("").rstrip("/"), EVERY)


def test_what_would_be_done_is_only_said(tmp_path: Path) -> None:
    config = tmp_path / "backend.toml"
    config.write_text(f'[backend]\nstate_dir = "{tmp_path / "state"}"\n')
    said = CliRunner().invoke(app, ["migrate", "--dry-run", "-c", str(config)])
    assert said.exit_code == 0
    assert said.output.splitlines()[0].startswith("would apply r0001: every table of the book")
    assert not (tmp_path / "state").exists(), "it changes nothing"
    done = CliRunner().invoke(app, ["migrate", "-c", str(config)])
    assert [line.split()[1] for line in done.output.splitlines()] == [name for name, _ in migrations.planned(None)]
    assert "nothing to do" in CliRunner().invoke(app, ["migrate", "--dry-run", "-c", str(config)]).output
