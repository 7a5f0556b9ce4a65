"""Quantities: exact decimals with one text each, small enough that sums never round."""

import re
from decimal import Decimal

from models.errors import Refused

MAX_DIGITS, MAX_DECIMALS = 12, 6
_QUANTITY = re.compile(rf"\d{{1,{MAX_DIGITS}}}(\.\d{{1,{MAX_DECIMALS}}})?")


class BadQuantity(Refused):
    """Not a positive number of at most 12 digits and 6 decimals."""


def quantity_text(quantity: Decimal) -> str:
    """The one text of a quantity: no exponent, no trailing zeros, no minus zero.

    >>> quantity_text(Decimal("4E+1")), quantity_text(Decimal("2.500")), quantity_text(Decimal("-0.0"))
    ('40', '2.5', '0')
    """
    text = format(quantity, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def plain(quantity: Decimal) -> Decimal:
    """The same quantity with the digits of its `quantity_text`, so that equal quantities encode to equal bytes."""
    return Decimal(quantity_text(quantity))


def parse_quantity(text: str) -> Decimal:
    """A positive quantity from plain decimal text. Raises BadQuantity.

    >>> parse_quantity("40.0")
    Decimal('40')
    """
    if not (text.isascii() and _QUANTITY.fullmatch(text)) or not Decimal(text):
        msg = f"quantity: a positive number expected, got {text[:20]!r}"
        raise BadQuantity(msg)
    return plain(Decimal(text))


def checked(quantity: Decimal) -> Decimal:
    """`plain` of a positive quantity within the limits. Raises BadQuantity."""
    if not quantity.is_finite():
        msg = f"quantity: a positive number expected, got {quantity}"
        raise BadQuantity(msg)
    if quantity.adjusted() < -MAX_DECIMALS:
        msg = f"quantity: a positive number with at most {MAX_DECIMALS} decimals expected, got {quantity}"
        raise BadQuantity(msg)
    if quantity.adjusted() >= MAX_DIGITS:
        msg = f"quantity: at most {MAX_DIGITS} digits expected, got {quantity}"
        raise BadQuantity(msg)
    return parse_quantity(quantity_text(quantity))


def positive(**quantities: Decimal | None) -> None:
    """Raises ValueError naming the first that no movement could have: structs call it, their fields have no bounds."""
    for name, quantity in quantities.items():
        try:
            if quantity is not None:
                checked(quantity)
        except BadQuantity as error:
            limits = f"at most {MAX_DIGITS} digits and {MAX_DECIMALS} decimals"
            msg = f"{name}: a positive number expected, of {limits}, got {str(quantity)[:40]}"
            raise ValueError(msg) from error


def not_negative(**quantities: Decimal | None) -> None:
    """`positive`, of what may also be 0. Raises ValueError."""
    positive(
        **{
            name: None
            if quantity is not None and quantity.is_zero() and quantity.adjusted() >= -MAX_DECIMALS
            else quantity
            for name, quantity in quantities.items()
        }
    )
