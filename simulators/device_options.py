"""What the commands of `stockyard-sim device` share: options, addresses, the truth file, the summary."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import typer

from simulators.devices import faults
from simulators.devices.alone import TruthFile

CONFIGURATION, UNAVAILABLE = 3, 4

device = typer.Typer(help="One device that speaks its protocol outward.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="Decides what is told and in which order.")]
Rate = Annotated[float, typer.Option(min=0.001, help="Reads or scans a second while somebody listens.")]
Seconds = Annotated[float | None, typer.Option("--for", min=0, help="Seconds to run; without it until interrupted.")]
Truth = Annotated[Path | None, typer.Option(help="File for what was told, a JSON line each.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
FaultList = Annotated[
    list[str] | None, typer.Option("--fault", help="NAME[:VALUE]@SECONDS: what goes wrong, and when; repeatable.")
]


def faults_of(texts: list[str] | None, known: Mapping[str, faults.Kind]) -> list[faults.Fault]:
    """What `--fault` asks for, of those that a device knows. Raises typer.BadParameter."""
    try:
        return [faults.parse(text, known) for text in texts or ()]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None


def with_faults(
    over: faults.Over, wrong: list[faults.Fault], known: Mapping[str, faults.Kind], truth: TruthFile
) -> faults.Over:
    """The end of a run, with what goes wrong until then; each fault goes to the truth when it happens."""

    def act(fault: faults.Fault) -> None:
        truth.fault(fault.name, fault.value)
        known[fault.name].act(fault.value)

    return faults.between(over, wrong, act)


def start(begin: Callable[[], None], where: str) -> None:
    """Start a device, or end with exit status 4 saying what it could not listen on."""
    try:
        begin()
    except OSError as error:
        typer.echo(f"stockyard-sim: {where}: {error.strerror or error}", err=True)
        raise typer.Exit(UNAVAILABLE) from None


def address(text: str, option: str) -> tuple[str, int]:
    """HOST:PORT of an option. Raises typer.BadParameter."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the last TCP port
        raise typer.BadParameter(f"{text}: expected HOST:PORT", param_hint=option)
    return host, int(port)


def open_truth(path: Path | None) -> AbstractContextManager[TextIO | None]:
    """The truth file, or nothing."""
    return path.open("w", encoding="utf-8") if path else nullcontext()


def say(fact: dict[str, object]) -> None:
    """One fact as a JSON line."""
    typer.echo(json.dumps(fact))


def summary(facts: dict[str, object], *, as_json: bool) -> None:
    """What was told, for people or for programs."""
    if as_json:
        say(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
