"""`stockyard backup` and `stockyard restore`: their options, what they print, and their exit status."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from backend.book.migrations import BookTooNew
from backend.config import ConfigError, load
from backend.keeping.archive import BadBackup
from backend.keeping.backup import backup
from backend.keeping.restore import Refusal, Restored, restore
from backend.predict.progress import Shown
from models.logline import without_secrets

FAILED, CONFIGURATION, UNAVAILABLE, INTEGRITY = 1, 3, 4, 5
API = "api"
ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="backend.toml", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


def backup_command(
    config: ConfigFile,
    *,
    to: Annotated[Path | None, typer.Option(help="A folder to put it in, or its own name; NAME.tar: one file.")] = None,
    as_json: Json = False,
) -> None:
    """Copy the book of a running backend, and its models, as they are at one moment; prints where to."""
    with _told(), Shown() as shown:
        path, manifest = backup(load(config), to, shown.tell)
    if as_json:
        typer.echo(msgspec.json.encode({"path": str(path), "manifest": manifest}))
        return
    size_mb = sum(file.bytes for file in manifest.files) / 2**20
    typer.echo(f"{path}: {manifest.readings} readings, {manifest.ledger} ledger entries, {size_mb:.1f} MiB")


def restore_command(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup: its folder or its tar.")],
    config: ConfigFile,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also over a book that is there; it is moved aside.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the book; says what the gateways will send again."""
    with _told(), Shown() as shown:
        done = restore(load(config), source, shown.tell, force=force)
    broken = [finding for finding in done.findings if not finding.ok]
    if as_json:
        typer.echo(msgspec.json.encode(_facts(done)))
    else:
        _print(done)
    for finding in broken:
        typer.echo(f"stockyard: BROKEN {finding.name}: {finding.detail}", err=True)
    if broken:
        raise typer.Exit(INTEGRITY)


def _print(done: Restored) -> None:
    made = done.manifest
    typer.echo(f"restored the book of {made.made_at:%F %T} UTC: {made.readings} readings, {made.ledger} ledger entries")
    for path in done.aside:
        typer.echo(f"moved aside: {path}")
    if done.schema is not None:
        typer.echo(f"moved aside: the replaced tables, to the schema {done.schema} of the database")
    for revision in done.migrated:
        typer.echo(f"applied {revision}")
    ok = sum(finding.ok for finding in done.findings)
    typer.echo(f"verified: {ok} of {len(done.findings)} invariants hold")
    for mark, again in done.sent_again():
        known = "" if again is None else f": {again} readings that the replaced book had"
        typer.echo(f"{_sender(mark.gateway)} {mark.epoch} sends again from {mark.mark + 1} on{known}")
    typer.echo(f"what people declared and decided after {made.made_at:%F %T} UTC is not in it: declare it again")
    typer.echo("the telemetry store is made anew while `stockyard serve` runs")


def _sender(gateway: str) -> str:
    return "whoever puts scans by the API:" if gateway == API else gateway


def _facts(done: Restored) -> dict[str, object]:
    again = [
        {"gateway": mark.gateway, "epoch": mark.epoch, "from_seq": mark.mark + 1, "readings": readings}
        for mark, readings in done.sent_again()
    ]
    return {
        "made_at": done.manifest.made_at,
        "readings": done.manifest.readings,
        "moved_aside": [str(path) for path in done.aside],
        "moved_to_schema": done.schema,
        "migrated": done.migrated,
        "sent_again": again,
        "broken": [finding.name for finding in done.findings if not finding.ok],
    }


@contextmanager
def _told() -> Generator[None]:
    """Errors in words with their exit status; SIGTERM ends it as Ctrl-C does, with nothing half done."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (ConfigError, BookTooNew, Refusal) as error:
        raise _failed(str(error), CONFIGURATION) from error
    except BadBackup as error:
        raise _failed(str(error), INTEGRITY) from error
    except (OSError, SQLAlchemyError) as error:
        raise _failed(str(error), UNAVAILABLE) from error
    except KeyboardInterrupt as error:
        raise _failed("stopped", FAILED) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(text: str, status: int) -> typer.Exit:
    typer.echo(f"stockyard: {without_secrets(text)}", err=True)
    return typer.Exit(status)
