"""Features that were made already: a folder beside the telemetry file, so that a training that was stopped goes on.

The folder belongs to the file's content and to the program that made the features; another of either is another folder.
"""

from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from models.predict import features, history, labels, normal
from models.predict.features import Raw
from models.predict.labels import Machine

MADE_BY = (history, normal, features, labels)
ARRAYS = ("times", "days", "recent", "figures", "day_spread")


class Kept:
    """One folder of machines."""

    def __init__(self, file: Path, digest: str, every_us: int) -> None:
        total = sha256(f"{digest} {every_us}".encode())
        for module in MADE_BY:
            total.update(Path(str(module.__file__)).read_bytes())
        root = file.with_name(f"{file.name}.features")
        self._folder = root / total.hexdigest()[:16]
        for old in root.glob("*") if root.is_dir() else ():
            if old != self._folder:
                rmtree(old, ignore_errors=True)

    def names(self) -> frozenset[str]:
        """The machines that are there."""
        listed = self._folder / "names"
        if not listed.exists():
            return frozenset()
        names = listed.read_text(encoding="utf-8").splitlines()
        return frozenset(name for name in names if self._path(name).exists())

    def load(self, name: str) -> Machine:
        """One of `names`. Raises OSError or ValueError if it cannot be read."""
        with np.load(self._path(name), allow_pickle=False) as found:
            raw = Raw(**{array: found[array] for array in ARRAYS})
            span = found["span"].tolist()
            digest = str(found["digest"])
            return Machine(name, raw, found["failures"], found["repairs"], (span[0], span[1]), digest)

    def save(self, machine: Machine) -> None:
        """Write it whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / "part"
        arrays: dict[str, Any] = {array: getattr(machine.raw, array) for array in ARRAYS}
        arrays |= {"failures": machine.failures, "repairs": machine.repairs}
        arrays |= {"span": np.array(machine.span), "digest": np.array(machine.digest)}
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(self._path(machine.name))
        with (self._folder / "names").open("a", encoding="utf-8") as names:
            names.write(f"{machine.name}\n")

    def _path(self, name: str) -> Path:
        return self._folder / f"{sha256(name.encode()).hexdigest()[:24]}.npz"
