"""A warehouse for tests: bins, a stage, tagged pumps and loose bolts, and the API on its book."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi.testclient import TestClient

from backend.api.services import Services
from backend.book import ledger, register
from backend.book.db import write
from backend.deriver import Deriver
from backend.planner import Planner
from models import epc
from models.declared import Bin, Device, Door, Item, Location, Lot, PickFace, Point, Points, TagBinding
from models.reading import Reading, Tag, from_micros
from models.stock.ledger import Movement
from tests.backend.books import DAY, SECOND, Yard
from tests.shared_app import shared_app

NOW = 1_795_424_400_000_000
PUMP = [f"3034257bf7194e40{n:08x}" for n in range(1, 20)]
"""Tags that the register binds to one PUMP-40 each."""
ASSET_TAG = epc.encode("urn:epc:id:giai:9521321.4711")
LOCATIONS = {
    "bin-1": Location("Bin 1", site="yard-1"),
    "bin-2": Location("Bin 2", site="yard-1"),
    "bin-3": Location("Bin 3", site="yard-1"),
    "stage": Location("Outbound stage", site="yard-1"),
}


@dataclass
class Floor:
    """The book with its API, planner and clock."""

    yard: Yard
    client: TestClient
    planner: Planner

    def ask(self, method: str, path: str, status: int = 200, **body: object) -> Any:
        self.yard.clock.now += 1
        sent = {"json": body} if method != "GET" else {"params": body}
        response = self.client.request(method, f"/api/v1/{path}", **sent)  # type: ignore[arg-type]
        assert response.status_code == status, response.text
        return response.json()

    def get(self, path: str, **ask: object) -> Any:
        return self.ask("GET", path, **ask)

    def post(self, path: str, status: int = 200, **body: object) -> Any:
        return self.ask("POST", path, status, **body)

    def put(self, path: str, status: int = 201, **body: object) -> Any:
        return self.ask("PUT", path, status, **body)

    def declare(self, kind: str, ident: str, body: Any) -> None:
        with write(self.yard.book) as tx:
            register.put(tx, kind, ident, body, valid_from=DAY, actor="test", now=DAY)

    def move(self, sku: str, quantity: int, way: tuple[str, str], lot: str | None = None, at: int = 0) -> None:
        """Post a movement, now or at a time."""
        self.yard.clock.now += 1
        now = self.yard.clock.now
        moved = Movement(
            id=f"m{now}",
            at=at or now,
            sku=sku,
            lot=lot,
            quantity=Decimal(quantity),
            source=way[0],
            target=way[1],
            reason="test",
            evidence=[],
        )
        with write(self.yard.book) as tx:
            ledger.post(tx, [moved], (), "test", now)

    def held(self, sku: str, **places: str) -> dict[str, str]:
        """On hand by place, without what is nothing."""
        found = self.get("stock", sku=sku, **places)["items"]
        return {
            one["location"] + (f"/{one['lot']}" if one["lot"] else ""): one["on_hand"]
            for one in found
            if one["on_hand"] != "0"
        }

    def pass_door(self, door: str, tags: list[str], rows: tuple[int, ...], at: int = 0) -> int:
        """Tags go through a door now, or at a time: (3, 3, 1, 1) is in."""
        at = at or self.yard.clock.now
        for tag in tags:
            heard: list[Reading] = [
                Tag(door, from_micros(at + k * 400_000), tag, antenna, rssi_dbm=-50.0, count=5)
                for k, antenna in enumerate(rows)
            ]
            self.yard.send(heard)
        self.yard.settle(60 * SECOND)
        return at

    def plan(self) -> None:
        while self.planner.step():
            pass


def declare_floor(floor: Floor) -> None:
    """The register of the tests."""
    bodies: list[tuple[str, str, Any]] = [("locations", ident, body) for ident, body in LOCATIONS.items()]
    bodies += [("tags", tag, TagBinding("stock", sku="PUMP-40", quantity=Decimal(1))) for tag in PUMP]
    for name, inside in (("door-9", "bin-1"), ("door-8", "stage")):
        door = Door([1, 2], [3, 4], inside, "supplier", "customer", 3.0)
        bodies.append(("devices", f"dock-a/{name}", Device(name=name, gateway="dock-a", door=door)))
    points = Points([Point("stage", [1]), Point("bin-2", [2])], depart_s=60.0)
    bodies.append(("devices", "dock-a/reader-1", Device(name="reader-1", gateway="dock-a", points=points)))
    bodies.append(("devices", "dock-a/hand-1", Device(name="hand-1", gateway="dock-a", points=Points())))
    with write(floor.yard.book) as tx:
        for kind, ident, body in bodies:
            register.put(tx, kind, ident, body, valid_from=DAY, actor="test", now=DAY)


@contextmanager
def floor_of(yard: Yard) -> Iterator[Floor]:
    """The floor on a yard's book."""
    services = Services(yard.book, yard.clock, lambda *_: True)
    with TestClient(shared_app(services), "http://127.0.0.1:8000", raise_server_exceptions=True) as client:
        floor = Floor(yard, client, Planner(yard.book, yard.clock))
        declare_floor(floor)
        yield floor


__all__ = ["ASSET_TAG", "NOW", "PUMP", "Bin", "Deriver", "Floor", "Item", "Lot", "PickFace", "floor_of"]
