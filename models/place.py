"""The virtual locations: the other side of what enters and leaves; the register has all others.

Each is the id of such a location where the register has none of its kind, and the kind itself.
"""

from collections.abc import Mapping

SUPPLIER, CUSTOMER = "supplier", "customer"
PRODUCTION, PROJECT = "production", "project"
SCRAP, ADJUSTMENT = "scrap", "adjustment"
IN_TRANSIT, CAPITALISED = "in_transit", "capitalised"
VIRTUAL = frozenset({SUPPLIER, CUSTOMER, PRODUCTION, PROJECT, SCRAP, ADJUSTMENT, IN_TRANSIT, CAPITALISED})


def within(parents: Mapping[str, str | None], root: str) -> set[str]:
    """A location and everything that is in it; `parents` has the location that each is in.

    >>> sorted(within({"hall": None, "rack": "hall", "bin": "rack", "yard": None}, "rack"))
    ['bin', 'rack']
    """
    found = {root}
    while more := {ident for ident, parent in parents.items() if parent in found} - found:
        found |= more
    return found
