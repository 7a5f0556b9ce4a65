"""The command of `stockyard-sim` that writes labelled passes at a dock door."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from simulators import passes
from simulators.commands import CONFIGURATION, STOPPED, Json, say, stopped_by_signal
from simulators.progress import Shown


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("passes")(write_passes)


def write_passes(
    *,
    out: Annotated[Path, typer.Option(help="The file: JSON lines, .gz compressed.")],
    number: Annotated[int, typer.Option("--passes", min=1, max=10_000_000, help="How many pallets.")] = 8000,
    layout: Annotated[
        Literal["reference", "close", "one-row"], typer.Option(help="Rows 2.4 m apart, 0.8 m apart, or one.")
    ] = "reference",
    seed: Annotated[int, typer.Option(help="Another seed, other passes.")] = 1,
    as_json: Json = False,
) -> None:
    """Write labelled passes at one dock door, to train its model on. What was stopped goes on where it stood."""
    stop, begun = stopped_by_signal(), time.monotonic()
    with Shown("passes", as_json=as_json) as shown:
        try:
            written = passes.write(passes.head(layout, seed, number), out, shown.show, stop)
        except OSError as error:
            typer.echo(f"stockyard-sim: --out: {error}", err=True)
            raise typer.Exit(CONFIGURATION) from error
    facts = {"passes": written.passes, "resumed": written.resumed, "seconds": round(time.monotonic() - begun, 1)}
    say({"state": "passes done" if written.done else "passes stopped", **facts}, as_json=as_json)
    if not written.done:
        raise typer.Exit(STOPPED)
