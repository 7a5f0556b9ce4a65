"""What maintenance plans are judged on: the register, the services that people recorded and the use in the book."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select

from backend import usage
from backend.book import services
from backend.book.schema import run, travel
from models.assets.asset import ACTIVE
from models.declared import Asset, Plan
from models.maintenance.due import RATE_US, Due, Facts, Use, judge
from models.motion.meter import Bounds, Metered
from models.reading import micros
from models.register import Register
from models.wire import NEWEST, OLDEST

OLDEST_US = micros(OLDEST)
_FIRST_LEG, _FIRST_RUN = (
    select(each.begin_at).where(each.asset == bindparam("asset"), of == bindparam("of")).order_by(each.end_at).limit(1)
    for each, of in ((travel.c, travel.c.what), (run.c, run.c.meter))
)


class Kept(Struct, frozen=True):
    """A service that was done, with how its plan stood at that moment."""

    service: str
    at: int
    due: Due


def plans_of(register: Register, at: int) -> dict[str, list[tuple[str, Plan]]]:
    """The plans that hold at a time, by asset."""
    return _plans_of(register, register.period(at))


@lru_cache(maxsize=8)
def _plans_of(register: Register, at: int) -> dict[str, list[tuple[str, Plan]]]:
    found: defaultdict[str, list[tuple[str, Plan]]] = defaultdict(list)
    for ident, body in register.all("plans", at).items():
        if isinstance(body, Plan):
            found[body.asset].append((ident, body))
    return dict(found)


def is_active(register: Register, asset: str, at: int) -> bool:
    """Whether an asset is there and in a state in which its plans count."""
    body = register.get("assets", asset, at)
    return isinstance(body, Asset) and body.state in ACTIVE


def facts(tx: Connection, register: Register, assets: Iterable[str], now: int) -> list[Facts]:
    """What is known of every plan of those of these assets that are active, by asset and plan."""
    plans = plans_of(register, now)
    wanted = [asset for asset in sorted({*assets}) if asset in plans and is_active(register, asset, now)]
    done = services.done_by_plan(tx, wanted, now)
    found: list[Facts] = []
    for asset in wanted:
        meters = _Meters(tx, register, asset, now)
        for ident, plan in plans[asset]:
            times = [at for at, _ in done.get((asset, ident), ())]
            found.append(meters.read(_begun(register, ident, plan, times), forecast=True))
    return found


def history(tx: Connection, register: Register, assets: Iterable[str], plan: str | None, now: int) -> Iterator[Kept]:
    """Services done of these assets, or of one of their plans, the newest first, judged by the plan as it was then.

    Each is read when it is asked for.
    """
    done = services.done_by_plan(tx, assets, now)
    each_done = [
        (at, service, asset, ident, [before for before, _ in times[:number]])
        for (asset, ident), times in done.items()
        for number, (at, service) in enumerate(times)
        if plan is None or ident == plan
    ]
    for at, service, asset, ident, before in sorted(each_done, reverse=True):
        body = register.get("plans", ident, at) or register.get("plans", ident, now)
        if isinstance(body, Plan):
            begun = _begun(register, ident, body, before)
            begun = replace(begun, asset=asset, starts_at=min(begun.starts_at, at))
            yield Kept(service, at, judge(_Meters(tx, register, asset, at).read(begun, forecast=False), at))


def _begun(register: Register, ident: str, plan: Plan, done: Sequence[int]) -> Facts:
    """A plan with its services, before any meter was read."""
    starts_at = register.begun("plans", ident) or OLDEST_US
    if plan.starts_at is not None:
        starts_at = micros(min(max(plan.starts_at, OLDEST), NEWEST))
    return Facts(asset=plan.asset, plan_id=ident, plan=plan, starts_at=starts_at, done=tuple(done))


@dataclass(frozen=True)
class _Meters:
    """The meters of one asset, up to a time."""

    tx: Connection
    register: Register
    asset: str
    now: int

    @cached_property
    def _stand(self) -> list[tuple[str, Metered]]:
        return usage.states(self.tx, self.register, self.asset)

    def read(self, begun: Facts, *, forecast: bool) -> Facts:
        """The facts with what the meters that the plan counts by have counted."""
        hours = km = None
        if begun.plan.every_hours is not None:
            hours = self._use([usage.hours_meter(self.register, self.asset, self.now)], begun.began_at, forecast)
        if begun.plan.every_km is not None:
            km = self._use(usage.ODOMETERS, begun.began_at, forecast)
        return replace(begun, hours=hours, km=km)

    def _use(self, meters: Sequence[str], began_at: int, forecast: bool) -> Use | None:  # noqa: FBT001 - passed on
        """By the first of these meters that was ever heard."""
        for meter in meters:
            since = self._used(meter, began_at)
            if since is None:
                continue
            if not forecast:
                return Use(since)
            first = max(self.now - RATE_US, self._first_heard(meter))
            recent = self._used(meter, first)
            return Use(since) if recent is None else Use(since, recent, max(0, self.now - first))
        return None

    def _used(self, meter: str, since: int) -> Bounds | None:
        stand = [] if meter == usage.DISTANCE else self._stand
        return usage.used_beside(self.tx, self.register, stand, (self.asset, meter), (min(since, self.now), self.now))

    def _first_heard(self, meter: str) -> int:
        """When the first stretch of a meter began, or the open one did; now, if nothing of it is there."""
        if meter == usage.DISTANCE:
            first, begun = _FIRST_LEG, list[int]()
        else:
            first = _FIRST_RUN
            begun = [state.first_at for _, state in self._stand]
        begun += self.tx.scalars(first, {"asset": self.asset, "of": meter})
        return min([self.now, *begun])
