"""What a report is narrowed to: the items of a family, or one item."""

from backend.reports.report import Look, Span
from models.declared import Item


def items_of(look: Look) -> dict[str, Item]:
    """Every item of the register."""
    bodies = look.register.all("items", look.now)
    return {sku: body for sku, body in bodies.items() if isinstance(body, Item)}


def skus_of(look: Look, span: Span) -> set[str] | None:
    """The items that a report is about; None: all, those that the register does not know too."""
    if span.family is not None:
        family = {sku for sku, body in items_of(look).items() if body.family == span.family}
        return family if span.sku is None else family & {span.sku}
    return None if span.sku is None else {span.sku}
