"""How far a long command is: a bar on a terminal, else a plain line every two seconds; JSON lines when asked for."""

import sys
import time
from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EVERY_S = 2.0


class Shown:
    """Shows `done` of `total` of something; use it as a context. Everything but JSON goes to standard error."""

    def __init__(self, what: str, *, as_json: bool) -> None:
        self._what = what
        self._json = as_json
        self._next = 0.0
        self._bar: Progress | None = None
        if not as_json and sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(what)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, done: int, total: int, waiting_for: str = "") -> None:
        """Done so far, of a total that may still be an estimate, and what else is waited for."""
        note = f"; {waiting_for}" if waiting_for else ""
        if self._bar:
            self._bar.update(self._task, completed=done, total=max(total, 1), description=self._what + note)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            if self._json:
                facts = {"state": self._what, "done": done, "total": total, "waiting_for": waiting_for or None}
                print(msgspec.json.encode(facts).decode(), flush=True)  # noqa: T201 (the command's output)
            else:
                print(f"{self._what}: {done:,} of {total:,}{note}", file=sys.stderr, flush=True)  # noqa: T201 (likewise)
