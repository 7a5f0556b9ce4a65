"""A scenario file: which world, which devices it speaks through, and where its truth is written.

seed = 7
start = 2026-11-23T09:30:00Z    # when the live part begins; the history ends here
history_days = 30
truth = "truth.jsonl"           # paths are relative to the scenario file
[[door]]
name = "door-1"
listen = "127.0.0.1:5084"
clock_offset = -1.7             # seconds that the reader's clock is ahead; optional
[[scanner]]
name = "scanner-1"
link = "scanner-1.tty"
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from models.reading import Device, Time


class BadScenario(Exception):
    """The file cannot be used; the message names the field and what was expected."""


class Door(Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed reader at a dock door: ports 1 and 2 inside, 3 and 4 outside."""

    name: Device
    listen: Annotated[str, Meta(pattern=r"^[^:]+:[0-9]{1,5}$")]
    clock_offset: Annotated[float, Meta(ge=-3600, le=3600)] = 0.0

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.partition(":")
        return host, int(port)

    @property
    def clock_offset_us(self) -> int:
        return round(self.clock_offset * 1e6)


class Scanner(Struct, frozen=True, forbid_unknown_fields=True):
    """A serial scanner on a pty, whose port appears at `link`."""

    name: Device
    link: str


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """One site."""

    seed: int
    start: Time
    truth: str
    door: Annotated[list[Door], Meta(min_length=1, max_length=16)]
    scanner: Annotated[list[Scanner], Meta(min_length=1, max_length=1)]
    history_days: Annotated[int, Meta(ge=0, le=400)] = 0

    @property
    def doors(self) -> tuple[str, ...]:
        return tuple(door.name for door in self.door)


def load(path: Path) -> Scenario:
    """Read a scenario; its paths come back absolute. Raises BadScenario."""
    try:
        scenario = msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise BadScenario(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadScenario(f"{path}: {error}") from error
    folder = path.resolve().parent
    scanners = [msgspec.structs.replace(scanner, link=str(folder / scanner.link)) for scanner in scenario.scanner]
    return msgspec.structs.replace(scenario, truth=str(folder / scenario.truth), scanner=scanners)
