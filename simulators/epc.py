"""Codes that the simulated goods carry: GTIN, SSCC, SGTIN-96 and SSCC-96, encoded here and nowhere else.

The system decodes with its own `models.epc`; an encoder of the simulators' own keeps one error from hiding in both.
Sources: GS1 General Specifications 7.9.1 (check digit), EPC Tag Data Standard 1.13 sections 14.5.1 and 14.5.2.
"""

COMPANY = "9521321"
"""GS1 prefix 952 is kept for demonstrations and examples."""
SGTIN_96, SSCC_96 = 0x30, 0x31
FULL_CASE, UNIT_LOAD = 2, 6
PARTITION = 5
"""Of a company prefix of 7 digits (24 bits): 6 digits (20 bits) of item, 10 digits (34 bits) of SSCC serial."""


def check_digit(digits: str) -> str:
    """The GS1 check digit of a key without it.

    >>> check_digit("629104150021")
    '3'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin13(item: str) -> str:
    """GTIN-13 of a five-digit item reference.

    >>> gtin13("50001")
    '9521321500013'
    """
    return COMPANY + item + check_digit(COMPANY + item)


def gtin14(indicator: int, item: str) -> str:
    """GTIN-14 of a packing level.

    >>> gtin14(1, "00010")
    '19521321000107'
    """
    body = f"{indicator}{COMPANY}{item}"
    return body + check_digit(body)


def sgtin96(indicator: int, item: str, serial: int) -> str:
    """Hex of a carton's tag: header, filter "full case", partition, company, indicator and item, 38-bit serial.

    >>> sgtin96(1, "00010", 6789)
    '30564522a461aa8000001a85'
    """
    value = _head(SGTIN_96, FULL_CASE)
    value = value << 20 | int(f"{indicator}{item}")
    return f"{value << 38 | serial:024x}"


def sscc96(extension: int, serial: int) -> str:
    """Hex of a pallet's tag: header, filter "unit load", partition, company, 34-bit serial reference, 24 zero bits.

    >>> sscc96(1, 42)
    '31d64522a43b9aca2a000000'
    """
    value = _head(SSCC_96, UNIT_LOAD)
    return f"{(value << 34 | int(f'{extension}{serial:09d}')) << 24:024x}"


def _head(header: int, filter_value: int) -> int:
    return ((header << 3 | filter_value) << 3 | PARTITION) << 24 | int(COMPANY)
