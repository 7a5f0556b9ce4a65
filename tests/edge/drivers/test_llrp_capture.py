"""A capture file: what it holds, where it stops, and that nothing about it can end a driver."""

import errno
import logging
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from edge.drivers import llrp_capture
from edge.drivers.llrp_capture import Capture

LINE = b"stockyard-llrp-capture 1\n"
T = 1_800_000_000_000_000
MB = 2**20


def records(path: Path) -> list[tuple[int, bytes]]:
    """(host time, frame) of each record, by the format alone."""
    data = path.read_bytes()
    assert data.startswith(LINE)
    at, found = len(LINE), []
    while at < len(data):
        host_us, length = struct.unpack_from("!QI", data, at)
        found.append((host_us, data[at + 12 : at + 12 + length]))
        at += 12 + length
    assert at == len(data)
    return found


def test_frames_are_kept_as_they_came(tmp_path: Path, llrp: Any) -> None:
    path = tmp_path / "door.llrp"
    frames = [llrp.report(llrp.tag("ab" * 12)), llrp.event(utc_us=T)]
    capture = Capture(path, MB)
    assert not path.exists()
    for number, frame in enumerate(frames):
        capture.frame(T + number, frame)
    assert records(path) == [(T, frames[0]), (T + 1, frames[1])]
    capture.close()


@pytest.mark.parametrize("torn", [0, 1, 11, 12, 30])
def test_a_capture_is_continued_after_its_last_whole_record(tmp_path: Path, llrp: Any, torn: int) -> None:
    path, frame = tmp_path / "door.llrp", llrp.report(llrp.tag("ab" * 12))
    first = Capture(path, MB)
    first.frame(T, frame)
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[len(LINE) : len(LINE) + torn])
    again = Capture(path, MB)
    again.frame(T + 1, llrp.report())
    again.close()
    assert records(path) == [(T, frame), (T + 1, llrp.report())]


def test_a_long_capture_is_not_read_through_again_at_each_connection(
    tmp_path: Path, llrp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, frame = tmp_path / "door.llrp", llrp.report(llrp.tag("ab" * 12))
    capture = Capture(path, MB)
    capture.frame(T, frame)
    capture.close()
    monkeypatch.setattr(llrp_capture, "whole_bytes", None)
    capture.frame(T + 1, frame)
    capture.close()
    assert records(path) == [(T, frame), (T + 1, frame)]


def test_a_capture_that_was_cut_meanwhile_is_read_through(tmp_path: Path, llrp: Any) -> None:
    path, frame = tmp_path / "door.llrp", llrp.report(llrp.tag("ab" * 12))
    capture = Capture(path, MB)
    capture.frame(T, frame)
    capture.close()
    path.write_bytes(b"")
    capture.frame(T + 1, frame)
    capture.close()
    assert records(path) == [(T + 1, frame)]


def test_a_pipe_is_no_capture_and_nothing_waits_for_it(
    tmp_path: Path, llrp: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    Capture(path, MB).frame(T, llrp.report())
    assert "is not a capture" in one_error(caplog)


def test_a_full_capture_ends_and_says_so_once(tmp_path: Path, llrp: Any, caplog: pytest.LogCaptureFixture) -> None:
    path, frame = tmp_path / "door.llrp", llrp.report(llrp.tag("ab" * 12))
    size = len(LINE) + 2 * (12 + len(frame))
    capture = Capture(path, size)
    for _ in range(10):
        capture.frame(T, frame)
    assert capture.ended
    assert records(path) == [(T, frame)] * 2
    assert [record.getMessage() for record in caplog.records] == [
        f"capture {path}: full: {size} of {size} bytes, nothing more is kept"
    ]
    larger = Capture(path, MB)
    larger.frame(T, frame)
    larger.close()
    assert len(records(path)) == 3


def one_error(caplog: pytest.LogCaptureFixture) -> str:
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    return record.getMessage()


def test_another_file_of_that_name_is_not_touched(tmp_path: Path, llrp: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"stockyard-llrp-capture 2\n and more")
    capture = Capture(path, MB)
    for _ in range(2):
        capture.frame(T, llrp.report())
    assert path.read_bytes() == b"stockyard-llrp-capture 2\n and more"
    assert "is not a capture" in one_error(caplog)


@pytest.mark.parametrize("name", ["", "missing/door.llrp"])
def test_a_path_that_cannot_be_written_is_one_line(
    tmp_path: Path, llrp: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    capture = Capture(tmp_path / name, MB)
    for _ in range(3):
        capture.frame(T, llrp.report())
    assert str(tmp_path) in one_error(caplog)


def test_two_devices_do_not_share_a_file(tmp_path: Path, llrp: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "door.llrp"
    first, second = Capture(path, MB), Capture(path, MB)
    first.frame(T, llrp.report())
    second.frame(T, llrp.report())
    first.frame(T, llrp.report())
    assert (second.ended, len(records(path))) == (True, 2)
    assert "nothing more is kept" in one_error(caplog)
    first.close()


def test_a_disk_that_fails_ends_the_capture_after_its_last_whole_record(
    tmp_path: Path, llrp: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, frame = tmp_path / "door.llrp", llrp.report(llrp.tag("ab" * 12))
    room = [10_000]

    class Disk(llrp_capture.FileIO):
        def write(self, data: Any, /) -> int:
            if not room[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = min(room[0], len(data))
            room[0] -= taken
            return super().write(data[:taken])

    monkeypatch.setattr(llrp_capture, "FileIO", Disk)
    capture = Capture(path, MB)
    capture.frame(T, frame)
    room[0] = 20
    for _ in range(5):
        capture.frame(T + 1, frame)
    assert records(path) == [(T, frame)]
    assert f"20 of {12 + len(frame)} bytes written" in one_error(caplog)
