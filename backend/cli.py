"""`stockyard`: the backend's commands.

Exit status: 0 done, 1 a check failed, 2 usage, 3 configuration, 4 something needed is unavailable, 5 integrity.
"""

import json
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from backend import demo as demo_module
from backend import demo_files, logs, site, verify
from backend import doctor as doctor_module
from backend import metrics as process_metrics
from backend.app import PARTS, Backend, clock, open_book
from backend.book.migrations import BookTooNew, pending, planned
from backend.book.migrations import migrate as migrate_book
from backend.config import Config, ConfigError, load, secrets_of
from backend.keeping.command import backup_command, restore_command
from backend.keeping.running import held
from backend.predict import command
from backend.predict.train_doors import train_doors
from backend.telemetry import open_store, refill
from backend.telemetry.store import StoreAway
from models.errors import Refused
from models.logline import without_secrets
from models.predict.card import encode

FAILED, CONFIGURATION, UNAVAILABLE, INTEGRITY = 1, 3, 4, 5

app = typer.Typer(help="Stockyard: readings to stock, assets and decisions.", no_args_is_help=True)
ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="backend.toml", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except (ConfigError, Refused, BookTooNew) as error:
        _fail(str(error), CONFIGURATION)
    except (OSError, OperationalError) as error:
        _fail(str(error), UNAVAILABLE)


def _fail(text: str, status: int) -> None:
    typer.echo(f"stockyard: {without_secrets(text)}", err=True)
    raise typer.Exit(status)


@app.command()
def serve(
    config: ConfigFile,
    *,
    only: Annotated[str, typer.Option(help=f"Some of {','.join(PARTS)}; else all of them.")] = "",
    log_format: Annotated[logs.LogFormat | None, typer.Option(help="Else [backend] log says which.")] = None,
    metrics: Annotated[str, typer.Option(help="HOST:PORT for Prometheus, where there is no API.")] = "",
) -> None:
    """Ingest, derive, plan, project, and serve the API and the page."""
    with _told():
        loaded = load(config)
        logs.begin(log_format or loaded.backend.log, secrets_of(loaded))
        if metrics:
            process_metrics.listen(metrics)
        with held(loaded.state_dir):
            backend = Backend.build(loaded, _parts(only))
            typer.echo(json.dumps({"ready": "backend", "url": backend.url}))
            backend.run(_stopped_by_signal())


def _parts(only: str) -> Sequence[str]:
    parts = [part.strip() for part in only.split(",")] if only else PARTS
    if unknown := [part for part in parts if part not in PARTS]:
        raise typer.BadParameter(f"--only: some of {','.join(PARTS)} expected, got {','.join(unknown)}")
    return parts


@app.command()
def init(directory: Path, gateway: Annotated[str, typer.Option(help="Name of the gateway.")] = "dock-a") -> None:
    """Write backend.toml and edge.toml to start from."""
    with _told():
        for path in demo_files.write_configs(directory, demo_files.Addresses(), gateway):
            typer.echo(f"wrote {path}")


@app.command()
def migrate(
    config: ConfigFile,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also empty a telemetry store of what is gone from the journal.")
    ] = False,
) -> None:
    """Bring the tables of the book and the telemetry store up to date; may be killed and repeated at any moment."""
    with _told():
        loaded = load(config)
        if dry_run:
            there = loaded.book.url != "sqlite" or (loaded.state_dir / "book.db").exists()
            steps = planned(open_book(loaded) if there else None)
            typer.echo("\n".join(f"would apply {name}: {what}" for name, what in steps) or "nothing to do")
            return
        book = open_book(loaded)
        done = migrate_book(book)
        _prepare_store(loaded, book, force=force)
    typer.echo("\n".join(f"applied {revision}" for revision in done) or "nothing to do")


def _prepare_store(config: Config, book: Engine, *, force: bool) -> None:
    """Nothing waits for the telemetry store: the projector prepares it when it is back."""
    store = open_store(config)
    try:
        if not force:
            refill.check(book, store)
        store.prepare()
    except refill.NotRefilled as error:
        _fail(str(error), CONFIGURATION)
    except StoreAway as error:
        typer.echo(
            f"stockyard: the telemetry store is away, `serve` goes on without: {without_secrets(str(error))}", err=True
        )


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="SITE.toml", show_default=False)],
    config: ConfigFile,
    *,
    as_json: Json = False,
) -> None:
    """Declare sites, locations, devices, items, assets, tags, zones and plans; says what changed."""
    with _told():
        loaded = load(config)
        book = open_book(loaded)
        migrate_book(book)
        changes = site.apply(book, file, clock(), "apply", loaded.backend.modules)
    if as_json:
        typer.echo(json.dumps([{"outcome": c.outcome, "kind": c.kind, "id": c.id} for c in changes]))
        return
    for change in changes:
        typer.echo(str(change))
    if not changes:
        typer.echo("nothing changed")


