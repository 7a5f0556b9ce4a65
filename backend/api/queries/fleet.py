"""Assets in use: where they are, how long they ran, how far they drove, where they stayed, along which way."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from backend import usage
from backend.api import items_fleet as items
from backend.api.queries.intake import time
from backend.book import places
from backend.hours_step import all_mounts, noted_metering, tracker_of
from backend.step import DAY_US
from backend.telemetry import assets
from backend.telemetry.store import Reader
from backend.usage import DISTANCE, used
from models.declared import Asset, Tracker
from models.motion.meter import COUNTS, DISTANCES, ENGINE_HOURS, RUNTIME, WORK, Bounds, Metered
from models.motion.noted import carried
from models.motion.travel import Travel
from models.reading import from_micros
from models.register import Register
from models.units import quantity_text

METERS = {
    **dict.fromkeys((RUNTIME, ENGINE_HOURS, *WORK), "h"),
    **dict.fromkeys((*DISTANCES, DISTANCE), "km"),
    **dict.fromkeys(COUNTS, "1"),
}
EACH = {"h": 3_600_000, "km": 1_000_000, "1": 1000}
"""Milliseconds, millimetres or thousandths in the unit that is answered."""
MILLIONTH = Decimal("0.000001")
Span = tuple[int, int]


def amount(units: int, unit: str) -> str:
    """Milliseconds as hours, millimetres as kilometres, thousandths as times, to a millionth."""
    return quantity_text((Decimal(units) / EACH[unit]).quantize(MILLIONTH))


def fleet(tx: Connection, register: Register, now: int, only: Sequence[str] | None = None) -> list[items.AssetNow]:
    """Every asset of the register, or some, by id."""
    bodies = (
        register.all("assets", now) if only is None else {ident: register.get("assets", ident, now) for ident in only}
    )
    mounted = {tracker.asset: (ident, tracker) for ident, tracker in usage.trackers(register, now)}
    where = places.last_places(tx, register, now)
    heard = dict(usage.states(tx, register, only[0] if only is not None and len(only) == 1 else None))
    found: list[items.AssetNow] = []
    for ident, body in bodies.items():
        if not isinstance(body, Asset):
            continue
        device, tracker = mounted.get(ident, (None, None))
        state = heard.get(device or "")
        is_here = state is not None and state.asset == ident
        hours = _hours(tx, register, (device, tracker), state if is_here else None, now) if device and tracker else None
        found.append(_asset((ident, body), mounted.get(ident), where.get(ident), state if is_here else None, hours))
    return found


def _asset(
    of: tuple[str, Asset],
    mounted: tuple[str, Tracker] | None,
    place: places.Place | None,
    heard: Metered | None,
    hours: items.Range | None,
) -> items.AssetNow:
    ident, body = of
    last = [heard.last_at] if heard is not None else []
    last += [place.heard_at] if place is not None else []
    odometers = _odometers(heard)
    return items.AssetNow(
        id=ident,
        name=body.name,
        serial=body.serial,
        category=body.category,
        state=body.state,
        tracker=mounted[0] if mounted else None,
        place=None if place is None else _place(place),
        last_heard=time(max(last, default=None)),
        engine_on=heard.engine.on if heard and heard.engine else None,
        hours=hours,
        hours_from=mounted[1].hours_from if mounted else None,
        odometer_km=odometers[0].km if odometers else None,
        odometer_from=odometers[0].meter if odometers else None,
        odometers=odometers,
    )


def _odometers(heard: Metered | None) -> list[items.Odometer]:
    """What each counter of kilometres says, the best first."""
    counters = heard.counters if heard else {}
    return [
        items.Odometer(name, amount(counters[name].value, "km"), from_micros(counters[name].last_at))
        for name in DISTANCES
        if name in counters
    ]


def _place(place: places.Place) -> items.Place:
    return items.Place(
        place.lat, place.lon, from_micros(place.at), place.speed_mps, place.course_deg, place.hdop, list(place.zones)
    )


def _hours(
    tx: Connection, register: Register, mounted: tuple[str, Tracker], heard: Metered | None, now: int
) -> items.Range | None:
    """What the machine has run: its counter's value with those of counters before, or what it had and since."""
    device, tracker = mounted
    if tracker.hours_from == ENGINE_HOURS:
        counter = heard.counters.get(ENGINE_HOURS) if heard else None
        notes = noted_metering(register, device, tracker, now).notes
        before = carried([each for each in notes if heard and each.at < heard.last_at], ENGINE_HOURS)
        if counter is None or before is None:
            return None
        return _range(Bounds(counter.value + before, counter.value + before), "h")
    since = _mounted_since(register, device, tracker, now)
    ran = used(tx, register, tracker.asset, RUNTIME, (since, now))
    if ran is None or tracker.hours_at_start is None:
        return None
    before = int(tracker.hours_at_start * EACH["h"])
    return _range(Bounds(ran.least + before, ran.most + before), "h")


