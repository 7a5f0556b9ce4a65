"""What a listener does for many trackers at once: a task each, and a bug in one of them is not the others' concern."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Tasks:
    """Those that run. A bug ends one of them and is said once, not at each of its repetitions: `what` failed."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._running: set[asyncio.Task[Any]] = set()
        self._last_bug = ""

    def start(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        """Run it beside the others."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            bug = f"{type(error).__name__}: {error}"
            log.log(logging.DEBUG if bug == self._last_bug else logging.ERROR, "%s failed", self._what, exc_info=error)
            self._last_bug = bug
