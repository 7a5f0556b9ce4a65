"""What `stockyard doctor` says of one thing: what was looked at, what was found, and what to do if it is not well."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's."""

    name: str
    ok: bool
    detail: str
    next_step: str = ""
