"""Truth lines of machines, as docs and checker know them: written before any device or person tells the system."""

from collections.abc import Iterable, Mapping

from simulators.machines import Days, Machine
from simulators.past import Failure, Past, Span
from simulators.planner import Service
from simulators.scenario import Plan
from simulators.wear import COMPONENT
from simulators.weather import DAY_MS
from simulators.world import World, stamp
from simulators.yard import Point, lat_lon, zone


def tell_run(world: World, machine: Machine, run: Span) -> None:
    """The engine ran."""
    world.tell("run", asset=machine.asset, imei=machine.imei, begin=stamp_ms(run[0]), end=stamp_ms(run[1]))


def tell_blind(world: World, machine: Machine, span: Span) -> None:
    """The tracker had no power."""
    world.tell("blind", asset=machine.asset, imei=machine.imei, begin=stamp_ms(span[0]), end=stamp_ms(span[1]))


def tell_record(world: World, imei: str, at_us: int, *, acked: bool) -> None:
    """A record that the tracker made, and whether its server said that it has it."""
    world.tell("record", imei=imei, at=stamp(at_us), acked=acked)


def tell_days(world: World, machine: Machine, days: Days) -> None:
    """What it did on each UTC day; whole metres as the odometer shows them, so that days add up."""
    driven_mm = machine.driven_mm
    for number, day in sorted(days.days.items()):
        driven_m = (driven_mm + day.driven_mm) // 1000 - driven_mm // 1000
        driven_mm += day.driven_mm
        date = stamp_ms(number * DAY_MS)[:10]
        world.tell(
            "machine_day", asset=machine.asset, day=date, run_ms=day.run_ms, driven_m=driven_m, hoist_ms=day.hoist_ms
        )


def tell_place(world: World, machine: Machine, at_us: int, point: Point) -> None:
    """Where it is at its last record."""
    lat, lon = lat_lon(point)
    world.tell("place", asset=machine.asset, at=stamp(at_us), lat=lat, lon=lon, zone=zone(point))


def tell_plan(world: World, plan: Plan) -> None:
    """What the world's planner keeps to."""
    world.tell("plan", id=plan.id, asset=plan.asset, every_hours=plan.every_hours, every_days=plan.every_days)


def tell_works(world: World, past: Past, services: Iterable[Service]) -> None:
    """What failed, was repaired and was serviced, as it happened."""
    asset, lines = past.machine.asset, list[tuple[int, str, Mapping[str, object]]]()
    for number, failure in enumerate(past.failures, 1):
        part = {"asset": asset, "component": COMPONENT}
        lines.append((failure.at_ms, "failure", {**part, "at": stamp_ms(failure.at_ms)}))
        if failure.repaired_ms < past.end_ms:
            repaired = {"id": repair_id(asset, number), **part, "at": stamp_ms(failure.repaired_ms)}
            lines.append((failure.repaired_ms, "repair", repaired))
    for one in services:
        done = {"id": one.id, "asset": asset, "plan": one.plan, "at": stamp_ms(one.at_ms), "hours": float(one.hours)}
        lines.append((one.at_ms, "service", done))
    for _, happened, fields in sorted(lines, key=lambda line: line[0]):
        world.tell(happened, **fields)


def repairs(past: Past) -> list[tuple[str, Failure]]:
    """The repairs that were done before the end, with their ids."""
    numbered = enumerate(past.failures, 1)
    return [
        (repair_id(past.machine.asset, number), failure)
        for number, failure in numbered
        if failure.repaired_ms < past.end_ms
    ]


def repair_id(asset: str, number: int) -> str:
    """The id of a machine's repair, as a planner would make one."""
    return f"sim-{asset}-repair-{number}"


def stamp_ms(at_ms: int) -> str:
    """A truth line's time."""
    return stamp(at_ms * 1000)
