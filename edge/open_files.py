"""How many connections a process may hold: each is an open file, and without one even the outbox cannot be opened."""

import logging
import resource
from threading import Lock

SPARE = 256
"""Kept free for everything else: the outbox, the broker, other devices."""
log = logging.getLogger(__name__)
_lock = Lock()
_promised: dict[str, int] = {}


def room_for(connections: int, whose: str = "") -> int:
    """As many of so many connections as the system lets us have; its soft limit is raised if the hard one allows.

    What others have been promised is left to them, until they give it back.
    """
    with _lock:
        others = sum(room for name, room in _promised.items() if name != whose)
        room = _promised[whose] = _room(connections, others + SPARE)
    return room


def give_back(whose: str) -> None:
    """No more connections are wanted."""
    with _lock:
        _promised.pop(whose, None)


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
