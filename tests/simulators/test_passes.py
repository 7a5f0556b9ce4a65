"""Labelled passes: seeded, resumed where they stood, and reduced as the edge itself does it."""

import gzip
from collections import Counter
from pathlib import Path
from threading import Event

import msgspec
import pytest
from typer.testing import CliRunner

from edge.sightings import Heard, Sightings
from models.reading import micros
from simulators import cli, passes, paths, radio
from simulators.passes import Head, Pass, head
from simulators.world import Chance

RUN = CliRunner()
STEP_CHZ = 100 / 16
"""The edge tells sixteenths of a hertz."""


def silent(_done: int, _total: int) -> None:
    """Nobody is shown."""


def by_the_edge(found: radio.Reads) -> list[passes.Sighting]:
    edge = Sightings("door-1", 0.5)
    told = []
    columns = (found.at_us, found.tag, found.antenna, found.rssi_dbm, found.doppler_hz)
    for at_us, tag, antenna, rssi, doppler in zip(*(column.tolist() for column in columns), strict=True):
        told += edge.due(at_us / 1e6)
        one = Heard(
            tag.to_bytes(12, "big"), antenna, at_us, at_us, rssi_cdbm=round(rssi * 100), doppler=round(doppler * 16)
        )
        edge.add(one, at_us / 1e6)
    told += edge.flush()
    return sorted(
        (
            int(each.epc, 16),
            micros(each.at),
            micros(each.first_at or each.at),
            each.antenna,
            round((each.rssi_dbm or 0) * 100),
            each.count or 0,
            round((each.doppler_hz or 0) * 100),
        )
        for each in told
    )


@pytest.mark.parametrize("seed", range(6))
def test_sightings_are_those_of_the_edge(seed: int) -> None:
    chance = Chance(seed)
    way = paths.through(chance, inward=True) if seed % 2 else paths.still(chance, inside=True, seconds=9)
    found = radio.reads(f"same/{seed}", 1_790_000_000_000_000, way, 1 + 4 * (seed % 3), 7)
    assert len(found.at_us) > 30
    ours, of_the_edge = passes.sightings(found), by_the_edge(found)
    assert [each[:-1] for each in ours] == [each[:-1] for each in of_the_edge]
    assert [each[-1] for each in ours] == pytest.approx([each[-1] for each in of_the_edge], abs=STEP_CHZ)


def test_the_mix() -> None:
    many = [passes.one(head("reference", 4, 400), number) for number in range(400)]
    kinds = Counter(each.kind for each in many)
    assert {kind: round(count / 4) for kind, count in kinds.items()} == pytest.approx(passes.MIX, abs=7)
    assert {each.tags for each in many} == {1, *range(5, 14)}
    sharing = [each.tags + each.others - 1 for each in many]
    assert 5 <= min(sharing) <= 6
    assert 30 < max(sharing) <= 60
    heard = sum(len({sighting[0] for sighting in each.sightings}) for each in many)
    assert 0.01 < 1 - heard / sum(each.tags for each in many) < 0.08


def read(path: Path) -> list[bytes]:
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz"])
def test_a_file_that_was_stopped_goes_on_and_is_the_same(tmp_path: Path, name: str) -> None:
    whole, part = tmp_path / f"whole-{name}", tmp_path / name
    of = head("close", 2, 130)
    assert passes.write(of, whole, silent, Event()) == passes.Written(130, 0, done=True)
    stop = Event()
    first = passes.write(of, part, lambda done, _total: stop.set() if done >= 50 else None, stop)
    assert first == passes.Written(50, 0, done=False)
    left = tmp_path / f"{name}.part"
    left.write_bytes(left.read_bytes() + b'{"what":"pass","num')
    assert passes.write(of, part, silent, Event()) == passes.Written(130, 50, done=True)
    assert part.read_bytes() == whole.read_bytes()
    lines = read(part)
    assert msgspec.json.decode(lines[0], type=Head) == of
    assert [msgspec.json.decode(line, type=Pass).number for line in lines[1:]] == list(range(130))


def test_what_another_seed_left_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    (tmp_path / "p.jsonl.part").write_bytes(b"".join(line + b"\n" for line in _lines(head("close", 9, 60))))
    assert passes.write(head("close", 2, 60), path, silent, Event()).resumed == 0
    assert read(path) == _lines(head("close", 2, 60))


def _lines(of: Head) -> list[bytes]:
    return [msgspec.json.encode(of), *(msgspec.json.encode(passes.one(of, number)) for number in range(of.passes))]


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    found = RUN.invoke(
        cli.app, ["passes", "--out", str(path), "--passes", "3", "--layout", "one-row", "--seed", "5", "--json"]
    )
    assert found.exit_code == 0, found.output
    assert msgspec.json.decode(read(path)[0])["inside"] == [1, 2]
    assert msgspec.json.decode(read(path)[0])["outside"] == []
    assert len(read(path)) == 4
    assert '"passes":3' in found.output.replace(" ", "")
    nowhere = RUN.invoke(cli.app, ["passes", "--out", str(tmp_path / "no" / "p"), "--passes", "3"])
    assert nowhere.exit_code == 3
    assert RUN.invoke(cli.app, ["passes", "--out", str(path), "--layout", "round"]).exit_code == 2
