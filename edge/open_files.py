"""How many connections a process may hold: each is an open file, and without one even the outbox cannot be opened."""

import logging
import resource

SPARE = 256
"""Kept free for everything else: the outbox, the broker, other devices."""
log = logging.getLogger(__name__)


def room_for(connections: int) -> int:
    """As many of so many connections as the system lets us have; its soft limit is raised if the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    room = max(1, min(connections, soft - SPARE))
    if room < connections:
        log.warning("%d connections instead of %d: the limit of open files is %d", room, connections, soft)
    return room
