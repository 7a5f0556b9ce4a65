"""Which parts of the backend this process runs, and which gateways it takes in, where several processes share a book.

A part other than the API is run by one process at a time; the others stand by. With a SQLite book all processes are on
one machine, and the kernel says who runs what (flock): it ends with its process. With a PostgreSQL book the book says
so, and gateways are shared alike among all processes that ingest (backend.book.lease).
"""

import fcntl
import logging
import os
import secrets
import socket
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event
from time import monotonic
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from backend.book import lease
from backend.book.lease import GATEWAY, LEASE_US, PART, Wanted

log = logging.getLogger(__name__)
TURN_S = 1.0
LOOK_S = 0.2
Run = Callable[[Event], None]


class Leases(Protocol):
    """Who may run what."""

    def run(self, stop: Event) -> None:
        """Keep what this process holds, until stop; then others may have it."""
        ...

    def while_held(self, part: str, run: Run) -> Run:
        """`run`, begun whenever this process may run that part and ended when it may not any more."""
        ...


def _nothing() -> None:
    """Nobody need know who stands by."""


class FileLeases:
    """Of processes on one machine that share a state_dir."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "leases"

    def run(self, stop: Event) -> None:
        """Nothing to do: the kernel keeps them."""
        stop.wait()

    def while_held(self, part: str, run: Run, waiting: Callable[[], None] = _nothing) -> Run:
        """`run`, begun when no other process runs that part; `waiting` is called again and again until then."""

        def guarded(stop: Event) -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / part).open("ab") as file:
                while not stop.is_set():
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        waiting()
                        stop.wait(LOOK_S)
                        continue
                    run(stop)
                    return

        return guarded


class BookLeases:
    """Of processes anywhere that share a PostgreSQL book. `follow` is told the gateways each time they change."""

    def __init__(self, book: Engine, wanted: Wanted, follow: Callable[[Collection[str]], None]) -> None:
        self._book = book
        self._wanted = wanted
        self._follow = follow
        self._me = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(8)}"
        self._held: Mapping[str, int] = {}
        self._over: dict[str, Event] = {}
        """Of each part that is held: set when it is not any more."""
        self._changed = Condition()
        self._poked = Event()
        self._is_away = False

    def run(self, stop: Event) -> None:
        """Take a turn each second, or when there is a new gateway; at the end give up everything."""
        renewed = monotonic()
        while not stop.is_set():
            try:
                with self._session() as session:
                    while not stop.is_set():
                        with session.begin():
                            held = lease.turn(session, self._me, self._wanted)
                        renewed = monotonic()
                        self._take(held)
                        self._poked.wait(TURN_S)
                        self._poked.clear()
                    with session.begin():
                        lease.release(session, self._me)
            except DBAPIError as error:
                self._say_away(error)
            if monotonic() - renewed > LEASE_US / 1_000_000:
                self._take({})
            stop.wait(TURN_S)
        self._take({})

    def poke(self) -> None:
        """Look at once: there is a new gateway, or the process ends."""
        self._poked.set()

    def while_held(self, part: str, run: Run) -> Run:
        """`run`, begun whenever this process holds the part."""

        def guarded(stop: Event) -> None:
            while not stop.is_set():
                with self._changed:
                    over = self._over.get(part)
                    if over is None:
                        self._changed.wait(LOOK_S)
                if over is not None:
                    run(over)

        return guarded

    def lost(self, tx: Connection, gateways: Collection[str]) -> Collection[str]:
        """Which of these gateways are not this process's, asked of the book in the transaction that works for them."""
        held = {name: self._held[name] for each in gateways if (name := f"{GATEWAY}{each}") in self._held}
        still = lease.still_held(tx, self._me, held)
        return {each for each in gateways if f"{GATEWAY}{each}" not in still}

    @contextmanager
    def _session(self) -> Generator[Connection]:
        with self._book.connect() as session:
            try:
                with session.begin():
                    session.exec_driver_sql("SET idle_in_transaction_session_timeout = '3s'")
                    lease.live(session, self._me)
                if self._is_away:
                    log.info("leases: the book is back")
                self._is_away = False
                yield session
            finally:
                session.invalidate()  # with its session ends the life of this worker, for all others

    def _take(self, held: Mapping[str, int]) -> None:
        before, self._held = self._held, held
        with self._changed:
            for name in [*self._over]:
                if held.get(f"{PART}{name}") != before.get(f"{PART}{name}"):
                    self._over.pop(name).set()
            for name in self._wanted.parts:
                if f"{PART}{name}" in held:
                    self._over.setdefault(name, Event())
            self._changed.notify_all()
        if held.keys() != before.keys():
            gained, gone = sorted(held.keys() - before.keys()), sorted(before.keys() - held.keys())
            log.info("leases: %d held; taken %s; given up %s", len(held), gained[:20], gone[:20])
            self._follow({each.removeprefix(GATEWAY) for each in held if each.startswith(GATEWAY)})

    def _say_away(self, error: DBAPIError) -> None:
        if not self._is_away:
            log.warning("leases: the book is away: %s", error.orig)
        self._is_away = True
