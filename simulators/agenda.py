"""What is planned at the site: thirty calm days for a history, or the same work compressed for who watches it live."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from simulators.clerk import Clerk
from simulators.desk import Desk
from simulators.goods import CASED, LOOSE
from simulators.warehouse import DAY_US, NoStage, Stage, Warehouse
from simulators.world import SECOND, Truth, World

HOUR_US = 3600 * SECOND
MINUTE_US = 60 * SECOND
OPENING, CLOSING = 6 * HOUR_US, 20 * HOUR_US
QUIET_END_US = 2 * MINUTE_US
"""Nothing begins this close to the end of a history, so that every pass in it is over."""
LATE_BEFORE_END_US = 4 * DAY_US
"""A supplier is late at the end of every longer history, so that whoever looks live finds an order proposed."""
FIRST_PALLETS = 30
WEEKEND = (5, 6)
HISTORY = {"cross": 0.82, "turn": 0.09, "past": 0.09}
LIVE = {"cross": 0.76, "turn": 0.12, "past": 0.12}
CROWDED = 1.1


@dataclass(frozen=True, slots=True)
class Site:
    """The world, its two dock doors and the desk."""

    world: World
    warehouse: Warehouse
    desk: Desk


def build(world: World, doors: tuple[str, ...], stage: Stage | None = None) -> Site:
    """An empty site."""
    warehouse = Warehouse(world, stage or NoStage(), doors)
    return Site(world, warehouse, Clerk(world, warehouse))


def play_history(site: Site, days: int) -> None:
    """Everything that happens from the world's clock on, `days` long; the clock then stands at the end."""
    for _ in history_days(site, days):
        pass


def history_days(site: Site, days: int) -> Iterator[None]:
    """`play_history`, stopping for breath every quarter of a day."""
    start_us = site.world.now_us
    end_us = start_us + days * DAY_US
    if days:
        _stock_up(site)
    day_us = start_us - start_us % DAY_US
    while day_us < end_us:
        if day_us <= end_us - LATE_BEFORE_END_US < day_us + DAY_US:
            _be_late(site, end_us + DAY_US)
        _plan_day(site, day_us, max(start_us + 2 * HOUR_US, day_us + OPENING))
        for quarter in range(1, 5):
            site.world.run(max(site.world.now_us, min(day_us + quarter * DAY_US // 4, end_us - QUIET_END_US)))
            yield
        day_us += DAY_US
    site.world.clear()
    site.world.run(end_us)


def go_live(site: Site, stage: Stage, truth: Truth, now_us: int, desk_busy: Callable[[], bool]) -> None:
    """From the history's end on: the compressed agenda, shown to real devices."""
    world, warehouse = site.world, site.warehouse
    world.now_us, world.truth = now_us, truth
    warehouse.stage, warehouse.always_on = stage, True
    world.at(now_us + SECOND, partial(_live_pallet, site, 0))
    world.at(now_us + 3 * SECOND, partial(_live_desk, site, desk_busy))
    for number, door in enumerate(warehouse.doors):
        world.at(now_us + (5 + 20 * number) * SECOND, partial(_live_stray, site, door))


def _stock_up(site: Site) -> None:
    world, warehouse = site.world, site.warehouse
    for number in range(FIRST_PALLETS):
        door = warehouse.doors[number % len(warehouse.doors)]
        world.at(world.now_us + (60 + 40 * number) * SECOND, partial(warehouse.arrive, door))
    for number, goods in enumerate(LOOSE):
        world.at(world.now_us + (30 + 60 * number) * SECOND, partial(site.desk.stock_up, goods))


def _plan_day(site: Site, day_us: int, opening_us: int) -> None:
    chance = site.world.chance("agenda")
    closing_us = day_us + CLOSING
    if opening_us >= closing_us:
        return
    weekend = (day_us // DAY_US + 3) % 7 in WEEKEND
    if chance.happens(0.25):
        _be_late(site, day_us + chance.randint(2, 4) * DAY_US)
    for door in site.warehouse.doors:
        _plan_door(site, door, (opening_us, closing_us), trucks=1 if weekend else chance.randint(2, 3))
    for _ in range(8 if weekend else chance.randint(15, 22)):
        site.world.at(chance.randrange(opening_us, closing_us), site.desk.work)


def _be_late(site: Site, until_us: int) -> None:
    """One SKU's supplier delivers nothing until then."""
    sku = site.world.chance("agenda").choice(CASED).sku
    site.warehouse.late[sku] = max(until_us, site.warehouse.late.get(sku, 0))


def _plan_door(site: Site, door: str, hours: tuple[int, int], trucks: int) -> None:
    chance, world = site.world.chance("agenda"), site.world
    slot = (hours[1] - hours[0]) // trucks
    for truck in range(trucks):
        at_us = hours[0] + truck * slot + chance.randrange(slot // 2)
        if chance.happens(0.45):
            world.at(at_us - MINUTE_US, partial(site.warehouse.park, door, chance.uniform(200, 900)))
        for _ in range(chance.randint(4, 9)):
            world.at(at_us, partial(_pallet, site, door))
            at_us += chance.randint(25, 70) * SECOND


def _pallet(site: Site, door: str) -> None:
    """One pallet event; the fuller the store, the likelier one leaves."""
    chance, warehouse = site.world.chance("agenda"), site.warehouse
    kind = chance.one_of(HISTORY)
    if kind == "turn":
        warehouse.turn(door)
    elif kind == "past":
        warehouse.past(door)
    elif chance.happens(min(0.85, max(0.15, 0.5 + 2 * (warehouse.fullness() - 0.85)))):
        warehouse.leave(door)
    else:
        warehouse.arrive(door)


def _live_pallet(site: Site, number: int) -> None:
    """In at one door, out at the other, then the other way round; one in four only comes near."""
    chance, warehouse = site.world.chance("live"), site.warehouse
    door = warehouse.doors[number % len(warehouse.doors)]
    kind = chance.one_of(LIVE) if number else "cross"
    inward = number % 4 in {0, 3} and warehouse.fullness() < CROWDED
    if kind == "turn":
        warehouse.turn(door)
    elif kind == "past":
        warehouse.past(door)
    elif inward:
        warehouse.arrive(door)
    else:
        warehouse.leave(door)
    site.world.at(site.world.now_us + chance.randint(8000, 10_000) * 1000, partial(_live_pallet, site, number + 1))


def _live_desk(site: Site, busy: Callable[[], bool]) -> None:
    """A workflow, unless the one before still waits for its scanner."""
    if not busy():
        site.desk.work()
    site.world.at(
        site.world.now_us + site.world.chance("live").randint(6500, 7500) * 1000, partial(_live_desk, site, busy)
    )


def _live_stray(site: Site, door: str) -> None:
    """A stray stands at the door for a while, then the place is empty for a while."""
    chance, world = site.world.chance("live"), site.world
    seconds = chance.uniform(40, 120)
    site.warehouse.park(door, seconds)
    world.at(world.now_us + int((seconds + chance.uniform(30, 90)) * SECOND), partial(_live_stray, site, door))
