"""Assets as the books have them: the register with its values at a date, and what is going to be depreciated."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from backend.asset_use import AssetUse
from backend.book import asset_facts
from backend.reports.report import Column, Look, Report, Row, Span
from models.assets.forecast import YEARS, years
from models.assets.value import Facts, standing
from models.declared import Asset
from models.reading import from_micros

ASSETS_A_QUERY = 500
BODY = (
    Column("asset", "Asset"),
    Column("name", "Name"),
    Column("serial", "Serial number"),
    Column("category", "Category"),
    Column("state", "State"),
    Column("site", "Site"),
    Column("unit", "Business unit"),
    Column("project", "Project"),
)
ZERO = Decimal(0)


def register(look: Look, span: Span) -> Iterator[Row]:
    """Every asset at the end of the span; of what nobody said to have been bought no value is known."""
    at = from_micros(span.end - 1).date()
    for ident, body, facts in _assets(look, span):
        named = (ident, body.name, body.serial, body.category, body.state, body.site, body.unit, body.project)
        if facts is None:
            yield *named, None, None, None, None, None, None, None, None
            continue
        stand = standing(facts, at, AssetUse(look.tx, look.register, ident, look.now).used)
        values = (stand.gross, stand.additions, stand.accumulated, stand.book_value)
        method = None if facts.policy is None else facts.policy.method
        left = None if facts.left is None else facts.left.at
        yield *named, facts.bought, facts.begun, left, method, *values


def forecast(look: Look, span: Span) -> Iterator[Row]:
    """By category and site, what the present year and the four after it take of the assets there are at the end."""
    today = from_micros(span.end - 1).date()
    sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO] * (YEARS + 1))
    for ident, body, facts in _assets(look, span):
        if facts is not None:
            of = sums[body.category or "", body.site or ""]
            for k, amount in enumerate(_expected(look, ident, facts, today)):
                of[k] += amount
    for (category, site), amounts in sorted(sums.items()):
        yield category or None, site or None, *amounts


def _expected(look: Look, ident: str, facts: Facts, today: date) -> Iterator[Decimal]:
    used = AssetUse(look.tx, look.register, ident, look.now).used
    yield standing(facts, today, used).book_value
    for year in years(facts, today, used):
        yield year.amount


def _assets(look: Look, span: Span) -> Iterator[tuple[str, Asset, Facts | None]]:
    """Those that a report is about, as they are at the end of the span, with what their value rests on."""
    bodies = look.register.all("assets", min(span.end - 1, look.now))
    wanted = [(ident, body) for ident, body in bodies.items() if isinstance(body, Asset) and _is_asked(body, span)]
    for k in range(0, len(wanted), ASSETS_A_QUERY):
        some = wanted[k : k + ASSETS_A_QUERY]
        facts = asset_facts.facts(look.tx, look.register, [ident for ident, _ in some], look.now)
        yield from ((ident, body, facts.get(ident)) for ident, body in some)


def _is_asked(body: Asset, span: Span) -> bool:
    asked = (
        (span.site, body.site),
        (span.unit, body.unit),
        (span.project, body.project),
        (span.category, body.category),
    )
    return all(wanted is None or wanted == has for wanted, has in asked)


REGISTER = Report(
    "assets",
    "Asset register at a date",
    "Every asset with its cost, additions, depreciation and book value at the end of the span, as is known now",
    (
        *BODY,
        Column("bought", "Bought", "date"),
        Column("in_service", "In service", "date"),
        Column("left", "Gone", "date"),
        Column("method", "Depreciation"),
        Column("gross", "Cost", "money"),
        Column("additions", "Additions", "money"),
        Column("accumulated", "Accumulated depreciation", "money"),
        Column("book_value", "Book value", "money"),
    ),
    register,
    module="assets",
)
FORECAST = Report(
    "depreciation",
    "Depreciation to come",
    "By category and site, book value at the end of the span, and what its year and the four after it take",
    (
        Column("category", "Category"),
        Column("site", "Site"),
        Column("book_value", "Book value", "money"),
        Column("this_year", "This year", "money"),
        *(Column(f"year_{k}", f"Year {k}", "money") for k in range(2, YEARS + 1)),
    ),
    forecast,
    module="assets",
)
