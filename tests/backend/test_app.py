"""What one process of the backend begins, and in which order."""

from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from backend import app
from backend.app import HEAD_START_S, Backend
from backend.config import Backend as BackendTable
from backend.config import Config, Mqtt
from tests.servers.broker import free_port


class Noted(Event):
    """An event that is never set; notes who waited for it, and how long at most."""

    def __init__(self, order: list[Any]) -> None:
        super().__init__()
        self._order = order

    def wait(self, timeout: float | None = None) -> bool:
        self._order.append(timeout)
        return False


def begun(folder: Path, monkeypatch: pytest.MonkeyPatch, *only: str) -> list[Any]:
    """Names of workers as they begin, and how long the rest waits for ingest; nothing of it works."""
    order: list[Any] = []

    def start(name: str, _run: Any, _stop: Event) -> Thread:
        order.append(name)
        thread = Thread(target=int)
        thread.start()
        return thread

    monkeypatch.setattr(app.threads, "start", start)
    table = BackendTable(state_dir=str(folder), listen="127.0.0.1:0")
    backend = Backend.build(Config(table, Mqtt(f"mqtt://127.0.0.1:{free_port()}")), only)
    backend.settled = Noted(order)
    stop = Event()
    stop.set()
    backend.run(stop)
    backend.book.dispose()
    return order


def test_ingest_has_a_head_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the others has something to load: with all at once the first receipts are seconds late."""
    order = begun(tmp_path, monkeypatch, "ingest", "deriver", "announcer")
    assert order[:3] == ["leases", "ingest", HEAD_START_S]
    assert sorted(order[3:]) == ["announcer", "deriver", "quota"]


def test_without_ingest_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun(tmp_path, monkeypatch, "deriver") == ["leases", "deriver", "beat"]
