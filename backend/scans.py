"""Scans from handhelds and other programs: journalled as gateway `api`, in an epoch of the process that writes."""

import secrets
from threading import Lock

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from backend.apply import apply
from backend.book import journal, sealed
from backend.book.db import repeated, write
from backend.book.journal import Arrival
from backend.book.schema import api_scan
from backend.registers import Registers
from models import wire
from models.errors import BadReading, Clash, Refused
from models.reading import Scan, from_micros, micros

GATEWAY = "api"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class ApiScans:
    """Takes scans one at a time; the caller's id makes a repeat harmless."""

    def __init__(self) -> None:
        self._registers = Registers()
        self._lock = Lock()
        self._epoch = "".join(secrets.choice(CROCKFORD) for _ in range(12))

    def put(self, book: Engine, ident: str, text: bytes, now: int) -> bool:
        """Commit one scan received at `now`; False if it was there.

        Raises BadReading for anything but a scan or one from the future, Clash if the id has other content, Refused for
        a time that is sealed.
        """
        reading = wire.decode(text)
        if not isinstance(reading, Scan):
            raise BadReading("kind: scan expected")
        wire.check_received(reading, from_micros(now))
        with self._lock:
            try:
                return repeated(lambda: self._put(book, ident, (text, reading), now))
            except IntegrityError:  # another process took in this very scan meanwhile: it is there now
                return repeated(lambda: self._put(book, ident, (text, reading), now))

    def _put(self, book: Engine, ident: str, scan: tuple[bytes, Scan], now: int) -> bool:
        text, reading = scan
        content = wire.content_hash(reading)
        with write(book) as tx:
            held = tx.scalar(select(api_scan.c.content).where(api_scan.c.id == ident))
            if held is not None:
                if bytes(held) != content:
                    raise Clash(f"id: scan {ident} exists with other content")
                return False
            register = self._registers.current(tx)
            if micros(reading.at) < (since := sealed.boundary(tx)):
                raise Refused(
                    f"at: {from_micros(since):%Y-%m-%dT%H:%M:%SZ} or later expected, what is before is sealed"
                )
            row = journal.lock_stream(tx, GATEWAY, self._epoch)
            device = journal.device_id(tx, row.gateway_id, reading.device, {})
            seq = row.mark + 1
            arrival = Arrival(row.id, seq, device, GATEWAY, reading, content, micros(reading.at), now, text)
            apply(tx, register, [arrival], now)
            journal.add(tx, [arrival])
            if not journal.raise_mark(tx, row, seq):
                msg = f"the mark of stream {row.id} moved under this transaction"
                raise RuntimeError(msg)
            tx.execute(insert(api_scan).values(id=ident, stream_id=row.id, seq=seq, content=content))
        return True
