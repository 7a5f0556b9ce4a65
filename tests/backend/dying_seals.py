"""Seals and prunes a book again and again, each time killed one statement later, and looks at what is left.

Run as a program of its own, because it forks; it prints what it found as JSON. The book has been sealed once before.
"""

import json
import os
import random
import shutil
import sys
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Engine

from backend.book.schema import seal
from backend.keeping import prune, sealed_days
from backend.keeping.sealed_days import Sealer
from backend.verify import verify
from tests.backend import journeys, stories
from tests.backend.book.dying_migrations import DIED, dying, everything
from tests.backend.books import DAY, Clock, Yard, facts, make_template, open_quick
from tests.backend.stories import MIDNIGHT, tell_in_order

FIRST, SECOND = Clock(MIDNIGHT + 2 * DAY), Clock(MIDNIGHT + 5 * DAY)
STORIES = (1, 4)


def small_turns() -> None:
    prune.NUMBERS_A_TURN = 8
    prune.KEYS_A_TURN = sealed_days.ROWS_A_TURN = 4
    sealed_days.time.sleep = lambda _: None


def make(file: Path) -> None:
    """A book with a seal, and more days that are past their time."""
    yard = Yard.copy(make_template(file.with_name("template.db")), file, MIDNIGHT)
    for number in STORIES:
        tell_in_order(yard, stories.make(random.Random(number)))
    tell_in_order(yard, journeys.make(3))
    yard.settle(4 * DAY)
    Sealer(yard.book, FIRST, 1).all(Event())
    assert len(yard.rows(seal)) == 1
    yard.book.dispose()


def seal_it(engine: Engine) -> None:
    Sealer(engine, SECOND, 1).all(Event())


def whole_of(file: Path) -> dict[str, Any]:
    """Everything that the book has when it was sealed to the end."""
    engine = open_quick(file)
    seal_it(engine)
    found = everything(engine)
    engine.dispose()
    return found


def main(folder: Path, every: int) -> None:
    small_turns()
    before = folder / "before.db"
    make(before)
    engine = open_quick(before)
    derived = {name: of for name, of in facts(engine).items() if name != "checkpoints"}
    engine.dispose()
    shutil.copy(before, folder / "whole.db")
    whole = whole_of(folder / "whole.db")
    wrong: list[str] = []
    at, kills, ended = 1, 0, False
    while not ended:
        file = folder / f"{at}.db"
        shutil.copy(before, file)
        child = os.fork()
        if not child:
            engine = open_quick(file)
            dying(engine, at)
            seal_it(engine)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended = status == 0
        engine = open_quick(file)
        broken = [f"{each.name}: {each.detail}" for each in verify(engine) if not each.ok]
        left = {name: of for name, of in facts(engine).items() if name != "checkpoints"}
        engine.dispose()
        if broken or left != derived or status not in {0, DIED}:
            wrong.append(f"killed at {at}: {broken} {[name for name in left if left[name] != derived[name]]} {status}")
        if whole_of(file) != whole:
            wrong.append(f"killed at {at}: another book when it goes on")
        kills += not ended
        for each in folder.glob(f"{at}.db*"):
            each.unlink()
        at += every
    print(json.dumps({"kills": kills, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
