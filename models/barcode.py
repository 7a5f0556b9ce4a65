"""Barcodes: one scanner frame to a GS1 key with its attributes, or to one of our own command codes.

biip does the GS1 syntax; this module closes its traps. Without an AIM symbology identifier a 13-digit EAN also reads as
AI 7032, and then a wrong check digit looks like success: so nothing is guessed, the identifier, or the one that is
configured for the scanner, decides. A wrong check digit inside a message is an error of its element only: every element
is looked at. A value that is too long would go on as the next element: what must end with a separator has to. biip
takes the century of a date from the clock: dates are made here. Own codes (`SY:...`) cannot be GS1 and come first.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from biip import ParseError, gs1_prefixes
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gtin import Gtin
from msgspec import Struct

from models.epc import check_digit
from models.errors import BadCode

COMMANDS = {
    **dict.fromkeys(("RECEIVE", "ISSUE", "MOVE", "COUNT", "RETURN", "ASSIGN", "PACK"), False),
    **dict.fromkeys(("CONFIRM", "CANCEL", "UNDO"), False),
    **dict.fromkeys(("LOC", "QTY", "+", "BADGE", "ASSET", "EPC"), True),
}
"""What may follow `SY:`, and whether it has an argument: `SY:LOC:desk`, but `SY:+5` for `+`."""
GS = "\x1d"
_OWN = re.compile(r"(?ias)SY:(?:(?P<command>[A-Z]+)(?::(?P<argument>.*))?|\+(?P<more>.*))")
_GTIN_DIGITS = {"]E0": (12, 13), "]E4": (8,), "]I0": (14,), "]I1": (14,)}
_ADDED = {"]E3": (15, 18)}
"""EAN-13 with an add-on of 2 or 5 digits, which says an issue or a price and names no item."""
_MESSAGE = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
_LINK = frozenset(f"]{symbology}{modifier}" for symbology in "dQ" for modifier in range(7))
_GTIN, _COUNT, _SSCC, _GLN = ("01", "02"), ("30", "37"), ("00",), ("414",)
_WEIGHT = tuple(f"310{decimals}" for decimals in range(6))
_TAIL = re.compile(r"(?<=.)1[123567]\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?=$|10|21|30|37|310)|(?<=.)310[0-5]\d{6}$")
CENTURY = 100
_EAN_13 = 13
getattr(gs1_prefixes, "_GS1_COMPANY_PREFIX_TRIE", {}).clear()
"""Who owns which prefix, 12 MB of every process that reads barcodes; nothing of it is asked here."""


class Gs1(Struct, frozen=True):
    """What a GS1 code says.

    `gtin` has 14 digits; `location` is a GLN with its extension after a dot; `grai` has no leading zero: it and `giai`
    are `models.epc.Epc.key`. `weight_kg` is net. `warning` says what may be wrong though it reads.
    """

    gtin: str | None = None
    lot: str | None = None
    expiry: date | None = None
    serial: str | None = None
    count: int | None = None
    sscc: str | None = None
    location: str | None = None
    best_before: date | None = None
    weight_kg: Decimal | None = None
    grai: str | None = None
    giai: str | None = None
    warning: str | None = None


class OwnCode(Struct, frozen=True):
    """A command of the scan workflow: one of COMMANDS, in capitals; its argument as scanned, without outer spaces."""

    command: str
    argument: str | None = None


def is_own(data: str) -> bool:
    """Whether this is meant as a command code, valid or not."""
    return data[:3].upper() == "SY:"


def parse(data: str, symbology: str | None, year: int = 2026, default: str | None = None) -> Gs1 | OwnCode:
    """One barcode. `symbology` is its AIM identifier, `default` the one to assume when the scanner sends none.

    `year` is that of the scan, for the century of dates. Raises BadCode naming the part that is wrong (GS1 General
    Specifications sections 3, 5.1.2, 7.8, 7.9.1 and 7.12; Digital Link URI Syntax 1.2).

    >>> code = parse("0109506000134352" "310200125010LOT7", "]C1")
    >>> (code.gtin, code.lot, code.weight_kg)
    ('09506000134352', 'LOT7', Decimal('12.50'))
    >>> parse("sy:qty:40", "]C0")
    OwnCode(command='QTY', argument='40')
    """
    if is_own(data):
        return _own(data)
    symbology = symbology or default
    if symbology is None:
        msg = "barcode: no AIM symbology identifier; let the scanner send it, or configure the scanner's symbology"
        raise BadCode(msg)
    if not data.isascii():
        msg = f"barcode: ASCII characters expected, got {data[:40]!r}"
        raise BadCode(msg)
    try:
        return _gs1(data, symbology, year)
    except (ParseError, ValueError, ArithmeticError, LookupError) as error:
        msg = f"barcode: {error}"
        raise BadCode(msg) from error


def _own(data: str) -> OwnCode:
    match = _OWN.fullmatch(data)
    command = (match["command"] or "+").upper() if match else ""
    if match is None or command not in COMMANDS:
        msg = f"command: one of {', '.join(COMMANDS)} expected after SY:, got {data[3:40]!r}"
        raise BadCode(msg)
    argument = (match["argument"] or match["more"] or "").strip() or None
    if COMMANDS[command] != (argument is not None):
        msg = f"command: SY:{command} {'needs a value' if COMMANDS[command] else 'takes no value'}"
        raise BadCode(msg)
    return OwnCode(command, argument)


def _gs1(data: str, symbology: str, year: int) -> Gs1:
    if symbology in _ADDED and len(data) in _ADDED[symbology]:
        return _plain_gtin(data[:_EAN_13], "]E0")
    if symbology in _GTIN_DIGITS:
        return _plain_gtin(data, symbology)
    if symbology in _LINK and data[:4].lower() == "http":
        return _of_elements(_linked(data), year, None)
    if symbology in _MESSAGE:
        elements = [*_elements(data)]
        return _of_elements(elements, year, _swallowed(elements))
    msg = f"{symbology} is not a GS1 symbology"
    raise ValueError(msg)


def _plain_gtin(data: str, symbology: str) -> Gs1:
    if len(data) not in _GTIN_DIGITS[symbology] or not data.isdecimal():
        msg = f"{symbology} of {_GTIN_DIGITS[symbology][-1]} digits expected, got {data[:40]!r}"
        raise ValueError(msg)
    return Gs1(gtin=Gtin.parse(data).value.zfill(14))


def _elements(data: str) -> Iterator[GS1ElementString]:
    """The element strings of a message. A separator too many does no harm; some scanners send the leading FNC1 too."""
    rest = data.lstrip(GS)
    while rest:
        element = GS1ElementString.extract(rest)
        rest = rest[len(element) :]
        if element.ai.separator_required and rest and not rest.startswith(GS):
            msg = f"AI ({element.ai.ai}): a separator expected after {element.value!r}"
            raise ValueError(msg)
        rest = rest.lstrip(GS)
        yield element


def _linked(uri: str) -> list[GS1ElementString]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(uri).query):
        if name.isdecimal() and query.setdefault(name, value) != value:
            msg = f"AI ({name}) twice with different values"
            raise ValueError(msg)
    return GS1DigitalLinkURI.parse(uri).element_strings


def _swallowed(elements: Iterable[GS1ElementString]) -> str | None:
    """What is said when a value ends as if the separator after it were missing: an AI with a date, or a weight."""
    for element in elements:
        tail = _TAIL.search(element.value) if element.ai.separator_required else None
        if tail:
            return f"AI ({element.ai.ai}) {element.value!r}: {tail.group()} may be an element; is a separator missing?"
    return None


def _of_elements(elements: Iterable[GS1ElementString], year: int, warning: str | None) -> Gs1:
    values: dict[str, str] = {}
    for element in elements:
        ai = element.ai.ai
        error = element.gtin_error or element.sscc_error or element.gln_error
        if error or not element.value.isascii() or not element.value:
            raise ValueError(error or f"AI ({ai}): ASCII characters expected, got {element.value!r}")
        if values.setdefault(ai, element.value) != element.value:
            msg = f"AI ({ai}) twice with different values"
            raise ValueError(msg)
    if not values:
        msg = "no GS1 element in it"
        raise ValueError(msg)
    best_before, expiry = (None if ai not in values else _date(ai, values[ai], year) for ai in ("15", "17"))
    gtin, count, gln = (_one(values, ais) for ais in (_GTIN, _COUNT, _GLN))
    return Gs1(
        gtin=gtin,
        lot=values.get("10"),
        expiry=expiry,
        serial=values.get("21"),
        count=None if count is None else int(count),
        sscc=_one(values, _SSCC),
        location=f"{gln}.{values['254']}" if gln is not None and "254" in values else gln,
        best_before=best_before,
        weight_kg=_weight(values),
        grai=_grai(values.get("8003")),
        giai=values.get("8004"),
        warning=warning,
    )


def _one(values: dict[str, str], ais: tuple[str, ...]) -> str | None:
    found = [values[ai] for ai in ais if ai in values]
    if len(found) > 1:
        msg = f"only one of AI {', '.join(f'({ai})' for ai in ais)} expected"
        raise ValueError(msg)
    return found[0] if found else None


def _weight(values: dict[str, str]) -> Decimal | None:
    """AI 310n: six digits, n of them decimals, in kilograms (section 3.6.2)."""
    digits = _one(values, _WEIGHT)
    decimals = next((int(ai[3]) for ai in _WEIGHT if ai in values), 0)
    return None if digits is None else Decimal(f"{digits}e-{decimals}")


def _grai(value: str | None) -> str | None:
    """AI 8003 without its leading zero; biip does not look at the check digit (section 3.9.3)."""
    if value is None:
        return None
    if value[13] != (right := check_digit(value[1:13])):
        msg = f"AI (8003): check digit {right} expected, got {value[13]}"
        raise ValueError(msg)
    return value[1:]


def _date(ai: str, yymmdd: str, year: int) -> date:
    """A date of two-digit year: 49 years back to 50 ahead; day 00 is the last of the month (7.12)."""
    two_digits, month, day = (int(yymmdd[place : place + 2]) for place in (0, 2, 4))
    ahead = two_digits - year % CENTURY
    full = year + ahead
    if ahead > CENTURY // 2:
        full -= CENTURY
    elif ahead < -CENTURY // 2 + 1:
        full += CENTURY
    try:
        return date(full, month, day or monthrange(full, month)[1])
    except ValueError as error:
        msg = f"AI ({ai}): a date (YYMMDD) expected, got {yymmdd}"
        raise ValueError(msg) from error
