"""Training on a file: read machine by machine, resumed where it was stopped; and what the command answers."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import cli
from backend.book.db import open_engine
from backend.book.migrations import migrate
from backend.predict import train
from backend.predict.fleet_file import BadFile, FleetFile, Recorded
from backend.predict.registry import CARD_FILE, MODEL_FILE, Registry
from models.predict import card as cards
from models.predict import training
from models.predict.history import digest
from models.predict.learners import LOGISTIC
from tests.models.predict import fleet

RUN = CliRunner()


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One learner instead of three."""
    real = training.train
    one = (LOGISTIC,)
    monkeypatch.setattr(
        train,
        "train",
        lambda machines, settings, tell: real(machines, training.Settings(settings.seed, learners=one), tell),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fleet that the model of the tests learnt from."""
    made = (fleet.machine(seed, 80, 22.0) for seed in range(10))
    return fleet.write(tmp_path_factory.mktemp("fleet") / "fleet.jsonl.gz", made)


def read_all(path: Path) -> list[Recorded]:
    with FleetFile.open(path) as found:
        return [each for each in found.machines() if isinstance(each, Recorded)]


@pytest.mark.parametrize("name", ["fleet.jsonl", "fleet.jsonl.gz"])
def test_a_file_holds_what_was_written(tmp_path: Path, name: str) -> None:
    made = [fleet.machine(seed, 20, 10.0) for seed in range(3)]
    found = read_all(fleet.write(tmp_path / name, made))
    assert [each.name for each in found] == [each.name for each in made]
    for one, true in zip(found, made, strict=True):
        assert one.failures == true.failures
        none = np.empty(0, np.int64)
        assert digest("m", one.history, none) == digest("m", true.history, none)


def test_what_is_known_is_skipped(file: Path) -> None:
    with FleetFile.open(file) as found:
        kinds = [
            each if isinstance(each, str) else type(each) for each in found.machines(frozenset({"T-000", "T-009"}))
        ]
    assert kinds == ["T-000", *[Recorded] * 8, "T-009"]
    assert found.size == file.stat().st_size


BEGINS = '{"asset": "M", "what": "machine"}'


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (['{"asset": "M", "what": "signals"}'], "1: the first line of a machine expected"),
        ([BEGINS, "{"], "2: Input data was truncated"),
        ([BEGINS, '{"asset": "N", "what": "signals"}'], "2: a time and a line of 'M' expected"),
        ([BEGINS, '{"asset": "M", "what": "signals", "oil_pressure": "x"}'], "oil_pressure"),
        ([BEGINS, '{"asset": "M", "what": "repair", "at": "2026-01-01"}'], "at"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, lines: list[str], why: str) -> None:
    path = tmp_path / "fleet.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadFile, match=why):
        read_all(path)


def test_a_broken_archive_is_said(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "fleet.jsonl.gz"
    path.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(BadFile, match=r"fleet\.jsonl\.gz: "):
        read_all(path)
    path.write_bytes(b"no archive")
    with pytest.raises(BadFile, match=r"fleet\.jsonl\.gz: "):
        read_all(path)


def test_stopped_it_goes_on_and_ends_in_the_same_model(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    def stopping(_what: str, _done: int, _total: int) -> None:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(train.machines_of(file, stopping))
    made: list[str] = []
    real = train.machine
    monkeypatch.setattr(train, "machine", lambda of: (made.append(of.name), real(of))[1])
    machines = list(train.machines_of(file, silent))
    assert len(made) == 6
    found = training.train(machines, training.Settings(learners=(LOGISTIC,)), silent)
    assert (found[0], cards.encode(found[1])) == (fleet.trained()[0], cards.encode(fleet.trained()[1]))
    made.clear()
    assert len(list(train.machines_of(file, silent))) == 10
    assert made == []
    assert not list(file.parent.rglob("part"))


def test_what_was_kept_is_of_the_file_as_it_is(tmp_path: Path) -> None:
    path = fleet.write(tmp_path / "fleet.jsonl", [fleet.machine(1, 20)])
    (before,) = train.machines_of(path, silent)
    fleet.write(path, [fleet.machine(2, 20)])
    (after,) = train.machines_of(path, silent)
    assert (before.name, after.name) == ("T-001", "T-002")
    assert len([*(tmp_path / "fleet.jsonl.features").iterdir()]) == 1


@pytest.mark.usefixtures("quick")
def test_the_command_writes_a_model_and_tells_how_good_it_is(tmp_path: Path, file: Path) -> None:
    config = tmp_path / "backend.toml"
    config.write_text(f'[backend]\nstate_dir = "{tmp_path}/state"\n', encoding="utf-8")
    out = tmp_path / "out"
    done = RUN.invoke(cli.app, ["train", "--from", str(file), "--out", str(out), "-c", str(config)])
    assert done.exit_code == 0, done.output
    for text in ("announced a day ahead", "false alerts per", "PR-AUC of hours alone", "read fleet.jsonl.gz: "):
        assert text in done.output
    assert sorted(path.name for path in out.iterdir()) == [CARD_FILE, MODEL_FILE]
    model = Registry(tmp_path / "state").serving().model
    assert model is not None
    assert model.card == cards.decode((out / CARD_FILE).read_bytes())
    done = RUN.invoke(cli.app, ["train", "--from", str(file), "--out", str(out), "--json"])
    assert json.loads(done.stdout)["version"] == model.card.version


def test_the_command_says_what_is_wrong_by_its_status(tmp_path: Path) -> None:
    engine = open_engine("sqlite", tmp_path / "book.db")
    migrate(engine)
    engine.dispose()
    config = tmp_path / "backend.toml"
    config.write_text(f'[backend]\nstate_dir = "{tmp_path}"\n', encoding="utf-8")
    small = fleet.write(tmp_path / "small.jsonl", [fleet.machine(1, 20)])
    bad = tmp_path / "bad.jsonl.gz"
    bad.write_bytes(gzip.compress(b"{}\n"))
    out = ["--out", str(tmp_path / "out")]
    for args, status, text in (
        (["--from", str(small), *out], 1, "not enough data: 1 machines of 10 needed"),
        (["-c", str(config)], 1, "not enough data: 0 failures of 20 needed"),
        ([], 2, "-c backend.toml expected"),
        (["--from", str(small)], 2, "-c backend.toml expected"),
        (["--from", str(bad), *out], 3, "bad.jsonl.gz:1: "),
        (["--from", str(tmp_path / "none"), *out], 4, "none"),
        (["-c", str(tmp_path / "none.toml")], 3, "none.toml"),
    ):
        done = RUN.invoke(cli.app, ["train", *args])
        assert (done.exit_code, text in done.output.replace("\n", " ")) == (status, True), (args, done.output)
    assert not (tmp_path / "out").exists()


def test_stopped_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_on_file", stopped)
    done = RUN.invoke(cli.app, ["train", "--from", str(tmp_path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "stopped; nothing was written" in done.output
    assert not (tmp_path / "out").exists()
