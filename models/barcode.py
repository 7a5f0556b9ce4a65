"""Barcodes: one scanner frame to a GS1 key with its attributes, or to one of our own command codes.

biip does the GS1 syntax; this module closes its traps. Without an AIM symbology identifier a 13-digit EAN also reads as
AI 7032, and then a wrong check digit looks like success: so nothing is guessed, the identifier decides. A wrong check
digit inside a message is an error of its element only: every element is looked at. biip takes the century of a date
from the clock: dates are made here. Own codes (`SY:...`) cannot be GS1 and come first.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin
from msgspec import Struct

from models.errors import BadCode

COMMANDS = {"RECEIVE": False, "ISSUE": False, "CONFIRM": False, "CANCEL": False, "LOC": True, "QTY": True}
_OWN = re.compile(r"SY:(?P<command>[A-Za-z]+)(?::(?P<argument>.*))?", re.IGNORECASE | re.DOTALL)
_GTIN_DIGITS = {"]E0": (12, 13), "]E4": (8,), "]I1": (14,)}
_MESSAGE = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
_LINK = frozenset({"]d1", "]d2", "]Q1", "]Q3"})
_GTIN, _COUNT, _LOT, _EXPIRY, _SERIAL = ("01", "02"), ("30", "37"), ("10",), ("17",), ("21",)
_SSCC, _GLN, _GLN_EXTENSION = ("00",), ("414",), ("254",)
CENTURY = 100


class Gs1(Struct, frozen=True):
    """What a GS1 code says; `gtin` has 14 digits, `location` is a GLN with its extension after a dot."""

    gtin: str | None = None
    lot: str | None = None
    expiry: date | None = None
    serial: str | None = None
    count: int | None = None
    sscc: str | None = None
    location: str | None = None


class OwnCode(Struct, frozen=True):
    """A command of the scan workflow: one of COMMANDS, in capitals, and its argument as scanned."""

    command: str
    argument: str | None = None


def is_own(data: str) -> bool:
    """Whether this is meant as a command code, valid or not."""
    return data[:3].upper() == "SY:"


def parse(data: str, symbology: str | None, year: int = 2026) -> Gs1 | OwnCode:
    """One barcode. `symbology` is the AIM identifier; `year` is that of the scan, for the century of dates.

    Raises BadCode naming the part that is wrong (GS1 General Specifications sections 3, 5.1.2, 7.9.1 and 7.12).

    >>> parse("0109506000134352" "10LOT7", "]C1")
    Gs1(gtin='09506000134352', lot='LOT7', expiry=None, serial=None, count=None, sscc=None, location=None)
    >>> parse("sy:qty:40", "]C0")
    OwnCode(command='QTY', argument='40')
    """
    if is_own(data):
        return _own(data)
    if symbology is None:
        msg = "barcode: no AIM symbology identifier; let the scanner send it"
        raise BadCode(msg)
    if not data.isascii():
        msg = f"barcode: ASCII characters expected, got {data[:40]!r}"
        raise BadCode(msg)
    try:
        if symbology in _GTIN_DIGITS:
            return _plain_gtin(data, symbology)
        if symbology in _LINK and data[:4].lower() == "http":
            return _of_elements(GS1DigitalLinkURI.parse(data).element_strings, year)
        if symbology in _MESSAGE:
            return _of_elements(GS1Message.parse(data).element_strings, year)
    except (ParseError, ValueError) as error:
        msg = f"barcode: {error}"
        raise BadCode(msg) from error
    msg = f"barcode: {symbology} is not a GS1 symbology"
    raise BadCode(msg)


def _own(data: str) -> OwnCode:
    match = _OWN.fullmatch(data)
    command = match["command"].upper() if match else ""
    if match is None or command not in COMMANDS:
        msg = f"command: one of {', '.join(COMMANDS)} expected after SY:, got {data[3:40]!r}"
        raise BadCode(msg)
    argument = (match["argument"] or "").strip() or None
    if COMMANDS[command] != (argument is not None):
        msg = f"command: SY:{command} {'needs a value' if COMMANDS[command] else 'takes no value'}"
        raise BadCode(msg)
    return OwnCode(command, argument)


def _plain_gtin(data: str, symbology: str) -> Gs1:
    if len(data) not in _GTIN_DIGITS[symbology]:
        msg = f"barcode: {symbology} of {_GTIN_DIGITS[symbology][-1]} digits expected, got {len(data)}"
        raise BadCode(msg)
    return Gs1(gtin=Gtin.parse(data).value.zfill(14))


def _of_elements(elements: Iterable[GS1ElementString], year: int) -> Gs1:
    values: dict[str, str] = {}
    for element in elements:
        error = element.gtin_error or element.sscc_error or element.gln_error
        if error:
            msg = f"barcode: {error}"
            raise BadCode(msg)
        ai = element.ai.ai
        if values.setdefault(ai, element.value) != element.value:
            msg = f"barcode: AI ({ai}) twice with different values"
            raise BadCode(msg)
    if not values:
        msg = "barcode: no GS1 element in it"
        raise BadCode(msg)
    expiry, count, gln, extension = (_one(values, ais) for ais in (_EXPIRY, _COUNT, _GLN, _GLN_EXTENSION))
    return Gs1(
        gtin=_one(values, _GTIN),
        lot=_one(values, _LOT),
        expiry=None if expiry is None else _date(expiry, year),
        serial=_one(values, _SERIAL),
        count=None if count is None else int(count),
        sscc=_one(values, _SSCC),
        location=gln if gln is None or extension is None else f"{gln}.{extension}",
    )


def _one(values: dict[str, str], ais: tuple[str, ...]) -> str | None:
    found = [values[ai] for ai in ais if ai in values]
    if len(found) > 1:
        msg = f"barcode: only one of AI {', '.join(f'({ai})' for ai in ais)} expected"
        raise BadCode(msg)
    value = found[0] if found else None
    return value.zfill(14) if value is not None and ais is _GTIN else value


def _date(yymmdd: str, year: int) -> date:
    """A date of two-digit year: 49 years back to 50 ahead; day 00 is the last of the month (7.12)."""
    two_digits, month, day = (int(yymmdd[place : place + 2]) for place in (0, 2, 4))
    ahead = two_digits - year % CENTURY
    full = year + ahead
    if ahead > CENTURY // 2:
        full -= CENTURY
    elif ahead < -CENTURY // 2 + 1:
        full += CENTURY
    return date(full, month, day or monthrange(full, month)[1])
