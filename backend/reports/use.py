"""Utilisation of assets in a span, each of its base, and the sums by category and by site."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from backend import utilisation
from backend.reports.report import Cell, Column, Kind, Look, Report, Row, Span
from models.assets.asset import GONE
from models.assets.utilisation import ALL_TIME, SHIFTS, TARGET, Used, added
from models.declared import Asset
from models.motion.meter import Bounds

HOUR_US = 3_600_000_000


def used(look: Look, span: Span) -> Iterator[Row]:
    """A row for each asset and base, then for each category and site and base; `location` narrows it to a site."""
    end = min(span.end, look.now)
    sums: defaultdict[tuple[str, str, str], list[Used]] = defaultdict(list)
    for ident, body in look.register.all("assets", end).items() if span.begin < end else ():
        if not isinstance(body, Asset) or body.state in GONE or span.location not in {None, body.site}:
            continue
        category, site = body.category or "", body.site or ""
        for each in utilisation.utilisation(look.tx, look.register, ident, (span.begin, end)).use:
            yield ident, body.name, category or None, site or None, *_figures(each, each.base.name)
            for kind, name in (("category", category), ("site", site)):
                sums[kind, name, each.base.name.partition(" ")[0] if each.base.name != ALL_TIME else ALL_TIME] += [each]
    for (kind, name, base), several in sorted(sums.items()):
        if (total := added(several)) is not None:
            place = (name or None, None) if kind == "category" else (None, name or None)
            yield f"all of {kind} {name or '(none)'}", None, *place, *_figures(total, base)


def _figures(each: Used, base: str) -> tuple[Cell, ...]:
    hours = tuple(bound for bounds in (each.ran, each.in_all) for bound in _hours(bounds))
    shares = tuple(bound for share in (each.share, each.worked_share, each.load) for bound in _share(share))
    return base, _exact(Fraction(each.base.us, HOUR_US)), *hours, *shares


def _hours(bounds: Bounds | None) -> tuple[Cell, Cell]:
    if bounds is None:
        return None, None
    return _exact(Fraction(bounds.least, HOUR_US)), _exact(Fraction(bounds.most, HOUR_US))


def _share(share: tuple[Fraction, Fraction] | None) -> tuple[Cell, Cell]:
    return (None, None) if share is None else (_exact(share[0]), _exact(share[1]))


def _exact(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.000001"))


def _between(name: str, title: str, kind: Kind) -> tuple[Column, Column]:
    return Column(f"{name}_least", f"{title}, at least", kind), Column(f"{name}_most", f"{title}, at most", kind)


UTILISATION = Report(
    "utilisation",
    "Utilisation of assets",
    f"What assets ran of {ALL_TIME}, of their {SHIFTS} and of their {TARGET}; what nobody observed is the difference",
    (
        Column("asset", "Asset"),
        Column("name", "Name"),
        Column("category", "Category"),
        Column("site", "Site"),
        Column("base", "Share of"),
        Column("base_hours", "Hours of that", "quantity"),
        *_between("ran", "Hours run within", "quantity"),
        *_between("all", "Hours run in all", "quantity"),
        *_between("share", "Share", "share"),
        *_between("worked_share", "Worked share", "share"),
        *_between("load", "Load, with overtime", "share"),
    ),
    used,
    "assets",
)
