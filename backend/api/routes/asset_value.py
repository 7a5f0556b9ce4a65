"""What assets are worth: value at a date, depreciation, costs with their class, disposals, the assets' journal."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from backend.api import items
from backend.api import items_asset_value as shapes
from backend.api.answers import Ask, Body, answer, decimal_of, documented, documented_body, page, parse_body
from backend.api.queries import asset_value as queries
from backend.api.services import Use
from backend.book import asset_costs, asset_disposals, locks
from backend.book.asset_costs import AssetCost
from backend.book.asset_disposals import Disposal
from backend.book.db import read, write

router = APIRouter(tags=["asset value"])
Ident = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]


@router.get("/assets/{ident:path}/value", responses=documented(shapes.AssetValue))
def asset_value(services: Use, ident: Ident, ask: Annotated[queries.ValueAsk, Query()]) -> Response:
    """What an asset is worth in the books at the end of a day, and whether it is in warranty then."""
    now = services.clock()
    with read(services.book) as tx:
        known, whole = services.registers.current(tx), services.complete_to(tx, now)
        found = queries.value(tx, known, ident, ask, (now, whole))
    return answer(found)


@router.get("/assets/{ident:path}/depreciation", responses=documented(shapes.AssetDepreciation))
def asset_depreciation(services: Use, ident: Ident, _ask: Annotated[Ask, Query()]) -> Response:
    """What was posted of it by month, and the present year and the four after it as they are expected."""
    now = services.clock()
    with read(services.book) as tx:
        found = queries.depreciation(tx, services.registers.current(tx), ident, now)
    return answer(found)


@router.get("/asset-costs", responses=documented(shapes.AssetCosts))
def list_asset_costs(services: Use, ask: Annotated[queries.CostAsk, Query()]) -> Response:
    """What was spent on assets, capital or upkeep and why, with the sums of both."""
    with read(services.book) as tx:
        found = queries.costs(tx, ask)
    return answer(found)


@router.put(
    "/asset-costs/{ident:path}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.AssetCostBody),
)
def put_asset_cost(services: Use, ident: Ident, body: Body) -> Response:
    """A cost of an asset, classed by the rules; the same id again is harmless, with other content 409."""
    new = _cost(ident, parse_body(body, shapes.AssetCostBody))
    with write(services.book) as tx:
        known = services.registers.current(tx)
        outcome = asset_costs.record(tx, known, new, services.actor, services.clock())
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.post(
    "/asset-costs/{ident:path}/classify",
    responses=documented(shapes.AssetCost),
    openapi_extra=documented_body(shapes.ClassBody),
)
def classify_asset_cost(services: Use, ident: Ident, body: Body) -> Response:
    """A person classes a cost, with a reason: what was posted of it is corrected by a delta."""
    told = parse_body(body, shapes.ClassBody)
    with write(services.book) as tx:
        said = asset_costs.Said(told.as_, told.reason, services.actor, services.clock())
        found = asset_costs.reclassify(tx, services.registers.current(tx), ident, said)
    return answer(queries.cost_told(found))


@router.get("/asset-disposals", responses=documented(items.Page[shapes.AssetDisposal]))
def list_disposals(services: Use, ask: Annotated[queries.DisposalAsk, Query()]) -> Response:
    """How assets went, what they were worth then, and what that gained or lost."""
    now = services.clock()
    with read(services.book) as tx:
        found = queries.disposals(tx, services.registers.current(tx), ask, now)
    return page(found, ask.limit, found[-1].n if found else None)


@router.put(
    "/asset-disposals/{ident:path}",
    responses=documented(items.Declared, 201),
    openapi_extra=documented_body(shapes.DisposalBody),
)
def put_disposal(services: Use, ident: Ident, body: Body) -> Response:
    """An asset goes: written down and entered in the register in one transaction; the same id again is harmless."""
    new = _disposal(ident, parse_body(body, shapes.DisposalBody))
    with write(services.book) as tx:
        locks.own_register(tx)  # before it is read: two that share it would wait for each other
        known = services.registers.current(tx)
        outcome = asset_disposals.dispose(tx, known, new, services.actor, services.clock())
    return answer(items.Declared(ident, outcome), 201 if outcome == "created" else 200)


@router.get("/asset-journal", responses=documented(items.Page[shapes.AssetEntry]))
def list_asset_entries(services: Use, ask: Annotated[queries.EntryAsk, Query()]) -> Response:
    """Balanced entries of assets as they are posted, on accounts that stock has none of."""
    with read(services.book) as tx:
        found = queries.entries(tx, ask)
    return page(found, ask.limit, found[-1].n if found else None)


def _cost(ident: str, told: shapes.AssetCostBody) -> AssetCost:
    return AssetCost(
        id=ident,
        asset=told.asset,
        at=told.at,
        amount=decimal_of("amount", told.amount),
        nature=told.nature,
        extends_life=told.extends_life,
        adds_capacity=told.adds_capacity,
        document=told.document,
        note=told.note,
    )


def _disposal(ident: str, told: shapes.DisposalBody) -> Disposal:
    return Disposal(
        id=ident,
        asset=told.asset,
        date=told.date,
        state=told.state,
        proceeds=decimal_of("proceeds", told.proceeds),
        buyer=told.buyer,
        note=told.note,
    )
