"""Finds gateways that nobody takes in yet: one process of those that share a book hears everything, and keeps nothing.

It hears at QoS 0 and commits only the names of new gateways; who takes such a gateway in hears it again from the edge.
"""

from collections.abc import Callable
from threading import Event

from sqlalchemy import Engine, select

from backend.book import schema
from backend.book.db import read, write
from backend.book.journal import gateway_id
from backend.ingest import Message
from backend.transport.port import Transport
from models import wire
from models.errors import BadEnvelope

WAIT_S = 0.5
AT_ONCE = 200


class Discovery:
    """One worker on a transport of its own; `found` is called when there is a new gateway."""

    def __init__(self, book: Engine, connect: Callable[[], Transport], found: Callable[[], None]) -> None:
        self._book = book
        self._connect = connect
        self._found = found
        self._known: set[str] = set()

    def run(self, stop: Event) -> None:
        """Work until stop."""
        transport = self._connect()
        transport.follow(None)
        transport.start()
        try:
            while not stop.is_set():
                self.note(transport.take(WAIT_S, 0.0, AT_ONCE))
        finally:
            transport.stop()

    def note(self, messages: list[Message]) -> None:
        """Give a row to each gateway that is new and has said something that can be read."""
        new = {name for each in messages if (name := self._sender(each)) is not None}
        if not new:
            return
        with read(self._book) as tx:
            self._known = {*tx.scalars(select(schema.gateway.c.name))}
        if new := new - self._known:
            with write(self._book) as tx:
                for name in sorted(new):
                    gateway_id(tx, name)
            self._known |= new
            self._found()

    def _sender(self, message: Message) -> str | None:
        """Who sent it, if that is nobody who is known and it is as the contract has it."""
        try:
            name = wire.gateway_of(message.topic)
            if name in self._known:
                return None
            if message.topic.endswith("/status"):
                wire.decode_status(message.payload)
            else:
                wire.decode_batch(message.payload)
        except BadEnvelope:
            return None
        return name