def _mounted_since(register: Register, device: str, tracker: Tracker, now: int) -> int:
    """When the tracker came to this asset with these hours."""
    since = now
    for at in sorted((at for at in register.changes("devices", device) if at <= now), reverse=True):
        held = tracker_of(register, device, at)
        if held is None or (held.asset, held.hours_at_start) != (tracker.asset, tracker.hours_at_start):
            break
        since = at
    return since


def _range(bounds: Bounds, unit: str) -> items.Range:
    return items.Range(amount(bounds.least, unit), amount(bounds.most, unit))


def meters(tx: Connection, register: Register, asset: str, span: Span, *, by_day: bool) -> list[items.MeterUse]:
    """What each meter counted in a span, or on each UTC day of it; meters that were never heard are left out."""
    found: list[items.MeterUse] = []
    is_read = (asset, ENGINE_HOURS) in usage.noted(tx, register) and not all_mounts(register, asset)
    for meter, unit in METERS.items():
        if is_read and meter == RUNTIME:  # its hours are those of the meter that people read
            continue
        for begin, end in days(span) if by_day else [span]:
            if (bounds := used(tx, register, asset, meter, (begin, end))) is None:
                break
            texts = (amount(bounds.least, unit), amount(bounds.most, unit))
            found.append(items.MeterUse(meter, unit, from_micros(begin), from_micros(end), *texts))
    return found


def days(span: Span) -> Iterator[Span]:
    """The span cut at midnight UTC."""
    at, until = span
    while at < until:
        midnight = (at // DAY_US + 1) * DAY_US
        yield at, min(midnight, until)
        at = midnight


def visits(tx: Connection, register: Register, asset: str, span: Span, now: int) -> list[items.Visit]:
    """Stays in zones that reach into a span, the oldest first."""
    return [
        items.Visit(
            v.id,
            asset,
            v.zone,
            from_micros(v.begin_at),
            time(v.end_at),
            list(v.evidence),
            v.fixes,
            from_micros(v.version),
            v.method,
        )
        for v in places.visits(tx, register, asset, span, now)
    ]


def journey(each: Travel) -> items.Journey:
    """A trip, a stop or a transport."""
    return items.Journey(
        each.id,
        each.asset,
        from_micros(each.begin_at),
        None if each.closed_at is None else from_micros(each.end_at),
        amount(each.distance_mm, "km"),
        each.lat,
        each.lon,
        each.evidence,
        each.fixes,
        from_micros(each.version),
    )


def track(store: Reader, register: Register, asset: str, span: Span, limit: int) -> list[items.TrackPoint]:
    """The positions in a span, as they were sent, the newest `limit`, by time: also those that are not believed."""
    since, until = span[0], span[1] + 1
    mine = (each._replace(since=max(each.since, since)) for each in assets.spans(register, asset, until))
    found = [spot for each in mine if each.since < each.until for spot in store.track(each, limit)]
    newest = sorted(found, key=lambda each: each.at)[-limit:]
    return [items.TrackPoint(from_micros(each.at), each.lat, each.lon, each.speed_mps) for each in newest]
