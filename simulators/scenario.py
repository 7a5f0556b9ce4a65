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
[[machine]]
asset = "TRUCK-1"
kind = "truck"                  # or "crane"
imei = "356307042441013"
server = "127.0.0.1:5027"       # where its tracker connects in a live run; optional: without it, it is not played live
[[plan]]
id = "TRUCK-1/oil"              # a maintenance plan that the system knows, done in the history
asset = "TRUCK-1"
every_hours = 80                # engine hours or days, whichever comes first
every_days = 60

`machines = 60` adds a fleet: M-001, M-002, ... Only a telemetry file needs no doors and no scanner.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from models.reading import Device, Name, Time


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


class MachineTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A machine with a tracker."""

    asset: Name
    kind: Literal["truck", "crane"]
    imei: Annotated[str, Meta(pattern=r"^[0-9]{15}$(?!\n)")]
    server: Annotated[str, Meta(pattern=r"^[^:]+:[0-9]{1,5}$")] | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        if self.server is None:
            return None
        host, _, port = self.server.partition(":")
        return host, int(port)


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """A maintenance plan of a machine, which the planner of the world keeps to."""

    id: Name
    asset: Name
    every_hours: Annotated[float, Meta(gt=0)] | None = None
    every_days: Annotated[float, Meta(gt=0)] | None = None


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """One site."""

    seed: int
    start: Time
    truth: str
    door: Annotated[list[Door], Meta(max_length=16)] = []
    scanner: Annotated[list[Scanner], Meta(max_length=1)] = []
    history_days: Annotated[int, Meta(ge=0, le=400)] = 0
    machine: Annotated[list[MachineTable], Meta(max_length=1000)] = []
    machines: Annotated[int, Meta(ge=0, le=99_999)] = 0
    plan: Annotated[list[Plan], Meta(max_length=10_000)] = []

    def __post_init__(self) -> None:
        """No machine, tracker or plan is there twice, and plans have their machine. Raises ValueError."""
        for field, names in (
            ("machine.asset", [machine.asset for machine in self.machine]),
            ("machine.imei", [machine.imei for machine in self.machine]),
            ("plan.id", [plan.id for plan in self.plan]),
        ):
            twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
            if twice is not None:
                msg = f"{field}: {twice} is there twice"
                raise ValueError(msg)
        assets = {machine.asset for machine in self.machine} | {fleet_asset(n + 1) for n in range(self.machines)}
        for plan in self.plan:
            if plan.asset not in assets:
                msg = f"plan.asset: {plan.asset} of {plan.id} is no machine of this scenario"
                raise ValueError(msg)

    @property
    def doors(self) -> tuple[str, ...]:
        return tuple(door.name for door in self.door)


def fleet_asset(number: int) -> str:
    """The name of a fleet's machine.

    >>> fleet_asset(1)
    'M-001'
    """
    return f"M-{number:03d}"


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
