"""`stockyard-sim torture`: one seed after the other, and a table of what came of each."""

from threading import Event
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulators.commands import Json, stopped_by_signal
from simulators.progress import Shown
from simulators.torture.run import Plan, Verdict, torture
from simulators.torture.schedule import kinds_of

DIFFERENT, USAGE = 1, 2
SHOWN = 12
ALL = "kill,stop,disk,proxy"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("torture")(torture_command)


def torture_command(  # noqa: PLR0913 - each is an option of the command
    *,
    seed: Annotated[int, typer.Option(help="Decides what goes wrong and when.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="So many seeds, from that one on.")] = 1,
    kills: Annotated[int, typer.Option(min=0, help="kill -9 in each run.")] = 12,
    seconds: Annotated[float, typer.Option(min=5, help="How long things go wrong in each run.")] = 60.0,
    faults: Annotated[
        str, typer.Option(help="Of kill, stop, disk, delay, hole, cut, half-open, slice, double; proxy: the last six.")
    ] = ALL,
    drain_s: Annotated[
        float, typer.Option("--drain", help="Seconds from the last fault to everything committed.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Hurt a whole site of real processes, then compare what devices, outbox and journal hold.

    Exit status 1 if anything is lost, doubled, different, broken or late; the seed and what differs are printed, and
    the files are kept.
    """
    try:
        kinds = kinds_of(name.strip() for name in faults.split(",") if name.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None
    stop = stopped_by_signal()
    verdicts: list[Verdict] = []
    for each in range(seed, seed + runs):
        verdicts.append(_one(Plan(each, seconds, kills, kinds, drain_s), stop, as_json=as_json))
        if stop.is_set():
            break
    if not as_json:
        _table(verdicts)
    if not all(verdict.ok for verdict in verdicts):
        raise typer.Exit(DIFFERENT)


def _one(plan: Plan, stop: Event, *, as_json: bool) -> Verdict:
    with Shown(f"seed {plan.seed}", as_json=as_json) as shown:
        verdict = torture(plan, stop, lambda what, done, of: shown.show(done, of, what))
    if as_json:
        print(msgspec.json.encode({"ok": verdict.ok, **msgspec.to_builtins(verdict)}).decode(), flush=True)  # noqa: T201 (output)
    elif not verdict.ok:
        _differences(Console(), verdict)
    return verdict


def _differences(console: Console, verdict: Verdict) -> None:
    console.print(f"[red]seed {verdict.seed}[/]: {'stopped' if verdict.stopped else f'files are in {verdict.folder}'}")
    for one in verdict.found:
        for line in one.differences[:SHOWN]:
            console.print(f"  {escape(one.check)}: {escape(line)}", soft_wrap=True, highlight=False)
        if len(one.differences) > SHOWN:
            console.print(f"  ... and {len(one.differences) - SHOWN} more")


def _table(verdicts: list[Verdict]) -> None:
    table = Table(title="Torture")
    for column in ("seed", "faults", "readings", "lost", "doubled", "drained s", "took s", ""):
        table.add_column(column, justify="left" if column in {"faults", ""} else "right")
    for verdict in verdicts:
        figures = {name: value for one in verdict.found for name, value in one.figures.items()}
        kinds: dict[str, int] = {}
        for what, times in verdict.done.items():
            kinds[what.partition(" ")[0]] = kinds.get(what.partition(" ")[0], 0) + times
        told = (str(figures.get(name, "-")) for name in ("journal", "lost", "doubled", "seconds"))
        wrong = ", ".join(one.check for one in verdict.found if not one.ok)
        what = "ok" if verdict.ok else "stopped" if verdict.stopped else f"[red]{escape(wrong)}"
        faults = ", ".join(f"{times} {kind}" for kind, times in kinds.items())
        table.add_row(str(verdict.seed), faults, *told, f"{verdict.seconds:g}", what)
    Console().print(table)
