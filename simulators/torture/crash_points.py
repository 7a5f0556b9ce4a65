"""Runs a part of the site so that it ends by SIGKILL at a named point, once a fuse of that name lies in a folder.

`python crash_points.py FOLDER backend serve -c backend.toml`: the fuse is the file FOLDER/NAME; when it has burnt it is
FOLDER/NAME.burnt, with what the point was about to say (`told`) as JSON. The part itself knows nothing of this.
"""

import functools
import json
import os
import runpy
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Point:
    """A moment beside one call of a method."""

    name: str
    module: str
    method: str
    """Class.method"""
    before: bool = False
    outcome: int | None = None
    """Which argument is the outcome of a commit: only one that has readings counts. None: every call counts."""


POINTS = (
    Point("backend.before-commit", "backend.ingest", "_Work.finish"),
    Point("backend.after-commit", "backend.worker", "IngestWorker._tell", before=True, outcome=1),
    Point("backend.after-receipt", "backend.worker", "IngestWorker._tell", outcome=1),
    Point("edge.before-commit", "edge.outbox_file", "OutboxFile.append", before=True),
    Point("edge.after-commit", "edge.outbox_file", "OutboxFile.append"),
    Point("edge.after-publish", "edge.publisher", "Publisher._publish_batch"),
    Point("edge.after-receipt", "edge.outbox", "Outbox.save_mark", before=True),
)


def told(outcome: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - of whatever part
    """The receipts of an outcome: (epoch, seq)."""
    return [(receipt.epoch, receipt.seq) for _, receipt in outcome.receipts]


def arm(point: Point, folder: Path) -> None:
    """Put the point beside its method. Raises AttributeError if the part no longer has it."""
    where, _, method = point.method.partition(".")
    owner: Any = attrgetter(where)(import_module(point.module))
    call: Callable[..., Any] = getattr(owner, method)
    fuse = folder / point.name

    def burn(args: tuple[Any, ...]) -> None:
        outcome = None if point.outcome is None else args[point.outcome]
        if (outcome is None or outcome.readings) and fuse.exists():
            fuse.write_text(json.dumps([] if outcome is None else told(outcome)))
            fuse.rename(f"{fuse}.burnt")
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(call)
    def with_fuse(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
        if point.before:
            burn(args)
        result = call(*args, **named)
        if not point.before:
            burn(args)
        return result

    setattr(owner, method, with_fuse)


def main() -> None:
    """Arm the points of the part, then run it as `python -m` would."""
    folder, part = Path(sys.argv[1]), sys.argv[2]
    for point in POINTS:
        if point.name.startswith(f"{part}."):
            arm(point, folder)
    sys.argv = sys.argv[2:]
    runpy.run_module(part, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
