"""The world's commands of `stockyard-sim`: run it live, send its history, check a system against its truth."""

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import msgspec
import typer

from models.wire import is_gateway
from simulators import agenda, fleet, live, live_trackers, report, roster, works
from simulators.answers import System, Unreachable
from simulators.checker import Asked, compare, wait
from simulators.devices.llrp import LlrpReader
from simulators.devices.scanner import PtyScanner
from simulators.history import HistoryStage, readings
from simulators.machine_history import told
from simulators.outbox import SentRows
from simulators.outbox import read as read_outbox
from simulators.progress import Shown
from simulators.scenario import BadScenario, Scenario, load
from simulators.sending import Broker, HistorySender, NoBroker
from simulators.truth import BadTruth
from simulators.truth import read as read_truth
from simulators.warehouse import DAY_US
from simulators.works import NotRecorded
from simulators.world import Truth, World

STOPPED, DIFFERENT, CONFIGURATION, UNAVAILABLE = 1, 1, 3, 4
ScenarioFile = Annotated[Path, typer.Argument(help="Scenario TOML.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON lines.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("run")(run)
    app.command("history")(history)
    app.command("check")(check)


def run(  # noqa: PLR0913 (each is an option of the command)
    scenario: ScenarioFile,
    *,
    telemetry: Annotated[Path | None, typer.Option(help="Write what the fleet's trackers would say, and end.")] = None,
    machines: Annotated[int | None, typer.Option(min=0, max=99_999, help="With --telemetry: so many.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="With --telemetry: so long.")] = None,
    seed: Annotated[int | None, typer.Option(help="With --telemetry: another fleet.")] = None,
    as_json: Json = False,
) -> None:
    """Play a world live: readers, a scanner, trackers, the truth in its file; SIGTERM ends it.

    With --telemetry FILE: only the gearbox signals, failures and services of the scenario's machines over its history,
    as JSON lines, .gz compressed. What was stopped goes on where it stood.
    """
    stop = stopped_by_signal()
    wanted = _load(scenario)
    changes = {"machines": machines, "history_days": days, "seed": seed}
    changes = {name: value for name, value in changes.items() if value is not None}
    if telemetry is not None:
        _write_fleet(msgspec.structs.replace(wanted, **changes), telemetry, stop, as_json=as_json)
    elif changes:
        raise _failed(CONFIGURATION, "--machines, --days and --seed belong to --telemetry")
    else:
        _need_doors(wanted, scenario)
        _run(wanted, stop, as_json=as_json)


def _run(wanted: Scenario, stop: Event, *, as_json: bool) -> None:
    site = past(wanted)
    agenda.play_history(site, wanted.history_days)
    readers = {
        door.name: LlrpReader(door.address, is_impinj=True, clock_offset_us=door.clock_offset_us)
        for door in wanted.door
    }
    scanner = PtyScanner(Path(wanted.scanner[0].link))
    try:
        for reader in readers.values():
            reader.start()
        scanner.start()
    except OSError as error:
        raise _failed(UNAVAILABLE, f"devices: {error}") from error
    addresses = {name: "{}:{}".format(*reader.address) for name, reader in readers.items()}
    machines = live_trackers.start(wanted, site.world)
    waiting = {"readers": addresses, "scanner": wanted.scanner[0].link, "trackers": list(machines.trackers)}
    say({"state": "waiting", **waiting}, as_json=as_json)
    with Path(wanted.truth).open("a", encoding="utf-8", buffering=1) as truth:
        if _clients(readers, scanner, stop):
            say({"state": "playing", "truth": wanted.truth}, as_json=as_json)
            doors = live.Doors(site.world, dict(readers))
            stage = live.LiveStage(doors, live.DeskPlayer(site.world, wanted.scanner[0].name, scanner))
            live.play(site, stage, truth, stop, machines)
        live_trackers.flush(machines)
    for reader in readers.values():
        reader.stop()
    scanner.stop()
    say({"state": "ready to check", "truth": wanted.truth}, as_json=as_json)


def history(  # noqa: PLR0913 (each is an option of the command)
    *,
    scenario: Annotated[Path, typer.Option(help="Scenario TOML.")],
    mqtt: Annotated[str, typer.Option(help="mqtt://host:port of the broker.")],
    gateway: Annotated[str, typer.Option(help="The gateway whose readings these are.")],
    truth: Annotated[Path, typer.Option(help="Where the truth of the history goes.")],
    outbox: Annotated[Path, typer.Option(help="Where the rows that are sent are kept.")] = Path("history.db"),
    days: Annotated[int | None, typer.Option(min=0, help="The scenario's history_days; refused if it differs.")] = None,
    api: Annotated[str, typer.Option(help="http://host:port: where the machines' services are recorded first.")] = "",
    max_readings: Annotated[int, typer.Option(min=1, help="Beyond it the doors hear nothing.")] = 400_000,
    username: Annotated[str, typer.Option(help="For a broker that asks for one.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="A file that holds the password.")] = None,
    as_json: Json = False,
) -> None:
    """Send the world's past as an edge would that was offline; ends when the backend has committed all of it."""
    stop = stopped_by_signal()
    wanted = _load(scenario)
    _need_doors(wanted, scenario)
    if days not in {None, wanted.history_days}:
        raise _failed(CONFIGURATION, f"--days {days}: {scenario} says history_days = {wanted.history_days}")
    if not is_gateway(gateway):
        raise _failed(CONFIGURATION, f"--gateway: a gateway's name expected, got {gateway!r}")
    try:
        broker = Broker(mqtt, username, password_file.read_text().strip() if password_file else "")
    except (OSError, ValueError) as error:
        raise _failed(CONFIGURATION, str(error)) from error
    rows = SentRows(outbox)
    begun = time.monotonic()
    with truth.open("w", encoding="utf-8", buffering=1) as lines, Shown("history", as_json=as_json) as shown:
        site = past(wanted, lines)
        stage = HistoryStage(site.world, wanted, max_readings)
        sender = HistorySender(gateway, rows, lambda now: shown.show(now.committed, now.expected))
        lived = roster.pasts(wanted)
        try:
            done = list(works.told(site.world, wanted.plan, lived))
            recorded = works.record(api, done, stop) if api else 0
            chunks = readings(site, stage, wanted.history_days, told(site.world, lived))
            sent = sender.run(broker, chunks, stop)
        except (NoBroker, NotRecorded) as error:
            raise _failed(UNAVAILABLE, str(error)) from error
        except ValueError as error:
            raise _failed(CONFIGURATION, str(error)) from error
        finally:
            rows.close()
    seconds = round(time.monotonic() - begun, 1)
    facts = {"epoch": rows.epoch, "readings": rows.next_seq - 1, "services": recorded, "seconds": seconds}
    say({"state": "history done" if sent else "history stopped", **facts}, as_json=as_json)
    if not sent:
        raise typer.Exit(STOPPED)


def check(
    *,
    truth: Annotated[list[Path], typer.Option(help="A truth file; several are taken together.")],
    url: Annotated[str, typer.Option(help="http://host:port of the running system.")],
    outbox: Annotated[list[Path] | None, typer.Option(help="An edge's outbox, or a history's.")] = None,
    edge_killed: Annotated[
        bool, typer.Option(help="The edge was killed meanwhile: what it had not committed is listed only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare a running system with the truth: exit status 1 on any difference, 4 if it does not answer."""
    try:
        asked = Asked(read_truth(truth), [read_outbox(path) for path in outbox or []], edge_killed)
        api = System(url)
    except (OSError, sqlite3.Error, BadTruth, ValueError) as error:
        raise _failed(CONFIGURATION, str(error)) from error
    try:
        with closing(api) as system, Shown("committed", as_json=as_json) as shown:
            missing = wait(system, asked, shown.show)
            found = compare(system, asked)
    except Unreachable as error:
        raise _failed(UNAVAILABLE, str(error)) from error
    report.show(found, missing, as_json=as_json)
    if missing or not all(one.ok for one in found):
        raise typer.Exit(DIFFERENT)


def past(wanted: Scenario, truth: Truth | None = None) -> agenda.Site:
    """The empty site where the scenario's history begins."""
    site = agenda.build(World(wanted.seed, wanted.start, truth), wanted.doors)
    site.world.now_us -= wanted.history_days * DAY_US
    return site


def _write_fleet(wanted: Scenario, path: Path, stop: Event, *, as_json: bool) -> None:
    begun = time.monotonic()
    with Shown("telemetry", as_json=as_json) as shown:
        try:
            written = fleet.write(wanted, path, shown.show, stop)
        except OSError as error:
            raise _failed(CONFIGURATION, f"--telemetry: {error}") from error
    facts = {"machines": written.machines, "resumed": written.resumed, "seconds": round(time.monotonic() - begun, 1)}
    say({"state": "telemetry done" if written.done else "telemetry stopped", **facts}, as_json=as_json)
    if not written.done:
        raise typer.Exit(STOPPED)


def _need_doors(wanted: Scenario, path: Path) -> None:
    if not wanted.door or not wanted.scanner:
        raise _failed(CONFIGURATION, f"{path}: at least one [[door]] and a [[scanner]] expected")


def _load(path: Path) -> Scenario:
    try:
        return load(path)
    except BadScenario as error:
        raise _failed(CONFIGURATION, str(error)) from error


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
