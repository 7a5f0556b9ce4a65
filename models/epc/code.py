"""One EPC as a value: its scheme and fields, and the texts that follow from them."""

from msgspec import Struct

from models.epc.text import escape


class Epc(Struct, frozen=True):
    """One EPC. `reference` is the scheme's second field: item, serial reference, location, asset type ...

    `filter` and `coding` ("sgtin-96") are None where tag memory did not say them; `serial` is not escaped.
    """

    scheme: str
    company: str
    reference: str
    serial: str | None
    filter: int | None
    uri: str
    gtin: str | None = None
    sscc: str | None = None
    coding: str | None = None

    @property
    def tag_uri(self) -> str | None:
        """The tag URI (section 12), or None if no coding was said."""
        if self.coding is None:
            return None
        part = "" if self.filter is None else f"{self.filter}."
        return f"urn:epc:tag:{self.coding}:{part}{self.uri.split(':', 4)[4]}"

    @property
    def key(self) -> str | None:
        """The GS1 key: GTIN, SSCC, GLN, GSRN; GRAI and GDTI with their serial, GIAI. GID has none."""
        digits = self.company + self.reference
        match self.scheme:
            case "sgtin" | "sscc":
                return self.gtin or self.sscc
            case "sgln" | "gsrn":
                return digits + check_digit(digits)
            case "grai" | "gdti":
                return f"{digits}{check_digit(digits)}{self.serial}"
            case "giai":
                return digits
            case _:
                return None

    @property
    def elements(self) -> str | None:
        """The GS1 element string as it is printed, "(01)...(21)..."; None for a GID (section 7).

        The extension "0" of an SGLN says that there is none.
        """
        if self.scheme == "gid":
            return None
        extension = "" if self.serial == "0" else f"(254){self.serial}"
        shapes = {
            "sgtin": f"(01){self.gtin}(21){self.serial}",
            "sgln": f"(414){self.key}{extension}",
            "grai": f"(8003)0{self.key}",
        }
        return shapes.get(self.scheme, f"({_AIS.get(self.scheme)}){self.key}")


_INDICATED = ("sgtin", "sscc")
_AIS = {"sscc": "00", "giai": "8004", "gsrn": "8018", "gdti": "253"}


def check_digit(digits: str) -> str:
    """The GS1 check digit that follows `digits` (GS1 General Specifications 7.9.1).

    >>> check_digit("0950600013435")
    '2'
    """
    return str(-(3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))) % 10)


def build(scheme: str, fields: list[str], filter_value: int | None, coding: str | None = None) -> Epc:
    """The EPC of checked fields: company, reference and, if the scheme has one, serial."""
    company, reference = fields[0], fields[1]
    serial = None if len(fields) == 2 else fields[2]  # noqa: PLR2004 - the third, if there is one
    gtin = sscc = None
    if scheme in _INDICATED:
        key = reference[0] + company + reference[1:]
        key += check_digit(key)
        gtin, sscc = (key, None) if scheme == "sgtin" else (None, key)
    last = fields[-1] if fields[-1].isalnum() else escape(fields[-1])
    body = f"{company}.{last}" if serial is None else f"{company}.{reference}.{last}"
    return Epc(scheme, company, reference, serial, filter_value, f"urn:epc:id:{scheme}:{body}", gtin, sscc, coding)
