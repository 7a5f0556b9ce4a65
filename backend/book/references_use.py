"""What categories say of the use of their assets: the calendar that they name is there."""

from collections.abc import Iterator

from models.declared import AssetClass
from models.register import Register


def asset_class(register: Register, at: int, body: object) -> Iterator[str]:
    """Whether the calendar of a category is one of the register."""
    named = body.shift_calendar if isinstance(body, AssetClass) else None
    if named is not None and register.get("calendars", named, at) is None:
        yield f"shift_calendar: one of the calendars expected, got {named!r}"
