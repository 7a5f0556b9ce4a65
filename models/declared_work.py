"""What people declare of maintenance work: failure codes of their own, beside those that are built in."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.declared_assets import Kind
from models.declared_stock import Name

Aspect = Literal["mode", "mechanism", "cause", "detection", "remedy"]


class FailureCode(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A failure mode, mechanism, cause, way of detection or remedy; its id is the code."""

    aspect: Aspect
    name: Name
    kinds: Annotated[list[Kind], Meta(max_length=20)] = []
    """The kinds of equipment that it is for; none: all."""
