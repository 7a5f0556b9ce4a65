"""The receiving desk: a person with a scanner receives and issues goods that carry no tags.

A workflow is what the person scans in one go: mode, location, items. The effect that each item must have is known
here, before the scanner encodes it. Labels: GS1 General Specifications sections 3.2 (01), 3.4.2 (10), 3.6 (30, 37).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from simulators.epc import check_digit
from simulators.goods import LOOSE, Loose
from simulators.warehouse import Warehouse
from simulators.world import SECOND, World, stamp

Action = Literal[
    "receive", "issue", "match", "refused", "cancelled", "move", "return", "count", "undo", "pack", "assign"
]
GS = "\x1d"
CODE_128, GS1_128, GS1_DATAMATRIX, EAN_13 = "]C0", "]C1", "]d2", "]E0"
PLACE = "desk"
AT_PLACE = {"receive", "issue", "move", "return", "count"}
RARE = ("target", "parent", "child", "epc", "asset")
"""What only some scans have."""
BREATH_US = SECOND
SHARES = {"goods": 0.87, "match": 0.1, "torn label": 0.03}


@dataclass(frozen=True, slots=True)
class Scan:
    """One code. `action` is what it must cause; `of` the id of the item that a quantity, cancel or undo belongs to.

    A move goes from `place` to `target`; `child` is packed on the pallet `parent`; a tag `epc` is on `asset`, or on
    `quantity` of `sku`.
    """

    id: str
    pause_s: float
    data: str
    symbology: str
    action: Action | None = None
    sku: str | None = None
    lot: str | None = None
    quantity: int | None = None
    of: str | None = None
    place: str = PLACE
    target: str | None = None
    parent: str | None = None
    child: str | None = None
    epc: str | None = None
    asset: str | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """Scans in order, each `pause_s` after the one before."""

    id: str
    begin_us: int
    scans: tuple[Scan, ...]


class Desk:
    """Loose goods on the desk's shelf, per SKU and lot, and the workflows that change them."""

    def __init__(self, world: World, warehouse: Warehouse) -> None:
        self.shelf: dict[tuple[str, str | None], int] = {}
        self._world = world
        self._warehouse = warehouse
        self._chance = world.chance("desk")
        self._scans = count(1)
        self._workflows = count(1)
        self._lots = count(1)
        self._free_us = 0
        """The one person there does one workflow after the other."""

    def level(self, goods: Loose) -> int:
        """How many of a SKU lie on the shelf."""
        return sum(number for (sku, _), number in self.shelf.items() if sku == goods.sku)

    def work(self) -> None:
        """One workflow, shown to the stage."""
        work = self._chance.one_of(SHARES)
        goods = self._chance.choice(LOOSE)
        fullness = self.level(goods) / goods.target
        if work == "match" and self._warehouse.stored:
            self._show("RECEIVE", [self._match()])
        elif work == "torn label":
            self._show("RECEIVE", [self._torn_label()])
        elif fullness == 0 or self._chance.happens(0.54 - 0.6 * fullness):
            self._show("RECEIVE", list(self._receive(goods)))
        else:
            self._show("ISSUE", list(self._issue(goods)))

    def stock_up(self, goods: Loose) -> None:
        """A first, large delivery of a SKU."""
        self._show(
            "RECEIVE", [*self._lot_delivery(goods, goods.target // 2), *self._lot_delivery(goods, goods.largest)]
        )

    def _show(self, mode: str, items: list[Scan]) -> None:
        self._present([self._command(f"SY:{mode}"), self._command(f"SY:LOC:{PLACE}"), *items])

    def _present(self, scans: list[Scan]) -> None:
        begin_us = max(self._world.now_us, self._free_us)
        self._free_us = begin_us + int(sum(scan.pause_s for scan in scans) * SECOND) + BREATH_US
        workflow = Workflow(f"w{next(self._workflows):05d}", begin_us, tuple(scans))
        self._warehouse.stage.scanning(workflow)

    def _receive(self, goods: Loose) -> Iterator[Scan]:
        if self._chance.happens(0.65):
            yield from self._lot_delivery(goods, self._quantity(goods) * 2)
        else:
            yield from self._move("receive", goods, None, self._quantity(goods) * 2)
        if self._chance.happens(0.12):
            yield from self._change_of_mind(goods)

    def _lot_delivery(self, goods: Loose, quantity: int) -> Iterator[Scan]:
        lot = f"L{next(self._lots):04d}{self._chance.choice('ABCD')}"
        yield from self._move("receive", goods, lot, quantity)

    def _issue(self, goods: Loose) -> Iterator[Scan]:
        """Out of the oldest lots; never more than is there."""
        wanted = self._quantity(goods)
        for (sku, lot), there in list(self.shelf.items()):
            if sku == goods.sku and wanted > 0 and there > 0:
                yield from self._move("issue", goods, lot, min(wanted, there))
                wanted -= min(wanted, there)

    def _move(self, action: Action, goods: Loose, lot: str | None, quantity: int) -> Iterator[Scan]:
        """An item with its count, or an item and then its quantity, or a single one closed by CONFIRM."""
        self.shelf[goods.sku, lot] = self.shelf.get((goods.sku, lot), 0) + (
            quantity if action == "receive" else -quantity
        )
        if not self.shelf[goods.sku, lot]:
            del self.shelf[goods.sku, lot]
        plain = Scan(self._id(), self._pause(), goods.gtin, EAN_13, action, goods.sku, lot, quantity)
        if lot is not None:
            counted = self._chance.happens(0.8)
            tail = f"{GS}{self._chance.choice(('30', '37'))}{quantity}" if counted else ""
            symbology = self._chance.choice((GS1_128, GS1_DATAMATRIX))
            plain = replace(plain, data=f"010{goods.gtin}10{lot}{tail}", symbology=symbology)
            if counted:
                yield plain
                return
        yield plain
        if quantity > 1:
            yield self._command(f"SY:QTY:{quantity}", plain.id)
        elif self._chance.happens(0.7):
            yield self._command("SY:CONFIRM", plain.id)

    def _change_of_mind(self, goods: Loose) -> Iterator[Scan]:
        item = Scan(self._id(), self._pause(), goods.gtin, EAN_13, "cancelled", goods.sku)
        yield item
        yield self._command("SY:CANCEL", item.id)

    def _match(self) -> Scan:
        carton = self._chance.choice(self._chance.choice(self._warehouse.stored).cartons)
        data = f"01{carton.goods.gtin}21{carton.serial}"
        return Scan(self._id(), self._pause(), data, GS1_128, "match", carton.goods.sku)

    def _torn_label(self) -> Scan:
        body = "0" + self._chance.choice(LOOSE).gtin[:-1]
        wrong = (int(check_digit(body)) + self._chance.randint(1, 9)) % 10
        return Scan(self._id(), self._pause(), f"01{body}{wrong}10L0001{GS}305", GS1_128, "refused")

    def _command(self, text: str, of: str | None = None) -> Scan:
        return Scan(self._id(), self._pause(), text, CODE_128, of=of)

    def _quantity(self, goods: Loose) -> int:
        return 1 if self._chance.happens(0.1) else self._chance.randint(2, goods.largest)

    def _pause(self) -> float:
        return round(self._chance.uniform(0.5, 1.1), 3)

    def _id(self) -> str:
        return f"s{next(self._scans):06d}"


def tell_scan(world: World, device: str, workflow: Workflow, scan: Scan, at_us: int) -> None:
    """The truth of one scan, before the scanner is told."""
    world.tell(
        "scan",
        id=scan.id,
        workflow=workflow.id,
        device=device,
        at=stamp(at_us),
        data=scan.data,
        symbology=scan.symbology,
        action=scan.action,
        sku=scan.sku,
        lot=scan.lot,
        quantity=scan.quantity,
        location=scan.place if scan.action in AT_PLACE else None,
        of=scan.of,
        **{name: value for name in RARE if (value := getattr(scan, name)) is not None},
    )
