"""Workers on threads: a bug in one is logged once and that worker is started again; the others go on."""

import logging
from collections.abc import Callable
from threading import Event, Thread

log = logging.getLogger(__name__)
AGAIN_S = 1.0


def start(name: str, run: Callable[[Event], None], stop: Event) -> Thread:
    """Run `run(stop)` on a thread of this name until stop."""
    thread = Thread(target=_run, args=(name, run, stop), name=name, daemon=True)
    thread.start()
    return thread


def _run(name: str, run: Callable[[Event], None], stop: Event) -> None:
    while not stop.is_set():
        try:
            run(stop)
        except Exception:  # the top of a thread: the only place that may swallow a bug, once it is logged
            log.exception("%s failed and is started again", name)
            stop.wait(AGAIN_S)
