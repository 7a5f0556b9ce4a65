"""The prover: links new records about assets into the chain of proofs shortly after they were written."""

from threading import Event

from sqlalchemy import Engine

from backend.book import proofs
from backend.book.db import read, write

EVERY_S = 1.0


class Prover:
    """One worker; it holds nothing."""

    def __init__(self, book: Engine) -> None:
        self._book = book

    def run(self, stop: Event) -> None:
        """Work until stop."""
        while not stop.is_set():
            if not self.step():
                stop.wait(EVERY_S)

    def step(self) -> int:
        """Link what is new, if anything is; how many records."""
        with read(self._book) as tx:
            if not proofs.is_behind(tx):
                return 0
        with write(self._book) as tx:
            return proofs.bring_up(tx)
