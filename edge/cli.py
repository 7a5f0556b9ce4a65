"""`stockyard-edge`: run the gateway, check its configuration, find out what is wrong, see what waits, find readers."""

import logging
import sqlite3
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from edge import discover as discovery
from edge import gateway, logs
from edge.config import BadConfig, Config, load, missing_files
from edge.doctor import Finding, examine
from edge.drivers.llrp_settings import PORT
from edge.outbox_file import OutboxInUse
from edge.waiting import Waiting, waiting
from models.logline import without_secrets

CHECK_FAILED, CONFIGURATION, UNAVAILABLE = 1, 3, 4

app = typer.Typer(help="The Stockyard edge gateway.", no_args_is_help=True, add_completion=False)
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The gateway's configuration, edge.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(
    config: ConfigFile,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    log_format: Annotated[logs.LogFormat, typer.Option(help="For people, or one line of JSON each.")] = "text",
) -> None:
    """Run the gateway until SIGTERM or SIGINT."""
    loaded = _load(config)
    level = logging.DEBUG if verbose else logging.INFO
    logs.begin(log_format, level, loaded.gateway.name, [loaded.mqtt.password])
    gateway.collect_seldom()
    try:
        ended_well = gateway.run(loaded, gateway.stop_on_signals())
    except (OSError, sqlite3.Error, OutboxInUse) as error:
        raise _fail(UNAVAILABLE, f"{loaded.outbox}: {error}") from None
    if not ended_well:
        raise typer.Exit(CHECK_FAILED)


@app.command()
def check_config(config: ConfigFile, *, as_json: Json = False) -> None:
    """Say whether a configuration can be used, and what it means."""
    loaded = _load(config)
    missing = missing_files(loaded)
    if missing:
        raise _fail(CONFIGURATION, "\n".join(f"{config}: {line}" for line in missing))
    devices = [{"name": device.name, "driver": device.kind.name} for device in loaded.devices]
    if as_json:
        _print_json({"gateway": loaded.gateway.name, "broker": loaded.mqtt.url, "devices": devices})
        return
    typer.echo(f"{config}: gateway {loaded.gateway.name}, broker {loaded.mqtt.url}, outbox {loaded.outbox}")
    for device in devices:
        typer.echo(f"  {device['name']}: {device['driver']}")


@app.command()
def doctor(config: ConfigFile, *, as_json: Json = False) -> None:
    """Try everything that the gateway needs once; each failure with its next step."""
    findings: list[Finding] = []
    for finding in examine(_load(config)):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.check}: {finding.found}")
            if finding.next_step:
                typer.echo(f"     -> {finding.next_step}")
    if as_json:
        _print_json(findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(CHECK_FAILED)


@app.command()
def status(config: ConfigFile, *, as_json: Json = False) -> None:
    """What the outbox holds and what the backend has not receipted."""
    loaded = _load(config)
    try:
        streams = waiting(loaded.outbox)
    except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
        raise _fail(UNAVAILABLE, str(error)) from None
    if as_json:
        _print_json({"gateway": loaded.gateway.name, "outbox": str(loaded.outbox), "streams": streams})
        return
    for stream in streams:
        typer.echo(_line(stream))


@app.command()
def discover(
    subnet: Annotated[str, typer.Argument(help="An address or a network, 192.0.2.0/24; at most 4096 addresses.")],
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where readers listen.")] = PORT,
    as_json: Json = False,
) -> None:
    """Find LLRP readers: connects to every address of a subnet, once. Ctrl-C ends it, with what was found so far."""
    from edge import discover_shown  # noqa: PLC0415 - rich is not loaded into a gateway that runs

    try:
        hosts = discovery.addresses(subnet)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="SUBNET") from None
    found = discover_shown.watch(hosts, port)
    if as_json:
        _print_json({"subnet": subnet, "addresses": len(hosts), "asked": found.asked, "readers": found.readers})
    elif found.readers:
        discover_shown.table(found.readers)
    else:
        typer.echo(f"no LLRP reader answers on port {port} at {found.asked} addresses")


def main() -> None:
    """The program's entry."""
    app()


def _line(stream: Waiting) -> str:
    oldest = f", the oldest of {stream.oldest_unreceipted:%F %T} UTC" if stream.oldest_unreceipted else ""
    return (
        f"{stream.epoch}: next {stream.next_seq}, committed by the backend up to {stream.mark}, "
        f"{stream.rows} rows kept, {stream.unreceipted} unreceipted{oldest}"
    )


def _load(path: Path) -> Config:
    try:
        return load(path)
    except BadConfig as error:
        raise _fail(CONFIGURATION, f"{path}: {error}") from None


def _fail(code: int, why: str) -> typer.Exit:
    typer.echo(without_secrets(why), err=True)
    return typer.Exit(code)


def _print_json(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value)) + b"\n")
    sys.stdout.flush()