@app.command(name="verify")
def verify_command(config: ConfigFile, *, as_json: Json = False) -> None:
    """Replay the journal and the ledger, check every invariant, print each with its figure."""
    with _told():
        loaded = load(config)
        there = loaded.book.url != "sqlite" or (loaded.state_dir / "book.db").exists()
        book = open_book(loaded)
        if not there or pending(book):
            raise OSError(f"{loaded.book.url}: the book is not there or not up to date; stockyard migrate -c {config}")
        found = verify.verify(book)
    _table(
        "verify",
        ("invariant", "figure", "", "detail"),
        [(f.name, f.figure, "ok" if f.ok else "BROKEN", f.detail) for f in found],
        as_json=as_json,
    )
    if not all(f.ok for f in found):
        raise typer.Exit(INTEGRITY)


@app.command()
def doctor(config: ConfigFile, *, as_json: Json = False) -> None:
    """Clock, disk, ports, broker, stores, devices: each with its next step."""
    with _told():
        checks = list(doctor_module.checks(load(config)))
    rows = [(c.name, "ok" if c.ok else "FAILED", without_secrets(c.detail), c.next_step) for c in checks]
    _table("doctor", ("check", "", "detail", "next step"), rows, as_json=as_json)
    if not all(c.ok for c in checks):
        raise typer.Exit(FAILED)


@app.command()
def demo(  # noqa: PLR0913 - each is an option of the command
    *,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where everything is kept; else a new folder.")
    ] = None,
    port: Annotated[int, typer.Option(help="Of the page; 0 is any free one.")] = 8000,
    seed: Annotated[int, typer.Option(help="One seed gives one world.")] = 7,
    history: Annotated[
        int, typer.Option(min=0, max=365, help="Days of history that arrive beside the live readings.")
    ] = 0,
    run_s: Annotated[
        float | None, typer.Option("--for", help="Seconds after the history; else until interrupted.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="At the end compare the books with the world's truth.")
    ] = False,
    machines: Annotated[int, typer.Option(min=0, max=500, help="Further trucks and cranes beside the two.")] = 0,
) -> None:
    """The whole system on loopback: broker, simulated site, edge, backend and page."""
    stop = _stopped_by_signal()
    with _told():
        plan = demo_files.Plan(directory, port, seed, history, run_s, check, machines)
        status = demo_module.Demo(plan, stop).run()
    raise typer.Exit(status)


@app.command()
def train(
    *,
    source: Annotated[Path | None, typer.Option("--from", help="A telemetry file; else the own store.")] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="backend.toml: whose model it is to be.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder to write model.skops and card.json to.")] = None,
    seed: Annotated[int, typer.Option(help="Which machines are held back, and the learner's chance.")] = 0,
    as_json: Json = False,
) -> None:
    """Fit the failure model; prints how good it is on machines that it has not learnt from."""
    if config is None and (source is None or out is None):
        raise typer.BadParameter("-c backend.toml expected, or --from and --out")
    with _told():
        loaded = None if config is None else load(config)
        try:
            file, card = command.train(source or command.stores(loaded or Config()), seed)
        except command.NotTrained as error:
            _fail(str(error), FAILED)
        except ImportError as error:
            _fail(f"{error}: pip install 'stockyard[ml]'", UNAVAILABLE)
        else:
            for path in command.keep(file, card, loaded, out):
                typer.echo(f"wrote {path}", err=True)
            if as_json:
                typer.echo(encode(card))
            else:
                _table("trained", ("figure", "value", "90 % interval"), command.rows(card), as_json=False)


app.command("train-doors")(train_doors)
app.command("backup")(backup_command)
app.command("restore")(restore_command)


def _stopped_by_signal() -> Event:
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
        return
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


def main() -> None:
    """The console script."""
    app()
