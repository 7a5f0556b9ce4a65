"""The result of a check, for people or for programs."""

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulators.checks.found import Found

SHOWN = 12


def show(found: list[Found], missing: list[str], *, as_json: bool) -> None:
    """A table of the checks, then each difference and what is listed; or everything as one line of JSON."""
    console = Console()
    if as_json:
        ok = not missing and all(one.ok for one in found)
        checks = [{"ok": one.ok, **msgspec.to_builtins(one)} for one in found]
        print(msgspec.json.encode({"ok": ok, "missing": missing, "checks": checks}).decode())  # noqa: T201 (output)
        return
    table = Table(title="The system against the truth")
    for column in ("check", "figures", "listed", "differences", ""):
        table.add_column(column)
    for one in found:
        figures = ", ".join(f"{name} {_figure(value)}" for name, value in one.figures.items())
        table.add_row(
            one.check, figures, str(len(one.listed)), str(len(one.differences)), "ok" if one.ok else "[red]differs"
        )
    console.print(table)
    for one in found:
        _list(console, one.check, "listed", one.listed)
        _list(console, one.check, "DIFFERENCE", one.differences)
    _list(console, "waiting", "STILL MISSING", missing)


def _list(console: Console, check: str, what: str, lines: list[str]) -> None:
    if lines:
        console.print(f"[bold]{escape(check)}[/]: {len(lines)} {what}")
    for line in lines[:SHOWN]:
        console.print(f"  {escape(line)}", soft_wrap=True, highlight=False)
    if len(lines) > SHOWN:
        console.print(f"  ... and {len(lines) - SHOWN} more (--json has all)")


def _figure(value: float | str) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
