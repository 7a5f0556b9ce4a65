"""How many connections a process may hold: each is an open file, and without one even the outbox cannot be opened."""

import logging
import resource
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

SPARE = 256
"""Kept free for everything else: the outbox, the broker, other devices."""
log = logging.getLogger(__name__)
_lock = Lock()
_promised: list[int] = []


@contextmanager
def room_for(connections: int) -> Generator[int]:
    """As many of so many connections as the system lets us have; its soft limit is raised if the hard one allows.

    They are promised for as long as the context lasts: no other listener is given them meanwhile.
    """
    with _lock:
        room = _room(connections, sum(_promised) + SPARE)
        _promised.append(room)
    try:
        yield room
    finally:
        with _lock:
            _promised.remove(room)


def _room(connections: int, spare: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + spare
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    room = max(1, min(connections, soft - spare))
    if room < connections:
        log.warning("%d connections instead of %d: the limit of open files is %d", room, connections, soft)
    return room
