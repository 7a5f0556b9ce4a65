"""What maintenance plans are judged on: the register, the services that people recorded and the use in the book."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from backend import plan_meters
from backend.book import conditions, services
from backend.plan_meters import Depth
from models.assets.asset import ACTIVE
from models.declared import Asset, Plan
from models.maintenance.due import Due, Facts, judge
from models.reading import micros
from models.register import Register
from models.wire import NEWEST, OLDEST

OLDEST_US = micros(OLDEST)
READ_TOGETHER = 500


class Kept(Struct, frozen=True):
    """A service that was done, with how its plan stood at that moment."""

    service: str
    at: int
    due: Due


def plans_of(register: Register, at: int) -> Mapping[str, Sequence[tuple[str, Plan]]]:
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


def facts(
    tx: Connection, register: Register, assets: Iterable[str], now: int, depth: Depth = "forecast"
) -> list[Facts]:
    """What is known of every plan of those of these assets that are active, by asset and plan."""
    plans = plans_of(register, now)
    wanted = [asset for asset in sorted({*assets}) if asset in plans and is_active(register, asset, now)]
    done = services.done_by_plan(tx, wanted, now)
    begun = [
        _begun(register, ident, plan, [at for at, _ in done.get((asset, ident), ())], now)
        for asset in wanted
        for ident, plan in plans[asset]
    ]
    known = plan_meters.read(tx, register, begun, now, depth)
    return conditions.read(tx, known, now)


def history(  # noqa: PLR0913, PLR0917 - whose, of which plan and of when, beside what every reader of the book is given
    tx: Connection, register: Register, assets: Iterable[str], plan: str | None, now: int, since: int = 0
) -> Iterator[Kept]:
    """Services done of these assets, or of one of their plans, the newest first, judged by the plan as it was then.

    Only those done from `since` on; some are read together when the first of them is asked for.
    """
    done = services.done_by_plan(tx, assets, now)
    each_done = [
        (at, service, asset, ident, [before for before, _ in times[:number]])
        for (asset, ident), times in done.items()
        for number, (at, service) in enumerate(times)
        if at >= since and (plan is None or ident == plan)
    ]
    asked: list[tuple[str, int, Facts]] = []
    for at, service, asset, ident, before in sorted(each_done, reverse=True):
        body = register.get("plans", ident, at) or register.get("plans", ident, now)
        if isinstance(body, Plan):
            begun = _begun(register, ident, body, before, at)
            asked.append((service, at, replace(begun, asset=asset, starts_at=min(begun.starts_at, at))))
    for k in range(0, len(asked), READ_TOGETHER):
        page = asked[k : k + READ_TOGETHER]
        known = plan_meters.read_at(tx, register, [(begun, at) for _, at, begun in page], now, "number")
        for (service, at, _), each in zip(page, known, strict=True):
            yield Kept(service, at, judge(each, at))


def blocks_use(tx: Connection, register: Register, asset: str, now: int) -> str | None:
    """Why an asset must not be used: a plan of it that says so is overdue. None: nothing of the kind."""
    plans = plans_of(register, now).get(asset, ())
    if not any(plan.blocks_use for _, plan in plans):
        return None
    for each in facts(tx, register, [asset], now, "state"):
        if each.plan.blocks_use and judge(each, now).state == "overdue":
            return f"{each.plan.name} ({each.plan_id}) is overdue"
    return None


def _begun(register: Register, ident: str, plan: Plan, done: Sequence[int], now: int) -> Facts:
    """A plan with its services, before any meter was read."""
    starts_at = register.begun("plans", ident) or OLDEST_US
    if plan.starts_at is not None:
        starts_at = micros(min(max(plan.starts_at, OLDEST), NEWEST))
    asset = register.get("assets", plan.asset, now)
    rests = tuple(asset.inactive) if isinstance(asset, Asset) else ()
    return Facts(asset=plan.asset, plan_id=ident, plan=plan, starts_at=starts_at, done=tuple(done), inactive=rests)
