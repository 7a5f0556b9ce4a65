"""Categories: which own fields and meters an asset has, by what the register says of its category and what is built in.

A field that no category knows is refused, not kept: what is misspelt would never be found again.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct

from models.declared_assets import Asset, AssetClass, DepreciationPolicy, Kind, MeterName, OwnField

TEXT, DATE = OwnField(), OwnField("date")
KINDS: Mapping[Kind, tuple[tuple[MeterName, ...], int, Mapping[str, OwnField]]] = {
    "vehicle": (("hours", "km"), 14, {"plate": TEXT, "vin": TEXT}),
    "crane": (("hours", "starts"), 30, {"capacity_t": OwnField("number", unit="t"), "group": TEXT}),
    "machine": (("hours", "starts", "cycles"), 30, {"power_kw": OwnField("number", unit="kW")}),
    "tool": (("hours",), 60, {"size": TEXT}),
    "it": ((), 30, {"hostname": TEXT, "mac": TEXT, "support_until": DATE}),
    "medical": (("hours", "cycles"), 14, {"udi": TEXT, "risk_class": TEXT}),
    "furniture": ((), 365, {}),
    "instrument": (("cycles",), 30, {"tray": TEXT, "cycles_most": OwnField("number")}),
    "other": (("hours", "km", "starts", "cycles"), 90, {}),
}
"""What each kind is counted in, after how many days unseen it is a ghost, and its own fields: none of them required."""
FREE: frozenset[Kind] = frozenset({"vehicle", "crane", "machine"})
"""Kinds that come and go in their work: they may leave unasked."""
NAMED: Mapping[str, Kind] = {
    **{kind: kind for kind in KINDS},
    "truck": "vehicle",
    "trailer": "vehicle",
    "forklift": "vehicle",
    "excavator": "machine",
}
"""Categories that need no entry."""


class Category(Struct, frozen=True):
    """What holds for the assets of a category."""

    kind: Kind
    fields: Mapping[str, OwnField]
    meters: tuple[MeterName, ...]
    unseen_days: int
    custody: bool = True
    depreciation: DepreciationPolicy | None = None
    shift_calendar: str | None = None


def category(name: str | None, declared: AssetClass | None) -> Category:
    """As the register declares it; what it does not say is built in for its kind.

    >>> category("truck", None).meters
    ('hours', 'km')
    """
    declared = declared or AssetClass()
    kind = declared.kind or NAMED.get(name or "", "other")
    meters, unseen_days, fields = KINDS[kind]
    return Category(
        kind,
        {**fields, **declared.fields},
        meters if declared.meters is None else tuple(declared.meters),
        declared.unseen_days or unseen_days,
        kind not in FREE if declared.custody is None else declared.custody,
        declared.depreciation,
        declared.shift_calendar,
    )


def problems(asset: Asset, of: Category) -> Iterator[str]:
    """What is wrong with an asset's own fields, each naming the field and what was expected."""
    for name, field in of.fields.items():
        if field.required and name not in asset.fields:
            yield f"fields.{name}: a {field.type} expected: assets of category {asset.category} have one"
    for name, value in asset.fields.items():
        if name not in of.fields:
            known = ", ".join(sorted(of.fields)) or "none"
            yield f"fields.{name}: one of the fields of category {asset.category} expected ({known})"
        elif not _fits(of.fields[name], value):
            yield f"fields.{name}: {_EXPECTED[of.fields[name].type]} expected, got {value!r}"


_EXPECTED = {
    "text": "a text",
    "number": "a number",
    "bool": "true or false",
    "date": 'a date like "2026-09-30"',
}


def _fits(field: OwnField, value: object) -> bool:
    if field.type == "bool" or isinstance(value, bool):
        return field.type == "bool" and isinstance(value, bool)
    if field.type == "number" or not isinstance(value, str):
        return field.type == "number" and not isinstance(value, str)
    return field.type == "text" or _is_date(value)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
