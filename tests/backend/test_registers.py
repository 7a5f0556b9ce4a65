"""The register is loaded once for all workers of a process, and anew when an entry was added; names of devices."""

import time
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection

from backend import registers
from backend.book import register
from backend.book.db import read, write
from backend.hours_step import HOURS
from backend.registers import Registers, states
from models.declared import Device, Location, Tracker
from models.reading import Input, from_micros
from models.register import Register
from tests.backend.books import Template, Yard

ON_BOTH = True


def test_workers_share_what_was_loaded(yard: Yard) -> None:
    with read(yard.book) as tx:
        held = Registers().current(tx)
        assert Registers().current(tx) is held
    with write(yard.book) as tx:
        register.put(tx, "locations", "bay", Location("Bay"), valid_from=0, actor="test", now=1)
    with read(yard.book) as tx:
        anew = Registers().current(tx)
        assert anew is not held
        assert anew.get("locations", "bay", 1) == Location("Bay")
        assert held.get("locations", "bay", 1) is None


def test_workers_that_begin_at_once_load_it_once(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, met = list[int](), Barrier(3)

    def slowly(tx: Connection) -> Register:
        loads.append(1)
        time.sleep(0.2)
        return register.load(tx)

    def worker() -> None:
        with read(yard.book) as tx:
            met.wait(10)
            found.append(Registers().current(tx))

    registers._held.clear()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(registers, "load", slowly)
    found = list[Register]()
    threads = [Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(loads) == 1
    assert len({id(each) for each in found}) == 1
    assert len(found) == 3


def test_what_is_rolled_back_is_kept_by_nobody(yard: Yard) -> None:
    with read(yard.book) as tx:
        held = Registers().current(tx)
    connection = yard.book.connect()
    with connection.begin() as transaction:
        register.put(connection, "locations", "bay", Location("Bay"), valid_from=0, actor="test", now=1)
        transaction.rollback()
    connection.close()
    with read(yard.book) as tx:
        assert Registers().current(tx) is held


def test_each_book_has_its_own(yard: Yard, template: Template, tmp_path: Path) -> None:
    other = Yard.copy(template, tmp_path / "other.db", yard.clock.now)
    with read(yard.book) as tx, read(other.book) as beside:
        assert Registers().current(tx) is not Registers().current(beside)
    other.book.dispose()


def test_states_are_found_by_the_names_that_the_register_has(yard: Yard) -> None:
    names = ["dock-a/van", "dock-b/van", "imei:356307042441096"]
    with write(yard.book) as tx:
        for name in names:
            body = Device(name, tracker=Tracker("TRUCK-1"))
            register.put(tx, "devices", name, body, valid_from=0, actor="test", now=1)
    for gateway in ("dock-a", "dock-b"):
        for device in ("van", names[2]):
            yard.send([Input(device, from_micros(yard.clock.now), "ignition", on=gateway == "dock-a")], gateway=gateway)
    with read(yard.book) as tx:
        everything = {name: state for name, _, state in states(tx, HOURS.name, None)}
        assert sorted(everything) == names
        for wanted in (names[:1], names[1:2], names[1:], ["dock-a/other", *names[1:]], ["dock-c/van"], []):
            found = {name: state for name, _, state in states(tx, HOURS.name, wanted)}
            assert found == {name: everything[name] for name in wanted if name in everything}
