"""Assets in the telemetry store: it knows devices; whose figures they are says the dated register, at each time.

So a tracker that is declared to have been on another asset, also in the past, is right in the next answer.
"""

from collections.abc import Sequence

from backend.hours_step import tracker_of
from backend.identities import devices_of
from backend.telemetry.fleet_scope import Mounting
from backend.telemetry.rows import Last, Span, Spot
from backend.telemetry.store import Reader
from models.register import Register

Said = dict[tuple[str, str], Last]
"""By (name, unit)."""


def spans(register: Register, asset: str, until: int) -> list[Span]:
    """The trackers of an asset up to a time, each while it was on it."""
    found: list[Span] = []
    for device in devices_of(register).get(asset, ()):
        changes = [at for at in register.changes("devices", device) if at < until]
        for since, end in zip(changes, [*changes[1:], until], strict=True):
            tracker = tracker_of(register, device, since)
            if tracker is not None and tracker.asset == asset:
                found.append(Span(device, since, end))
    return found


def last(reader: Reader, mounted: Sequence[Mounting], names: Sequence[str]) -> dict[str, Said]:
    """The newest values of these names of each asset, whichever tracker told them while it was on it."""
    owners = _owners(mounted)
    found: dict[str, Said] = {}
    for each in sorted(reader.last([*owners], names), key=lambda each: (each.at, each.span)):
        found.setdefault(owners[each.span], {})[each.name, each.unit] = each
    return found


def seen(reader: Reader, mounted: Sequence[Mounting]) -> dict[str, Spot]:
    """The newest position of each asset, whichever tracker told it while it was on it."""
    owners = _owners(mounted)
    return {
        owners[span]: spot for span, spot in sorted(reader.seen([*owners]), key=lambda each: (each.spot.at, each.span))
    }


def _owners(mounted: Sequence[Mounting]) -> dict[Span, str]:
    return {Span(each.device, each.since, each.until): each.asset for each in mounted}
