import errno
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.torture.disks import LimitedFiles, SmallDisk, can_mount
from simulators.torture.parts import Part, PartFailed, wait_for

WRITER = """
import time
with open("written", "ab", buffering=0) as file:
    while True:
        try:
            file.write(bytes(4096))
            print("written", flush=True)
        except OSError as error:
            print(error, flush=True)
        time.sleep(0.02)
"""


def test_a_small_disk_is_full_until_it_is_freed_and_its_files_stay(tmp_path: Path) -> None:
    if not can_mount(tmp_path / "tried"):
        pytest.skip("this user may not mount a file system")
    folder = tmp_path / "disk"
    disk = SmallDisk(folder, 2)
    try:
        (folder / "kept").write_bytes(b"x" * 100_000)
        disk.fill()
        with pytest.raises(OSError, match="No space left") as full:
            (folder / "more").write_bytes(b"x" * 10_000)
        assert full.value.errno == errno.ENOSPC
        disk.free()
        (folder / "more").write_bytes(b"x" * 10_000)
    finally:
        disk.close()
    assert sorted(file.name for file in folder.iterdir()) == ["kept", "more"]
    assert str(folder) not in Path("/proc/mounts").read_text()


def test_who_may_not_mount_limits_the_files_of_the_process(tmp_path: Path) -> None:
    part = Part("writer", tmp_path, [sys.executable, "-c", WRITER])
    disk = LimitedFiles(part)
    with pytest.raises(PartFailed):
        disk.fill()
    part.start()
    try:
        wait_for("the first write", part.said, 10)
        disk.fill()
        wait_for("a write that is refused", lambda: "File too large" in part.said(), 10)
        disk.free()
        refused = part.said().count("File too large")
        wait_for("writes again", lambda: part.said().endswith("written\n"), 10)
        assert part.said().count("File too large") <= refused + 1
    finally:
        part.drop()


def test_nobody_but_root_may_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert not can_mount(tmp_path / "tried")
    monkeypatch.setattr("os.geteuid", lambda: 0)

    def refused(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(32, "mount")

    monkeypatch.setattr("subprocess.run", refused)
    assert not can_mount(tmp_path / "tried")
