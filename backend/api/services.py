"""What the API stands on: the book, the clock, and the one function that ingest lends."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from backend.api.store_lag import StoreLag
from backend.book import derived
from backend.config import Webhook
from backend.predict.registry import Registry as ModelRegistry
from backend.registers import Registers
from backend.telemetry.store import Reader
from models.modules import BOTH

PutScan = Callable[[Engine, str, bytes, int], bool]
"""(book, id, text of the reading, now): journal a scan as gateway `api`. False if it is there already."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the routes need, made once by the composition root."""

    book: Engine
    clock: Callable[[], int]
    """Microseconds UTC."""
    put_scan: PutScan
    actor: str = "local"
    """Who is named in the books until there is sign-in."""
    hosts: tuple[str, ...] = ()
    """Host names that may be asked for besides loopback."""
    complete_to: Callable[[Connection, int], int] = derived.complete_to
    stopping: Event = field(default_factory=Event)
    """Set to end open event streams."""
    streams: set[object] = field(default_factory=set[object])
    """The event streams that are open now."""
    registers: Registers = field(default_factory=Registers)
    telemetry: Reader | None = None
    """Tracks and charts are read from it; the books do without."""
    models: ModelRegistry | None = None
    lag: StoreLag | None = None
    """How far the telemetry store is behind."""
    state_dir: Path | None = None
    """Whose disk's room is told."""
    modules: Collection[str] = BOTH
    webhooks: Mapping[str, Webhook] = field(default_factory=dict[str, Webhook])
    """Who is told of events by HTTP."""
    undo_days: int = 30
    """For so long a person's movement can be taken back."""


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - create_app puts it there
    return services


Use = Annotated[Services, Depends(_services)]
