"""That the account can fail: each kind of difference is made once and must be found."""

import sqlite3
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from models import logline
from models.reading import Tag, from_micros
from models.wire import encode
from simulators.torture import account, books

NOW_US = 1_700_000_000_000_000
EPOCH, EPCS = "7Q2M0X9KD4TB", ["3034257bf7194e4000001a85", "3034257bf7194e4000001a86"]
OUTBOX = """CREATE TABLE epochs(epoch, next_seq, mark, highest_receipted);
CREATE TABLE readings(epoch, seq, text)"""
BOOK = """CREATE TABLE stream(id, epoch, mark); CREATE TABLE gap(n); CREATE TABLE quarantine(n);
CREATE TABLE journal(stream_id, seq, body)"""


def tag(epc: str) -> bytes:
    at = from_micros(NOW_US)
    return encode(Tag("door-1", at, first_at=at, epc=epc, antenna=1, rssi_dbm=-60.0, count=1))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two readings that are everywhere where they should be."""
    rows = [(seq, tag(epc)) for seq, epc in enumerate(EPCS, 1)]
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as outbox, outbox:
        outbox.executescript(OUTBOX)
        outbox.execute("INSERT INTO epochs VALUES (?, 3, 2, 2)", (EPOCH,))
        outbox.executemany("INSERT INTO readings VALUES (?, ?, ?)", [(EPOCH, *row) for row in rows])
    with closing(sqlite3.connect(tmp_path / "book.db")) as book, book:
        book.executescript(BOOK)
        book.execute("INSERT INTO stream VALUES (1, ?, 2)", (EPOCH,))
        book.executemany("INSERT INTO journal VALUES (1, ?, ?)", rows)
    (tmp_path / "truth.jsonl").write_text("".join(f'{{"epc": "{epc}", "at_us": {NOW_US}}}\n' for epc in EPCS))
    return tmp_path


def change(file: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as book, book:
        book.execute(sql, values)


def differences(site: Path) -> list[str]:
    held = books.account([site / "outbox.db"], site / "book.db", [site / "truth.jsonl"])
    return account.numbers(held).differences + account.cartons(held).differences


def test_two_books_that_agree(site: Path) -> None:
    assert differences(site) == []


@pytest.mark.parametrize(
    ("file", "sql", "found"),
    [
        ("book.db", "DELETE FROM journal WHERE seq = 2", [f"lost: {EPOCH} 2", f"lost after its commit: {EPCS[1]}"]),
        ("book.db", "INSERT INTO journal SELECT * FROM journal WHERE seq = 1", [f"doubled: {EPOCH} 1", EPCS[0]]),
        ("book.db", "UPDATE journal SET body = replace(body, '-60', '-61') WHERE seq = 1", [f"strange: {EPOCH} 1"]),
        ("book.db", "INSERT INTO gap VALUES (1)", ["1 rows of gap"]),
        ("book.db", "INSERT INTO quarantine VALUES (1)", ["1 rows of quarantine"]),
        ("outbox.db", "DELETE FROM readings WHERE seq = 2", [f"strange: {EPOCH} 2"]),
    ],
)
def test_every_difference_is_found(site: Path, file: str, sql: str, found: list[str]) -> None:
    change(site / file, sql)
    said = differences(site)
    assert all(any(each in line for line in said) for each in found), said


def test_a_reading_of_nobody_and_a_reading_twice_under_two_numbers(site: Path) -> None:
    (site / "truth.jsonl").write_text(f'{{"epc": "{EPCS[0]}", "at_us": {NOW_US}}}\n')
    assert differences(site) == [f"read by nobody: {EPCS[1]}"]
    change(site / "book.db", "UPDATE journal SET body = ? WHERE seq = 2", tag(EPCS[0]))
    assert f"more than once: {EPCS[0]}" in differences(site)


@pytest.mark.parametrize(
    "sql", ["UPDATE epochs SET mark = 1", "UPDATE epochs SET next_seq = 4", "UPDATE epochs SET mark = 3, next_seq = 4"]
)
def test_it_is_drained_only_when_both_sides_say_so(site: Path, sql: str) -> None:
    drain = account.Drain(site / "outbox.db", site / "book.db", 0.0)
    assert not drain.still()
    change(site / "outbox.db", sql)
    begun = drain.took_s
    while drain.took_s < begun + 2 * account.STILL_S:
        assert not drain.still()
    assert EPOCH in str(drain) or "1 of 3 rows wait" in str(drain)
    late = account.drained(drain, 1.0, done=False)
    assert not late.ok


def test_it_is_drained_after_half_a_second_of_stillness_which_does_not_count(site: Path) -> None:
    drain = account.Drain(site / "outbox.db", site / "book.db", 0.0)
    drain.still()
    met = drain.took_s
    while not drain.still():
        pass
    assert drain.took_s - met < account.STILL_S
    assert account.drained(drain, drain.took_s + 1, done=True).ok
    assert not account.drained(drain, drain.took_s - 1, done=True).ok


def test_a_bug_in_a_log_as_the_parts_write_it_is_found() -> None:
    trace = f"{account.TRACEBACK}\n  File x\n{''.join(traceback.format_exception(KeyError('gone')))}"
    log = logline.as_text("2026 ERROR x", "failed and is started again", {}, trace) + "\n2026 INFO x fine"
    assert list(account.errors(log.splitlines())) == ["KeyError: 'gone'"]


def test_what_a_log_ends_in() -> None:
    log = """fine
Traceback (most recent call last):
  File "x.py", line 1, in f
    return g(
          ^^
sqlite3.OperationalError: database or disk is full

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "y.py", line 1, in h
KeyError: 'gateway'
fine again"""
    assert list(account.errors(log.splitlines())) == [
        "sqlite3.OperationalError: database or disk is full",
        "KeyError: 'gateway'",
    ]
