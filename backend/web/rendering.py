"""How the pages are made: the templates, and the filters that they share."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from backend.web.asset_risk import figure, is_high
from backend.web.standing import in_words
from backend.web.upkeep import SAYS, decisive, left_words
from models.reading import from_micros


def amount(text: str) -> str:
    """A decimal as a person reads it, to a tenth.

    >>> amount("4810.25"), amount("12"), amount("0.04")
    ('4,810.3', '12.0', '0.0')
    """
    return f"{Decimal(text).quantize(Decimal('0.1'), 'ROUND_HALF_UP'):,}"


def in_path(ident: str) -> str:
    """An id as one part of a path: its slashes too, so that no `..` in it leads elsewhere.

    >>> in_path("site/../crane 1")
    'site%2F..%2Fcrane%201'
    """
    return quote(ident, safe="")


FILTERS: dict[str, Any] = {
    "amount": amount,
    "in_path": in_path,
    "at": from_micros,
    "passed": in_words,
    "due_state": SAYS.__getitem__,
    "decisive": decisive,
    "left": left_words,
    "figure": figure,
    "is_high": is_high,
}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(FILTERS)


def rendered(template: str, context: dict[str, Any], status: int = 200) -> Response:
    """A template as a response."""
    return HTMLResponse(TEMPLATES.get_template(template).render(context), status)
