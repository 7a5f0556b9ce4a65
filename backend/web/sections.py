"""What each section of the page shows: bounded lists from the same queries as the API, made ready for the templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from backend.api import items
from backend.api.queries import decisions, intake, moves, scans, stock
from backend.api.services import Services
from backend.web import inbox, yard
from backend.web.rendering import TEMPLATES
from models.declared import Item, decode_body
from models.reading import from_micros
from models.units import quantity_text

ROWS = 50
STREAMS = 4
BAR_WIDTH = 120
BEHIND_S = 60
Context = dict[str, Any]
Ask = Mapping[str, str]
"""What of a section a person chose to see."""


@dataclass(slots=True)
class Place:
    """What of an item is at one place; `lots` may have None, for goods without a lot."""

    location: str
    on_hand: Decimal = Decimal(0)
    lots: list[str | None] = field(default_factory=list[str | None])

    @property
    def quantity(self) -> str:
        return quantity_text(self.on_hand)


@dataclass(slots=True)
class StockLine:
    """One item: what there is in all, where it is, and how it stands to its minimum and maximum."""

    sku: str
    name: str
    uom: str
    places: list[Place] = field(default_factory=list[Place])
    on_hand: Decimal = Decimal(0)
    on_order: str = "0"
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def total(self) -> str:
        return quantity_text(self.on_hand)

    @property
    def minimum(self) -> str | None:
        return None if self.low is None else quantity_text(self.low)

    @property
    def maximum(self) -> str | None:
        return None if self.high is None else quantity_text(self.high)

    @property
    def is_low(self) -> bool:
        return self.low is not None and self.on_hand <= self.low

    @property
    def is_below(self) -> bool:
        return self.low is not None and self.on_hand < self.low

    @property
    def is_negative(self) -> bool:
        return self.on_hand < 0 or any(place.on_hand < 0 for place in self.places)

    def add(self, held: items.Stock) -> None:
        """Count what is at one place of one lot; the places come in order."""
        self.on_hand += Decimal(held.on_hand)
        self.on_order = held.on_order
        if held.on_hand == "0":
            return
        if not self.places or self.places[-1].location != held.location:
            self.places.append(Place(held.location))
        self.places[-1].on_hand += Decimal(held.on_hand)
        self.places[-1].lots.append(held.lot)

    @property
    def bar(self) -> tuple[int, int, int] | None:
        """Pixels of BAR_WIDTH: the filled part, the minimum, the maximum. None for an item without them."""
        if self.low is None or self.high is None:
            return None
        full = max(self.high, self.on_hand) * Decimal("1.05") or Decimal(1)
        filled, low, high = (
            int(BAR_WIDTH * max(part, Decimal(0)) / full) for part in (self.on_hand, self.low, self.high)
        )
        return filled, low, high


def dock(tx: Connection, services: Services, _ask: Ask) -> Context:
    """The last crossings of stock and of tags nobody knows; those of assets apart; the last scans at the desks."""
    return {
        "crossings": moves.latest_crossings(tx, ROWS, ("stock", "unknown")),
        "asset_crossings": moves.latest_crossings(tx, 10, ("asset",)),
        "scans": scans.latest_scans(tx, 10),
        "items": item_bodies(tx, services.clock()),
    }


def stock_on_hand(tx: Connection, services: Services, _ask: Ask) -> Context:
    """Every item of the register and what the balances say of it; those at their minimum first."""
    now = services.clock()
    lines = {
        sku: StockLine(sku, body.name, body.uom, low=body.reorder_min, high=body.reorder_max)
        for sku, body in item_bodies(tx, now).items()
    }
    for held in stock.stock(tx, stock.StockAsk(), now):
        line = lines.setdefault(held.sku, StockLine(held.sku, "not in the register", ""))
        line.add(held)
    ordered = sorted(lines.values(), key=lambda line: (not line.is_low, line.sku))
    complete_to = from_micros(services.complete_to(tx, now))
    return {
        "lines": ordered[:ROWS],
        "line_count": len(ordered),
        "complete_to": complete_to,
        "behind": (from_micros(now) - complete_to).total_seconds() > BEHIND_S,
        "bar_width": BAR_WIDTH,
    }


def movements(tx: Connection, _services: Services, _ask: Ask) -> Context:
    """The last movements."""
    return {"movements": moves.latest_movements(tx, ROWS)}


def proposals(tx: Connection, services: Services, _ask: Ask) -> Context:
    """Proposals that wait, then what people decided last."""
    return {"proposals": decisions.latest_proposals(tx, 20), "items": item_bodies(tx, services.clock())}


def devices(tx: Connection, _services: Services, _ask: Ask) -> Context:
    """Gateways with their devices, and the streams that have readings waiting or are the newest."""
    shown: list[Context] = []
    for gateway in intake.gateways(tx):
        if gateway.name == "api":
            continue
        waiting = [s for s in gateway.streams if s.outbox_depth]
        newest = [s for s in gateway.streams[-STREAMS:] if s not in waiting]
        depth = sum(s.outbox_depth or 0 for s in gateway.streams)
        streams = [*waiting[-STREAMS:], *newest][-STREAMS:]
        older = len(gateway.streams) - len(streams)
        shown.append({"gateway": gateway, "depth": depth, "streams": streams, "older": older})
    return {"gateways": shown[:ROWS], "committed_at": intake.committed_at(tx)}


def item_bodies(tx: Connection, now: int) -> dict[str, Item]:
    """The register's items by SKU."""
    bodies: dict[str, Item] = {}
    for entry in stock.registered(tx, "items", now):
        body = decode_body("items", bytes(entry.body))
        if isinstance(body, Item):
            bodies[entry.id] = body
    return bodies


SECTIONS: dict[str, Callable[[Connection, Services, Ask], Context]] = {
    "yard": yard.yard,
    "dock": dock,
    "alerts": inbox.alerts,
    "proposals": proposals,
    "stock": stock_on_hand,
    "movements": movements,
    "devices": devices,
}
"""Every section of the page, by its id and the name of its template."""
OF_MODULE = {"yard": "assets", "proposals": "stock", "stock": "stock", "movements": "stock"}
"""The module without which a section is not shown."""


def shown(services: Services) -> list[str]:
    """The sections of the modules that are on."""
    return [name for name in SECTIONS if name not in OF_MODULE or OF_MODULE[name] in services.modules]


def section_html(tx: Connection, services: Services, name: str, ask: Ask, notice: str | None = None) -> str:
    """One section as it is now; `notice` says what went wrong with what a person did."""
    template = TEMPLATES.get_template(f"sections/{name}.html")
    return template.render(SECTIONS[name](tx, services, ask), notice=notice)
