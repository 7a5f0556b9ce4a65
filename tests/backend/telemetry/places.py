"""Where telemetry stores of each kind can be made for a test: every one on a real database of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.telemetry.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of store."""

    new: Callable[[], Store]
    """Another one, with nothing in it, on a place of its own."""
    wipe: Callable[[Store], None]
    """Remove everything that it has, behind its back, while it is in use."""
