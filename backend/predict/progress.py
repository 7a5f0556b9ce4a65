"""How far a long command is: a bar on a terminal, else a plain line for each thing that is done, at most every 2 s."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

EVERY_S = 2.0


class Shown:
    """Tells on standard error what is being done; use it as a context."""

    def __init__(self) -> None:
        self._what = ""
        self._next = 0.0
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task("", total=1)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def tell(self, what: str, done: int, total: int) -> None:
        """So much of something is done."""
        if self._bar:
            self._bar.update(self._task, description=what, completed=done, total=max(total, 1))
        elif what != self._what or time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            print(f"{what}: {100 * done // max(total, 1)} %", file=sys.stderr, flush=True)  # noqa: T201 - its purpose
        self._what = what
