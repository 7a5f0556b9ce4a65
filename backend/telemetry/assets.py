"""Assets in the telemetry store: it knows devices; whose figures they are says the dated register, at each time."""

from collections.abc import Iterable, Sequence

from backend.hours_step import tracker_of
from backend.identities import devices_of
from backend.telemetry.rows import Last, Span
from backend.telemetry.store import Reader
from models.register import Register


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


def last(
    store: Reader, register: Register, assets: Iterable[str], names: Sequence[str], until: int
) -> dict[str, dict[tuple[str, str], Last]]:
    """By asset and (name, unit) the newest value before a time that any tracker told while it was on the asset."""
    of = [(span, asset) for asset in assets for span in spans(register, asset, until)]
    owners = dict(of)
    found: dict[str, dict[tuple[str, str], Last]] = {}
    for each in sorted(store.last([span for span, _ in of], names), key=lambda each: (each.at, each.span)):
        found.setdefault(owners[each.span], {})[each.name, each.unit] = each
    return found
