"""A task of the warehouse, and what confirms it: the right goods at the right place, as a scanner or a tag says.

A pick takes goods from a bin to the outbound stage, a cross-dock from where they came in; put-away and replenishment
bring them to a bin. Whatever is not what the task is about is refused with what was expected, and nothing moves.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from models.errors import Clash, Refused
from models.ids import derived_id
from models.stock.ledger import Movement
from models.units import checked, plain, quantity_text

Kind = Literal["pick", "cross_dock", "put_away", "replenish"]
State = Literal["open", "taken", "done", "cancelled"]
AT_SOURCE: frozenset[Kind] = frozenset({"pick", "cross_dock"})
"""Confirmed where the goods are taken; the others where they are brought."""


class Wrong(Refused):
    """What was scanned is not what the task is about; the message says what was expected."""


class Task(Struct, frozen=True, kw_only=True):
    """Take `quantity` of a lot from `source` to `target`; `done` of it is confirmed."""

    id: str
    kind: Kind
    state: State = "open"
    sku: str
    lot: str | None = None
    quantity: Decimal
    done: Decimal = Decimal(0)
    source: str
    target: str

    @property
    def left(self) -> Decimal:
        """What is still to be taken: nothing once it is over."""
        return plain(self.quantity - self.done) if self.state in {"open", "taken"} else Decimal(0)


class Given(Struct, frozen=True, kw_only=True):
    """What was scanned, or read off a tag: so much of an item, of a lot, at a place, at `at` microseconds."""

    id: str
    at: int
    sku: str
    lot: str | None = None
    quantity: Decimal
    location: str
    epc: str | None = None
    evidence: list[str] = []


def confirm(task: Task, given: Given) -> Task:
    """The task after so much of it was done. Raises Wrong for other goods or another place, Refused for too much.

    Put-away may end in another bin than the one that was suggested. A lot is compared where the task names one.
    """
    if task.state not in {"open", "taken"}:
        msg = f"task {task.id}: open expected, it is {task.state}"
        raise Clash(msg)
    place = task.source if task.kind in AT_SOURCE else task.target
    expected: list[tuple[str, str, str | None]] = [("sku", task.sku, given.sku)]
    expected += [("lot", task.lot, given.lot)] if task.lot is not None else []
    expected += [("location", place, given.location)] if task.kind != "put_away" else []
    for field, wanted, got in expected:
        if wanted != got:
            msg = f"{field}: {wanted!r} expected, got {got!r}"
            raise Wrong(msg)
    quantity = checked(given.quantity)
    if quantity > task.left:
        msg = f"quantity: at most the {quantity_text(task.left)} that are left expected, got {quantity_text(quantity)}"
        raise Refused(msg)
    done = plain(task.done + quantity)
    return replace(task, done=done, state="done" if done == task.quantity else task.state)


def movement(task: Task, given: Given) -> Movement:
    """What a confirmation moves."""
    target = given.location if task.kind == "put_away" else task.target
    return Movement(
        id=derived_id("task", task.id, given.id),
        at=given.at,
        sku=task.sku,
        lot=task.lot,
        quantity=given.quantity,
        source=task.source,
        target=target,
        reason=task.kind.replace("_", "-"),
        evidence=[f"task:{task.id}", *given.evidence],
    )
