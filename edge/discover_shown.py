"""How far `stockyard-edge discover` is, and what it found: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from edge.discover import Found, in_order, search

EVERY_S = 2.0


@dataclass
class Search:
    """The readers found so far, and how many of the hosts were asked."""

    readers: list[Found] = field(default_factory=list[Found])
    asked: int = 0


def watch(hosts: Sequence[str], port: int) -> Search:
    """Ask every host and show how far it is on standard error. Ctrl-C ends it early, with what was found so far."""
    found = Search()
    stop = Event()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("discovering", total=len(hosts))
        told = time.monotonic()
        try:
            for each in search(hosts, port, stop):
                found.asked += 1
                found.readers += [each] if each else []
                bar.update(task, completed=found.asked, description=f"{len(found.readers)} found")
                if not console.is_terminal and time.monotonic() - told >= EVERY_S:
                    told = time.monotonic()
                    _say(f"{found.asked} of {len(hosts)} addresses asked, {len(found.readers)} found")
        except KeyboardInterrupt:
            stop.set()
            _say(f"stopped: {found.asked} of {len(hosts)} addresses asked")
    found.readers = in_order(found.readers)
    return found


def table(found: Iterable[Found]) -> None:
    """The readers on standard output."""
    shown = Table("address", "state", "name", "make", "model", "firmware", "antennas")
    for each in found:
        facts = (each.name, each.make, each.model, each.firmware, each.antennas)
        where = f"[{each.address}]:{each.port}" if ":" in each.address else f"{each.address}:{each.port}"
        shown.add_row(escape(where), each.state, *("" if fact is None else escape(str(fact)) for fact in facts))
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
