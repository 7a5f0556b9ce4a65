"""Either side comes back as it was a while ago, by real processes: a book from a backup, an outbox from an older copy.

`test_kill9` has the restarts by force; here both sides also end and begin in good order.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from simulators.torture import books
from simulators.torture.parts import wait_for
from tests.system.plant import Plant, say

UP_S, DRAINED_S, MORE = 45.0, 30.0, 300
pytestmark = pytest.mark.timeout(150)


def backup(source: Path, target: Path) -> None:
    """A consistent copy of a database that is in use."""
    target.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(source)) as book, closing(sqlite3.connect(target)) as copy:
        book.backup(copy)


def restore(copy: Path, target: Path) -> None:
    """Put a copy in the place of a database that nobody uses."""
    for file in target.parent.glob(f"{target.name}-*"):
        file.unlink(missing_ok=file.suffix != ".lock")
    shutil.copy2(copy, target)


def test_a_book_restored_from_a_backup_gets_again_what_it_misses(plant: Plant) -> None:
    backend, edge, copy = plant.parts["backend"], plant.parts["edge"], plant.folder / "backup" / "book.db"
    backup(plant.book, copy)
    marks = books.marks(copy)
    wait_for("more readings", lambda: sum(books.marks(plant.book).values()) > sum(marks.values()) + MORE, UP_S)
    edge.end()
    edge.start()
    plant.await_up(UP_S)
    backend.end()
    forgotten = sum(books.marks(plant.book).values()) - sum(marks.values())
    restore(copy, plant.book)
    assert books.marks(plant.book) == marks
    backend.start()
    plant.await_up(UP_S)
    account = plant.settle(DRAINED_S)
    say(f"{forgotten} readings forgotten; outbox {len(account.outbox)}, journal {len(account.journal)}")
    assert forgotten > MORE
    assert (account.strange, account.extra) == ([], {"gap": 0, "quarantine": 0})
    assert len(account.journal) == len(account.outbox)


def test_an_older_outbox_is_noticed_numbers_anew_and_takes_nothing_back(plant: Plant) -> None:
    """Restored in its place, then in a second gateway of the name: what one of both has is kept, each once."""
    edge, twin, copy = plant.parts["edge"], plant.parts["twin"], plant.folder / "copy" / "outbox.db"
    backup(plant.outbox, copy)
    (epoch,) = books.receipted(copy)
    (committed, _) = books.depth(copy)
    wait_for("more readings", lambda: books.marks(plant.book)[epoch] > committed + MORE, UP_S)
    edge.end()
    lost = len(books.account([plant.outbox], plant.book, []).outbox) - committed
    restore(copy, plant.outbox)
    assert books.depth(plant.outbox)[0] == committed
    edge.start()
    plant.await_up(UP_S)
    shared = "SELECT count(*) FROM alert WHERE rule = 'outbox_shared' AND state = 'open'"
    wait_for("the alert", lambda: books.query(plant.book, shared) == [(1,)], UP_S)
    assert books.receipted(plant.outbox)[epoch] == committed
    plant.twin_outbox.parent.mkdir()
    shutil.copy2(copy, plant.twin_outbox)
    twin.start()
    wait_for("the twin's own epoch", lambda: len(books.receipted(plant.twin_outbox)) == 2, UP_S)
    edge.kill()  # whichever of them had a reader, the twin has both now
    plant.await_up(UP_S)
    plant.end_readers()
    edge.start()
    wait_for("nothing waits", lambda: books.depth(plant.outbox)[1] == books.depth(plant.twin_outbox)[1] == 0, DRAINED_S)
    account = books.account([plant.outbox, plant.twin_outbox], plant.book, plant.truths)
    gone = {key: text for key, text in account.journal if key not in account.outbox}
    say(f"{lost} readings gone from the outbox; both {len(account.outbox)}, journal {len(account.journal)}")
    assert (account.lost, account.doubled, account.extra) == ([], [], {"gap": 0, "quarantine": 0})
    assert {key[0] for key in gone} == {epoch}
    assert len(gone) == lost >= MORE
    assert account.doubled_content == []
    assert plant.broken_invariants() == []
    plant.check_logs()
