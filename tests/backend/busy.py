"""A backend that commits all the time, and how much its book holds."""

import threading
import time

from sqlalchemy import func, select

from backend.book import schema
from backend.book.db import open_engine, read
from backend.config import Config
from backend.ingest import Ingest
from models.reading import Signal, from_micros
from models.wire import encode
from tests.backend.books import batch

EPOCH = "BACK00000000"


class Busy:
    """A backend that commits all the time."""

    def __init__(self, config: Config, committed: int = 0) -> None:
        self.book = open_engine(config.book.url, config.state_dir / "book.db")
        self.committed = committed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        ingest = Ingest(self.book, lambda: time.time_ns() // 1000)
        while not self._stop.is_set():
            self.commit(ingest)

    def commit(self, ingest: Ingest) -> None:
        now = time.time_ns() // 1000
        texts = [encode(Signal("crane-2", from_micros(now + k), "load", float(k), "kg")) for k in range(50)]
        ingest.take([batch(EPOCH, self.committed + 1, texts)])
        self.committed += 50

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        self.book.dispose()


def counted(config: Config) -> tuple[int, int]:
    """Marks and rows of the journal."""
    book = open_engine(config.book.url, config.state_dir / "book.db")
    with read(book) as tx:
        marks = tx.scalar(select(func.sum(schema.stream.c.mark)))
        rows = tx.scalar(select(func.count()).select_from(schema.journal))
    book.dispose()
    return int(marks or 0), int(rows or 0)


def quiet(_what: str, _done: int, _total: int) -> None: ...
