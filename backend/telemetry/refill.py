"""A store that is emptied is filled from the journal, and of sealed days that has no readings any more.

So what another version filled is emptied only when somebody says so, and one that begins anew says from when on.
"""

import logging

from sqlalchemy import Engine

from backend.book import sealed
from backend.book.db import read
from backend.telemetry.store import Store, StoreAway
from models.reading import from_micros

log = logging.getLogger(__name__)


class NotRefilled(StoreAway):
    """The store would be emptied of what the journal cannot fill it with again."""


def check(book: Engine, store: Store) -> None:
    """Before `prepare`: raises NotRefilled where that would empty a store of what is gone from the journal."""
    with read(book) as tx:
        gone = sealed.gone_before(tx)
    if gone == sealed.EVER:
        return
    since = f"{from_micros(gone):%F}"
    if store.would_empty():
        msg = (
            f"telemetry: another version filled this store, and the readings before {since} are gone from the journal: "
            "`stockyard migrate --force` empties it, to begin there; or go on with the version that filled it"
        )
        raise NotRefilled(msg)
    if not store.positions().streams:
        log.warning(
            "the telemetry store is filled anew from %s on: readings of before are gone from the journal", since
        )


def begin(book: Engine, store: Store) -> None:
    """After `prepare`: one that has followed nothing yet is complete from where the journal is, and says so."""
    with read(book) as tx:
        gone = sealed.gone_before(tx)
    if gone != sealed.EVER and not store.positions().streams:
        store.forget(gone)
