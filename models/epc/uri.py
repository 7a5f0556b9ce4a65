"""EPCs as texts: pure-identity URIs, tag URIs and GS1 element strings, each checked field by field.

Tag Data Standard 1.13 sections 6.3, 7 and 12. An element string does not say how long its company prefix is: the
caller does.
"""

import re

from models.epc import coding as tables
from models.epc.code import Epc, build, check_digit
from models.epc.text import is_digits, is_number, is_text, unescape
from models.errors import BadCode

_IDENTITY, _TAG = "urn:epc:id:", "urn:epc:tag:"
_SHOWN = 80
_NUMERIC = ("sscc", "gsrn", "gid")
_ELEMENTS = (
    ("sgtin", re.compile(r"\(01\)(?P<key>[0-9]{14})\(21\)(?P<serial>.+)")),
    ("sscc", re.compile(r"\(00\)(?P<key>[0-9]{18})")),
    ("sgln", re.compile(r"\(414\)(?P<key>[0-9]{13})(?:\(254\)(?P<serial>.+))?")),
    ("grai", re.compile(r"\(8003\)0(?P<key>[0-9]{13})(?P<serial>.+)")),
    ("giai", re.compile(r"\(8004\)(?P<key>)(?P<serial>.+)")),
    ("gsrn", re.compile(r"\(8018\)(?P<key>[0-9]{18})")),
    ("gdti", re.compile(r"\(253\)(?P<key>[0-9]{13})(?P<serial>.+)")),
)


def parse_uri(uri: str) -> Epc:
    """A pure-identity URI or a tag URI. Raises BadCode naming the part that is wrong.

    >>> parse_uri("urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb").elements
    '(01)70614141123451(21)32a/b'
    """
    if uri.startswith(_TAG):
        name, _, body = uri.removeprefix(_TAG).partition(":")
        return _tag(uri, name, body)
    scheme, _, body = uri.removeprefix(_IDENTITY).partition(":")
    if not uri.startswith(_IDENTITY) or (scheme not in tables.SCHEMES and scheme != "gid"):
        msg = f"epc: urn:epc:id: or urn:epc:tag: and a scheme known here expected, got {uri[:_SHOWN]!r}"
        raise BadCode(msg)
    return build(scheme, _fields(scheme, body), None)


def _tag(uri: str, name: str, body: str) -> Epc:
    if name == tables.GID:
        return build("gid", _fields("gid", body), None, name)
    coding = tables.BY_NAME.get(name)
    filter_text, _, rest = body.partition(".")
    if coding is None or filter_text not in [*"01234567"]:
        msg = f"epc: a tag URI of a coding known here with a filter of 0 to 7 expected, got {uri[:_SHOWN]!r}"
        raise BadCode(msg)
    return build(coding.scheme, _fields(coding.scheme, rest), int(filter_text), name)


def _fields(scheme: str, body: str) -> list[str]:
    """The fields of a URI's body, unescaped and checked. Only the last may contain a full stop."""
    wanted = 2 if scheme in ("sscc", "gsrn", "giai") else 3
    parts = body.split(".", wanted - 1)
    if len(parts) != wanted:
        msg = f"{scheme}: {wanted} fields between full stops expected, got {body[:_SHOWN]!r}"
        raise BadCode(msg)
    if scheme not in _NUMERIC:
        parts[-1] = unescape(parts[-1])
    return _checked(scheme, parts)


def _checked(scheme: str, parts: list[str]) -> list[str]:
    if scheme == "gid":
        for part, bits in zip(parts, tables.GID_BITS, strict=True):
            if not is_number(part) or len(part) > bits or int(part) >> bits:
                msg = f"gid: a number below 2^{bits} without leading zeros expected, got {part[:_SHOWN]!r}"
                raise BadCode(msg)
        return parts
    digits, most = tables.SCHEMES[scheme]
    company = parts[0]
    if not is_digits(company) or len(company) not in tables.COMPANY_DIGITS:
        msg = f"{scheme}: a company prefix of 6 to 12 digits expected, got {company[:_SHOWN]!r}"
        raise BadCode(msg)
    left = digits - len(company)
    if digits and not (len(parts[1]) == left and (not left or is_digits(parts[1]))):
        msg = f"{scheme}: a reference of {left} digits expected, got {parts[1][:_SHOWN]!r}"
        raise BadCode(msg)
    most -= 0 if digits else len(company)
    if most and not is_text(parts[-1], most):
        field = "serial" if digits else "reference"
        msg = f"{scheme}: a {field} of 1 to {most} characters of GS1's set of 82 expected, got {parts[-1][:_SHOWN]!r}"
        raise BadCode(msg)
    return parts


def parse_elements(text: str, company_digits: int) -> Epc:
    """An element string as it is printed, with the digits of its company prefix (6 to 12). Raises BadCode.

    >>> parse_elements("(00)106141412345678908", 7).uri
    'urn:epc:id:sscc:0614141.1234567890'
    """
    if company_digits not in tables.COMPANY_DIGITS:
        msg = f"epc: a company prefix of 6 to 12 digits expected, got {company_digits}"
        raise BadCode(msg)
    for scheme, shape in _ELEMENTS:
        match = shape.fullmatch(text)
        if match:
            groups = match.groupdict()
            return build(scheme, _of_elements(scheme, groups["key"], groups, company_digits), None)
    msg = f"epc: an element string of a scheme known here expected, got {text[:_SHOWN]!r}"
    raise BadCode(msg)


def _of_elements(scheme: str, key: str, groups: dict[str, str | None], company_digits: int) -> list[str]:
    serial = groups.get("serial")
    if scheme == "giai":
        whole = serial or ""
        return _checked(scheme, [whole[:company_digits], whole[company_digits:]])
    body = key[:-1]
    if (right := check_digit(body)) != key[-1]:
        msg = f"{scheme}: check digit {right} expected, got {key[-1]}"
        raise BadCode(msg)
    first = 1 if scheme in ("sgtin", "sscc") else 0  # indicator or extension, which URIs put before the reference
    company, rest = body[first : first + company_digits], body[first + company_digits :]
    fields = [company, body[:first] + rest]
    if scheme not in _NUMERIC:
        fields.append(serial or "0")
    return _checked(scheme, fields)
