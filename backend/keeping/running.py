"""Who uses a state_dir: every running backend holds a lock on it, and whoever replaces the book must be alone.

The lock is the kernel's (flock): it ends with its process, however that ends.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

NAME = "backend.lock"


class InUse(OSError):
    """A backend runs on this state_dir, or its book is being replaced."""


@contextmanager
def held(state_dir: Path) -> Generator[None]:
    """While a backend runs; several may. Raises InUse while the book is being replaced."""
    with _locked(state_dir, fcntl.LOCK_SH, "its book is being replaced"):
        yield


@contextmanager
def alone(state_dir: Path) -> Generator[None]:
    """While nobody else uses it. Raises InUse."""
    with _locked(state_dir, fcntl.LOCK_EX, "a backend runs on it: stop it first"):
        yield


@contextmanager
def _locked(state_dir: Path, how: int, why_not: str) -> Generator[None]:
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / NAME).open("a+b") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"{state_dir}: {why_not}"
            raise InUse(msg) from error
        yield
