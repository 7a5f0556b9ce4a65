"""The rest of what the person at the desk does: moves, returns, counts, second thoughts, packing and tagging.

Now and then one more workflow follows what the desk does by itself. Its dice are its own, so that the passes at the
doors of a seed stay what they were. Names of packs are those of the contract, `(00)SSCC` and `(01)GTIN(21)serial`.
"""

from collections.abc import Callable
from dataclasses import replace

from simulators.desk import CODE_128, EAN_13, GS, GS1_128, Desk, Scan
from simulators.epc import COMPANY, check_digit
from simulators.goods import LOOSE, Carton, Loose, Pallet
from simulators.warehouse import Warehouse
from simulators.world import World

SHELF = "shelf-a"
SHARE = 0.5
MOST_MOVED = 20
ASSETS = ("FORKLIFT-1", "TRUCK-1", "CRANE-1")
"""As deploy/site.example.toml declares them."""
SSCC_SERIAL_BIT, SSCC_SERIAL_BITS = 24, 34


class Clerk(Desk):
    """A desk whose person does everything that scanners are there for; `away` lies on another shelf."""

    def __init__(self, world: World, warehouse: Warehouse) -> None:
        super().__init__(world, warehouse)
        self.away: dict[tuple[str, str | None], int] = {}
        self._dice = world.chance("clerk")
        self._store = warehouse
        self._deck: list[Callable[[], list[Scan]]] = []
        self._tags = 0

    def work(self) -> None:
        """What the desk does, and perhaps one more workflow."""
        super().work()
        if self._dice.happens(SHARE):
            chore = self._next()
            if scans := chore():
                self._present(scans)

    def _next(self) -> Callable[[], list[Scan]]:
        """Some of each within a day or two, in any order."""
        if not self._deck:
            twice = [self._to_the_shelf, self._count, self._pack]
            self._deck = [*twice, *twice, self._from_the_shelf, self._return, self._second_thought, self._assign]
            self._dice.shuffle(self._deck)
        return self._deck.pop()

    def _to_the_shelf(self) -> list[Scan]:
        return self._carry(self.shelf, self.away, ("desk", SHELF))

    def _from_the_shelf(self) -> list[Scan]:
        return self._carry(self.away, self.shelf, (SHELF, "desk"))

    def _carry(
        self, here: dict[tuple[str, str | None], int], there: dict[tuple[str, str | None], int], way: tuple[str, str]
    ) -> list[Scan]:
        """Where from, items, where to; or the items first."""
        if not here:
            return []
        key = self._dice.choice(sorted(here, key=str))
        number = self._dice.randint(1, min(here[key], MOST_MOVED))
        here[key] -= number
        if not here[key]:
            del here[key]
        there[key] = there.get(key, 0) + number
        items = self._item(key, number)
        items[0] = replace(items[0], action="move", place=way[0], target=way[1])
        source, target = (self._command(f"SY:LOC:{place}") for place in way)
        first = [source, *items] if self._dice.happens(0.7) else [*items, source]
        return [self._command("SY:MOVE"), *first, target]

    def _item(self, key: tuple[str, str | None], number: int) -> list[Scan]:
        """An item with its count on the label, or with its quantity after it."""
        sku, lot = key
        goods = next(goods for goods in LOOSE if goods.sku == sku)
        plain = Scan(self._id(), self._pause(), goods.gtin, EAN_13, None, sku, lot, number)
        if lot is not None:
            return [replace(plain, data=f"010{goods.gtin}10{lot}{GS}30{number}", symbology=GS1_128)]
        more = [] if number == 1 else [self._command(f"SY:+{number - 1}", plain.id)]
        return [plain, *(more if self._dice.happens(0.5) else [self._command(f"SY:QTY:{number}", plain.id)])]

    def _return(self) -> list[Scan]:
        goods = self._dice.choice(LOOSE)
        number = self._dice.randint(1, 5)
        self.shelf[goods.sku, None] = self.shelf.get((goods.sku, None), 0) + number
        items = self._item((goods.sku, None), number)
        items[0] = replace(items[0], action="return")
        place = self._command("SY:LOC:desk")
        said = [place, *items] if self._dice.happens(0.5) else [*items, place]
        return [self._command("SY:RETURN"), *said, self._command("SY:CONFIRM")]

    def _count(self) -> list[Scan]:
        if not self.shelf:
            return []
        key = self._dice.choice(sorted(self.shelf, key=str))
        items = self._item(key, self.shelf[key])
        items[0] = replace(items[0], action="count")
        return [self._command("SY:COUNT"), self._command("SY:LOC:desk"), *items, self._command("SY:CONFIRM")]

    def _second_thought(self) -> list[Scan]:
        """Received, and taken back."""
        goods: Loose = self._dice.choice(LOOSE)
        (item,) = self._item((goods.sku, f"L9{self._dice.randint(100, 999)}U"), self._dice.randint(2, goods.largest))
        item = replace(item, action="receive")
        return [self._command("SY:RECEIVE"), self._command("SY:LOC:desk"), item, self._undo(item)]

    def _undo(self, item: Scan) -> Scan:
        return replace(item, id=self._id(), data="SY:UNDO", symbology=CODE_128, action="undo", of=item.id)

    def _pack(self) -> list[Scan]:
        """Some cartons of a pallet in store, labels or tags, on it or on another one; perhaps one too many."""
        if not self._store.stored:
            return []
        pallet, origin = self._dice.choice(self._store.stored), self._dice.choice(self._store.stored)
        cartons = [self._dice.choice(origin.cartons) for _ in range(self._dice.randint(1, 3))]
        items = [self._packed(carton, pallet) for carton in dict.fromkeys(cartons)]
        if self._dice.happens(0.3):
            items.append(self._undo(items[-1]))
        code = self._command(f"SY:EPC:{pallet.epc}") if self._dice.happens(0.5) else self._label(pallet)
        return [self._command("SY:PACK"), code, *items, self._command("SY:CONFIRM")]

    def _label(self, pallet: Pallet) -> Scan:
        return Scan(self._id(), self._pause(), f"00{sscc(pallet)}", GS1_128)

    def _packed(self, carton: Carton, pallet: Pallet) -> Scan:
        child, parent = f"(01){carton.goods.gtin}(21){carton.serial}", f"(00){sscc(pallet)}"
        data, symbology = f"01{carton.goods.gtin}21{carton.serial}", GS1_128
        if self._dice.happens(0.3):
            data, symbology = f"SY:EPC:{carton.epc}", CODE_128
        return Scan(self._id(), self._pause(), data, symbology, "pack", carton.goods.sku, child=child, parent=parent)

    def _assign(self) -> list[Scan]:
        """A new tag on an asset or on a carton of loose goods; sometimes one that is on something else by then."""
        self._tags += 0 if self._tags and self._dice.happens(0.3) else 1
        epc = f"e280{self._tags:020x}"
        tag = Scan(self._id(), self._pause(), f"SY:EPC:{epc}", CODE_128, "assign", epc=epc)
        if self._dice.happens(0.5):
            asset = self._dice.choice(ASSETS)
            thing, tag = self._command(f"SY:ASSET:{asset.lower()}"), replace(tag, asset=asset)
        else:
            goods, number = self._dice.choice(LOOSE), self._dice.randint(2, 40)
            data = f"010{goods.gtin}30{number}"
            thing = Scan(self._id(), self._pause(), data, GS1_128)
            tag = replace(tag, sku=goods.sku, quantity=number)
        return [self._command("SY:ASSIGN"), *([tag, thing] if self._dice.happens(0.6) else [thing, tag])]


def sscc(pallet: Pallet) -> str:
    """The 18 digits on a pallet's label: extension, company, serial, check digit (GS1 General Specifications 3.2)."""
    reference = f"{int(pallet.epc, 16) >> SSCC_SERIAL_BIT & (1 << SSCC_SERIAL_BITS) - 1:010d}"
    body = reference[0] + COMPANY + reference[1:]
    return body + check_digit(body)
