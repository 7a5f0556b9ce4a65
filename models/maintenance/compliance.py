"""How services kept to their plans: those done in time, of all that fell due, by asset, plan or month.

A service counts in the month in which it was done, what is overdue and not done in the month of the day that is asked.
Whether it was in time nobody can say of a first interval that began when the plan was written down, or where use that
was not observed decides it: such services are counted apart, and in no share.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

By = Literal["asset", "plan", "month"]


class Outcome(Struct, frozen=True):
    """One service that was done, in time or not, or that is overdue: then `done` is false."""

    asset: str
    plan: str
    month: str
    on_time: bool | None
    done: bool = True


class Kept(Struct, frozen=True):
    """So many services were done in time, late, or nobody can say, and so many are overdue."""

    key: str
    on_time: int = 0
    late: int = 0
    unknown: int = 0
    overdue: int = 0

    @property
    def due(self) -> int:
        """Those that fell due and that can be judged."""
        return self.on_time + self.late + self.overdue

    @property
    def share(self) -> Decimal | None:
        """Done in time of those due, to a hundredth of a per cent; None if none was."""
        return (Decimal(self.on_time) / self.due).quantize(Decimal("0.0001")) if self.due else None


def compliance(outcomes: Iterable[Outcome], by: By) -> list[Kept]:
    """Counted by one of asset, plan and month, in its order.

    >>> late = Outcome("A", "A/oil", "2026-04", on_time=False)
    >>> [(each.key, each.share) for each in compliance([late, replace(late, on_time=True)], "month")]
    [('2026-04', Decimal('0.5000'))]
    """
    found: dict[str, Kept] = {}
    for each in outcomes:
        key: str = getattr(each, by)
        kept = found.get(key) or Kept(key)
        if not each.done:
            found[key] = replace(kept, overdue=kept.overdue + 1)
        elif each.on_time is None:
            found[key] = replace(kept, unknown=kept.unknown + 1)
        elif each.on_time:
            found[key] = replace(kept, on_time=kept.on_time + 1)
        else:
            found[key] = replace(kept, late=kept.late + 1)
    return [found[key] for key in sorted(found)]
