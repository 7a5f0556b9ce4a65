"""The outbox when things break: kill -9, a full disk, an error of the disk, a damaged file."""

import logging
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge.outbox import Outbox
from models.reading import Signal

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def signals(first: int, count: int, name: str = "load") -> list[Signal]:
    return [Signal("crane-2", AT, name, float(number), "kg") for number in range(first, first + count)]


def values(outbox: Outbox, epoch: str) -> list[float]:
    seq, found = 1, list[float]()
    while rows := outbox.rows(epoch, seq, 500):
        found += [msgspec.json.decode(text)["value"] for _, text in rows]
        seq = rows[-1][0] + 1
    return found


def epochs(outbox: Outbox) -> list[str]:
    return [line.epoch for line in outbox.lines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox lives; its folder is made on opening."""
    return tmp_path / "state" / "outbox.db"


def test_a_file_that_is_no_outbox_is_put_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    outbox = Outbox(path)
    outbox.put(signals(0, 1)).result(5)
    outbox.close()
    assert [aside.name.startswith("outbox.db.damaged-") for aside in path.parent.glob("*damaged*")] == [True]


def test_an_outbox_that_turns_out_damaged_is_put_aside_and_the_next_put_succeeds(path: Path) -> None:
    outbox = Outbox(path)
    outbox.put(signals(0, 3000)).result(5)
    outbox.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    outbox = Outbox(path)
    assert isinstance(outbox.put(signals(0, 1)).exception(5), sqlite3.DatabaseError | None)
    outbox.put(signals(1, 1)).result(5)
    assert values(outbox, epochs(outbox)[-1])[-1] == 1
    outbox.close()
    assert list(path.parent.glob("*damaged*"))


KILLED = """
import sys, datetime
from pathlib import Path
from edge.outbox import Outbox
from models.reading import Signal
outbox = Outbox(Path(sys.argv[1]))
at = datetime.datetime.now(datetime.UTC)
number = 0
while True:
    outbox.put([Signal("crane-2", at, "load", float(number + k), "kg") for k in range(7)]).result()
    number += 7
    print(number, flush=True)
"""


def test_what_was_resolved_survives_kill_9(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    told = [int(process.stdout.readline()) for _ in range(8)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split()]
    process.stdout.close()
    process.wait()
    outbox = Outbox(path)
    found = values(outbox, epochs(outbox)[0])
    assert found == [float(number) for number in range(len(found))]
    assert len(found) >= told[-1]
    outbox.close()


FULL = """
import datetime, resource, signal, sys
from pathlib import Path
from edge.outbox import Outbox
from models.reading import Signal
at = datetime.datetime.now(datetime.UTC)
outbox = Outbox(Path(sys.argv[1]))
def put():
    return outbox.put([Signal("crane-2", at, "load", 1.0, "kg")] * 1000).exception(10)
assert put() is None
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
errors = [put() for _ in range(5)]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert put() is None
outbox.close()
print([type(error).__name__ for error in errors])
"""


def test_a_full_disk_is_told_to_who_put_and_heals_when_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert "OperationalError" in done.stdout
    outbox = Outbox(path)
    line = outbox.lines()[0]
    resolved = done.stdout.count("NoneType") + 2
    assert line.next_seq - 1 == len(values(outbox, line.epoch)) >= 1000 * resolved
    outbox.close()


def test_an_error_is_logged_once_and_its_end_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(path)
    with monkeypatch.context() as broken:
        error = sqlite3.OperationalError("disk I/O error")
        broken.setattr(outbox._file, "append", lambda *_args, **_fresh: (_ for _ in ()).throw(error))
        futures: list[Future[None]] = [outbox.put(signals(0, 1)) for _ in range(3)]
        assert [future.exception(5) for future in futures] == [error] * 3
        assert outbox.put(signals(0, 1)).exception(5) is error
    with caplog.at_level(logging.WARNING):
        outbox.put(signals(1, 1)).result(5)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "outbox: commits succeed again"
    ]
    assert sum("commit failed" in record.message for record in caplog.records) == 1
    assert values(outbox, epochs(outbox)[0]) == [1.0]
    outbox.close()
