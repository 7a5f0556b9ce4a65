"""Pick faces: a bin that is picked from is filled up from the others when it falls to its minimum."""

from decimal import Decimal


def need(minimum: Decimal, maximum: Decimal, available: Decimal, coming: Decimal) -> Decimal | None:
    """How much to bring, up to the maximum; None above the minimum.

    `available` is what lies there less what is promised from it, `coming` what is on its way there: it counts, so that
    nothing is asked for twice.
    """
    position = available + coming
    return maximum - position if position <= minimum else None
