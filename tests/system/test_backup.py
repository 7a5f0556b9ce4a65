"""A backup is made while readings flow, and put back later: the gateways send again what it does not have."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.cli import app
from simulators.torture import books
from tests.system.plant import Plant, say

UP_S, DRAINED_S = 150.0, 150.0
"""On a busy machine: while the backend is away the edge's patience grows to 30 s."""


def stockyard(*arguments: str) -> Any:
    """What a command prints as JSON; it must succeed."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
def test_a_restored_backend_gets_again_what_its_backup_does_not_have(plant: Plant) -> None:
    config, file = str(plant.folder / "backend.toml"), str(plant.folder / "b.tar")
    made = stockyard("backup", "-c", config, "--to", file)
    assert made["manifest"]["readings"] > 0
    plant.await_up(UP_S)
    before = books.marks(plant.book)
    plant.parts["backend"].kill()
    told = stockyard("restore", file, "-c", config, "--force")
    restored = books.marks(plant.book)
    assert told["broken"] == []
    assert restored == {mark["epoch"]: mark["mark"] for mark in made["manifest"]["marks"]}
    (again,) = told["sent_again"]
    assert again["readings"] >= before[again["epoch"]] - restored[again["epoch"]] > 0
    say(f"{made['manifest']['readings']} readings restored, {again['readings']} to be sent again")
    plant.parts["backend"].start()
    plant.await_up(UP_S)
    assert plant.settle(DRAINED_S).strange == []
    for part in ("edge", "backend"):
        plant.parts[part].end()
    plant.check_logs()
