"""Disks that can be full: a small file system of one's own where that is allowed, else a limit on the size of files."""

import errno
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from simulators.torture.parts import Part

MIB = 1 << 20
CHUNKS = (1 * MIB, 64 * 1024, 4096, 512)
ROOM_LEFT = 64 * 1024


class Disk(Protocol):
    """Where one part keeps its files."""

    def fill(self) -> None:
        """From now on nothing more fits."""
        ...

    def free(self) -> None:
        """There is room again."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class SmallDisk:
    """A tmpfs at `folder`, filled by a file of ballast: a write says that no space is left on the device."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        self._folder, self._ballast = folder, folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        options = f"size={size_mb}m,mode=700"
        command = ["mount", "-t", "tmpfs", "-o", options, "stockyard-torture", str(folder)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own folder

    def fill(self) -> None:
        """Take what room there is."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in CHUNKS:
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount, but leave what was there in an ordinary folder."""
        kept = self._folder.with_name(f"{self._folder.name}.kept")
        shutil.copytree(self._folder, kept)
        subprocess.run(["umount", "-l", str(self._folder)], check=True, capture_output=True)  # noqa: S603, S607 - as above
        self._folder.rmdir()
        kept.rename(self._folder)


class LimitedFiles:
    """For who may not mount: no file of the part's process can grow beyond what its log needs."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._before: tuple[int, int] | None = None
        self._hurt = 0

    def fill(self) -> None:
        """Limit the process that runs now."""
        self._hurt = self._part.running().pid
        most = (self._part.log.stat().st_size if self._part.log.exists() else 0) + ROOM_LEFT
        self._before = resource.prlimit(self._hurt, resource.RLIMIT_FSIZE)
        resource.prlimit(self._hurt, resource.RLIMIT_FSIZE, (most, self._before[1]))

    def free(self) -> None:
        """Take the limit from the process, if it is still the same one."""
        process = self._part.process
        if self._before is not None and process is not None and process.pid == self._hurt:
            resource.prlimit(self._hurt, resource.RLIMIT_FSIZE, self._before)
        self._before = None

    def close(self) -> None:
        """Nothing is kept."""


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a file system: tried, because being root does not say it in a container."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    try:
        SmallDisk(folder, 1).close()
    except (OSError, subprocess.CalledProcessError):
        return False
    shutil.rmtree(folder)
    return True
