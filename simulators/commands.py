"""The world's commands of `stockyard-sim`: run it live, send its history, check a system against its truth."""

import signal
import time
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import msgspec
import typer

from simulators import agenda, live
from simulators.devices.llrp import LlrpReader
from simulators.devices.scanner import PtyScanner
from simulators.scenario import BadScenario, Scenario, load
from simulators.warehouse import DAY_US
from simulators.world import World

CONFIGURATION, UNAVAILABLE = 3, 4
ScenarioFile = Annotated[Path, typer.Argument(help="Scenario TOML.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON lines.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("run")(run)


def run(scenario: ScenarioFile, *, as_json: Json = False) -> None:
    """Play a world live: readers on their ports, a scanner on its pty, the truth in its file; SIGTERM ends it."""
    stop = stopped_by_signal()
    site, wanted = build(scenario)
    readers = {door.name: LlrpReader(door.address, clock_offset_us=door.clock_offset_us) for door in wanted.door}
    scanner = PtyScanner(Path(wanted.scanner[0].link))
    try:
        for reader in readers.values():
            reader.start()
        scanner.start()
    except OSError as error:
        raise _failed(UNAVAILABLE, f"devices: {error}") from error
    addresses = {name: "{}:{}".format(*reader.address) for name, reader in readers.items()}
    say({"state": "waiting", "readers": addresses, "scanner": wanted.scanner[0].link}, as_json=as_json)
    with Path(wanted.truth).open("a", encoding="utf-8", buffering=1) as truth:
        if _clients(readers, scanner, stop):
            say({"state": "playing", "truth": wanted.truth}, as_json=as_json)
            doors = live.Doors(site.world, dict(readers))
            stage = live.LiveStage(doors, live.DeskPlayer(site.world, wanted.scanner[0].name, scanner))
            live.play(site, stage, truth, stop)
    for reader in readers.values():
        reader.stop()
    scanner.stop()
    say({"state": "ready to check", "truth": wanted.truth}, as_json=as_json)


def build(path: Path) -> tuple[agenda.Site, Scenario]:
    """The site as the scenario's history leaves it."""
    try:
        wanted = load(path)
    except BadScenario as error:
        raise _failed(CONFIGURATION, str(error)) from error
    site = agenda.build(World(wanted.seed, wanted.start), wanted.doors)
    site.world.now_us -= wanted.history_days * DAY_US
    agenda.play_history(site, wanted.history_days)
    return site, wanted


def stopped_by_signal() -> Event:
    """An event that SIGTERM and SIGINT set."""
    stop = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return stop


def say(facts: dict[str, object], *, as_json: bool) -> None:
    """One line for the person or program that started this."""
    if as_json:
        typer.echo(msgspec.json.encode(facts).decode())
    else:
        typer.echo(", ".join(str(value) if name == "state" else f"{name} {value}" for name, value in facts.items()))


def _clients(readers: dict[str, LlrpReader], scanner: PtyScanner, stop: Event) -> bool:
    """Wait until every device has its client. False if told to stop before."""
    while not stop.is_set():
        if scanner.connected and all(reader.reading for reader in readers.values()):
            return True
        time.sleep(live.TICK_S)
    return False


def _failed(status: int, text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(status)
