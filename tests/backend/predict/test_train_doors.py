"""`stockyard train-doors`: labelled passes to a model in one file, and what it answers to other files."""

import gzip
import json
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from backend import cli, dock_models
from backend.predict import pass_file
from backend.predict.fleet_file import BadFile
from models.dock.learned import MOST_BYTES, decode_model
from models.predict import direction
from models.predict.direction import Passes, tag_verdict
from simulators import passes

RUN = CliRunner()


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


def written(folder: Path, count: int) -> Path:
    path = folder / "passes.jsonl.gz"
    passes.write(passes.head("reference", 3, count), path, lambda _done, _total: None, Event())
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("passes"), 220)


@pytest.fixture(scope="module")
def found(recorded: Path) -> Passes:
    return pass_file.read(recorded, 10.0, silent)


def test_a_file_becomes_tag_passes(recorded: Path, found: Passes) -> None:
    lines = [json.loads(line) for line in gzip.decompress(recorded.read_bytes()).splitlines()[1:]]
    assert (found.layout, found.seeds, len(found.unread)) == ("reference", [3], 220)
    assert len(found.tags) + sum(count for _, count in found.unread.values()) == sum(each["tags"] for each in lines)
    assert {tag.kind: tag.truth for tag in found.tags} == {
        "in": "in",
        "out": "out",
        "static": "none",
        "turn": "none",
        "past": "none",
    }
    reads = sum(sighting[5] for each in lines for sighting in each["sightings"])
    assert sum(sum(tag.reads) for tag in found.tags) == reads
    assert sum(tag.rule == tag.truth for tag in found.tags) / len(found.tags) > 0.8
    assert all(len(tag.figures) == 1 for tag in found.tags)


def test_the_time_out_ends_passes(tmp_path: Path) -> None:
    tags = pass_file.read(written(tmp_path, 4), 0.5, silent).tags
    assert any(len(tag.figures) > 1 for tag in tags)
    assert all(len(tag.figures) == len(tag.reads) for tag in tags)


def test_the_command(recorded: Path, found: Passes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        pass_file, "read", lambda path, timeout_s, _tell: found if (path, timeout_s) == (recorded, 10) else None
    )
    monkeypatch.setattr(direction, "ROUNDS", 10)
    asked = ["train-doors", "--from", str(recorded), "--out", str(tmp_path / "made"), "--name", "mine"]
    answered = RUN.invoke(cli.app, [*asked, "--json"])
    assert answered.exit_code == 0, answered.output
    model = decode_model((tmp_path / "made" / "mine.json").read_bytes())
    assert model.name.startswith("mine@")
    assert json.loads(answered.stdout)["all"]["learned"] == model.card.all.learned > 0.75
    table = RUN.invoke(cli.app, asked)
    assert "passes held back" in table.stdout
    assert "static" in table.stdout


FIRST = '{"what":"passes","layout":"l","inside":[1],"outside":[2],"seed":1}\n'
LINE = '{"what":"pass","number":1,"kind":"in","tags":1,"sightings":[[0,9,8,1,-5000,1]]}\n'


@pytest.mark.parametrize(
    ("text", "status", "what"),
    [
        ("", 3, ":1:"),
        ("nonsense\n", 3, ":1:"),
        (LINE, 3, ":1: Invalid value 'pass'"),
        (FIRST + FIRST, 3, ":2: Invalid value 'passes'"),
        (FIRST + LINE.replace("-5000", '"x"'), 3, ":2: Expected `int | null`"),
        (FIRST + LINE.replace("[0,9", "[-1,9"), 3, ":2: Expected `int` >= 0"),
        (FIRST + LINE.replace(",1]]", ',1,"x"]]'), 3, ":2: Expected `int | null`"),
        (FIRST + LINE.replace(",1]]", ",1,null]]"), 1, "not enough data: 1 passes of 200 needed"),
        (FIRST + LINE, 1, "not enough data: 1 passes of 200 needed"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, status: int, what: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text, encoding="utf-8")
    found = RUN.invoke(cli.app, ["train-doors", "--from", str(path), "--out", str(tmp_path)])
    assert (found.exit_code, what in found.stderr) == (status, True), found.stderr
    assert not (tmp_path / "two-rows.json").exists()


def test_a_file_cut_short_and_none_at_all(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadFile):
        pass_file.read(path, 10.0, silent)
    asked = ["train-doors", "--out", str(tmp_path), "--from"]
    assert RUN.invoke(cli.app, [*asked, str(tmp_path / "none")]).exit_code == 4
    assert RUN.invoke(cli.app, [*asked, str(path), "--name", "../x"]).exit_code == 2


def test_the_shipped_model_is_good_and_small() -> None:
    model = dock_models.find("two-rows")
    assert len((dock_models.PACKAGED / "two-rows.json").read_bytes()) <= MOST_BYTES
    card = model.card
    assert (card.layout, card.held_back_passes >= 500) == ("reference", True)
    assert card.all.learned >= 0.94
    assert card.all.quiet is not None
    assert 0.91 <= card.all.quiet < card.all.learned
    assert card.all.rule >= 0.8


def test_the_shipped_model_holds_on_passes_of_another_seed(found: Passes) -> None:
    model = dock_models.find("two-rows")
    tags = found.tags[::3]
    said = [tag_verdict([model.judge(each).direction for each in tag.figures]) for tag in tags]
    assert sum(verdict == tag.truth for tag, verdict in zip(tags, said, strict=True)) / len(tags) >= 0.92
