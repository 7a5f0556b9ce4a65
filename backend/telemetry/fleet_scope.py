"""Whose telemetry a question about many assets is about: which assets, and which tracker spoke for each, and when."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from models.declared import Asset, Device
from models.register import Register

FOR_EVER = 2**62


class Scope(NamedTuple):
    """Which assets; what is None chooses nothing away."""

    fleet: str | None = None
    model: str | None = None
    assets: tuple[str, ...] | None = None


class Mounting(NamedTuple):
    """A tracker while it was on an asset, from `since` to before `until`."""

    device: str
    since: int
    until: int
    asset: str


def members(register: Register, scope: Scope, at: int) -> dict[str, Asset]:
    """The assets of a scope as the register had them at a time, by id, in id order."""
    wanted = None if scope.assets is None else set(scope.assets)
    return {
        ident: asset
        for ident, asset in _assets(register, register.period(at)).items()
        if (wanted is None or ident in wanted)
        and (scope.fleet is None or asset.fleet == scope.fleet)
        and (scope.model is None or asset.model == scope.model)
    }


def mountings(register: Register, assets: Sequence[str] | dict[str, Asset], window: tuple[int, int]) -> list[Mounting]:
    """Which trackers spoke for these assets in a window, each cut to it."""
    wanted, (since, until) = set(assets), window
    return [
        Mounting(each.device, max(each.since, since), min(each.until, until), each.asset)
        for each in _mounted(register)
        if each.asset in wanted and each.since < until and each.until > since
    ]


@lru_cache(maxsize=8)
def _assets(register: Register, at: int) -> dict[str, Asset]:
    return {ident: body for ident, body in register.all("assets", at).items() if isinstance(body, Asset)}


@lru_cache(maxsize=8)
def _mounted(register: Register) -> list[Mounting]:
    """Every tracker on every asset it ever was on, by device and time; entries that say the same are one."""
    found: list[Mounting] = []
    for (kind, ident), dated in sorted(register.entries.items()):
        if kind != "devices":
            continue
        last = {entry.valid_from: entry.body for entry in dated}
        times = [*sorted(last), FOR_EVER]
        for since, until in pairwise(times):
            body = last[since]
            asset = body.tracker.asset if isinstance(body, Device) and body.tracker is not None else None
            if found and (found[-1].device, found[-1].until, found[-1].asset) == (ident, since, asset):
                found[-1] = found[-1]._replace(until=until)
            elif asset is not None:
                found.append(Mounting(ident, since, until, asset))
    return found
