"""Two odometers of an asset that drift apart over its last 500 km: the machine's, its tracker's, the way by GPS.

GPS is compared only where it saw the whole way: along trips and stops that follow each other without a gap, of fixes
close enough in time not to cut the corners. Ends of a comparison are put where no stretch is cut that an hour made.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from msgspec import Struct
from sqlalchemy import select

from backend import usage
from backend.book import alerts, places
from backend.book.schema import run, travel
from backend.plan.news import name_of
from backend.plan.rule import SECOND_US, Rule, View
from backend.usage import DISTANCE, ODOMETERS
from models.alert import Alert
from models.motion import meter, track
from models.motion.drift import Compared, Piece, Window, compared, observed, without
from models.motion.gain import UNOBSERVED
from models.motion.travel import Travel

NAME = "odometer_drift"
OVER_MM = 500_000_000
STEADY_US = 600 * SECOND_US
"""While a backlog comes in, one of them may be told further than another."""
MOST_ROWS = 1000
SAYS = {"odometer": "its own odometer", "tracker_odometer": "its tracker's", DISTANCE: "GPS"}


class Drift(Struct, frozen=True):
    """How the odometers of an asset compare; `limit` is the share that calls for an alert."""

    asset: str
    name: str
    limit: float
    pairs: tuple[Compared, ...]


def load_drifts(view: View, assets: Sequence[str]) -> list[tuple[str, Drift]]:
    """What two odometers or more say of these assets, as far as their trackers are on them now."""
    mounted = {tracker.asset: tracker for _, tracker in usage.trackers(view.register, view.now)}
    standing = {*alerts.open_subjects(view.tx, NAME)}
    found: list[tuple[str, Drift]] = []
    for asset in assets:
        subject, tracker = f"asset:{asset}/odometer", mounted.get(asset)
        if tracker is not None:
            limit = tracker.odometer_drift
            found.append((subject, Drift(asset, name_of(view, asset), limit, (*_pairs(view, asset),))))
        elif subject in standing:
            found.append((subject, Drift(asset, asset, 1.0, ())))
    return found


def every_asset(view: View) -> list[str]:
    """Assets that have a tracker now, or that an alert is open about."""
    told = (each.removeprefix("asset:").removesuffix("/odometer") for each in alerts.open_subjects(view.tx, NAME))
    return sorted({*told, *(tracker.asset for _, tracker in usage.trackers(view.register, view.now))})


def drifted(facts: Drift, _now: int) -> Alert | None:
    """The two that differ most, if that is more than the tracker's entry allows."""
    over = [each for each in _far_enough(facts) if each.share > facts.limit]
    worst = max(over, key=lambda each: each.share, default=None)
    if worst is None:
        return None
    one, other = (SAYS[name] for name in worst.names)
    title = f"{facts.name}: {one} and {other} differ by {worst.share:.0%}"
    figures = [{"meters": pair.names, "km": [round(mm / 1e6, 1) for mm in pair.mm]} for pair in over]
    detail = {"asset": facts.asset, "limit": facts.limit, "odometers": figures}
    return Alert(NAME, f"asset:{facts.asset}/odometer", "warning", title, json.dumps(detail))


def level(facts: Drift) -> float | None:
    """How far the two that differ most are apart, as a share of what the tracker's entry allows."""
    return max((each.share / facts.limit for each in _far_enough(facts)), default=None)


def _far_enough(facts: Drift) -> list[Compared]:
    return [each for each in facts.pairs if max(each.mm) >= OVER_MM]


def _pairs(view: View, asset: str) -> Iterator[Compared]:
    told = [*places.told(view.tx, view.register, [asset])]
    open_rows = [each for one in told for each in track.close(one.state, None)]
    counted = {name: pieces for name in meter.DISTANCES if (pieces := _counted(view, asset, name))}
    if not counted:
        return
    counted[DISTANCE] = _driven(view, asset, open_rows)
    seen = _observed(view, asset, open_rows)
    whole = [Window(0, view.now)]
    for names in combinations([name for name in ODOMETERS if name in counted], 2):
        windows = seen if DISTANCE in names else whole
        yield compared(names, (counted[names[0]], counted[names[1]]), windows, OVER_MM)


def _counted(view: View, asset: str, name: str) -> list[Piece]:
    """The last stretches of a counter, the oldest first, and one of nothing up to when it was heard last."""
    rows = select(run).where(run.c.asset == asset, run.c.meter == name).order_by(run.c.end_at.desc()).limit(MOST_ROWS)
    found = [Piece(row.begin_at, row.end_at, row.least, sure=row.least == row.most) for row in view.tx.execute(rows)]
    for _, state in usage.states(view.tx, view.register, asset):
        heard = state.counters.get(name)
        if heard is not None:
            found.append(Piece(heard.begin_at, heard.last_at, heard.value - heard.begin, sure=True))
    return sorted(piece for piece in found if piece.end_at > piece.begin_at)


def _driven(view: View, asset: str, open_rows: Iterable[Travel]) -> list[Piece]:
    mine = (travel.c.asset == asset, travel.c.what == DISTANCE)
    rows = view.tx.execute(select(travel).where(*mine).order_by(travel.c.end_at.desc()).limit(MOST_ROWS))
    known = [*rows, *(each for each in open_rows if each.what == DISTANCE)]
    found = [Piece(row.begin_at, row.end_at, row.distance_mm, sure=True) for row in known]
    return sorted(piece for piece in found if piece.end_at > piece.begin_at)


def _observed(view: View, asset: str, open_rows: Iterable[Travel]) -> list[Window]:
    mine = (travel.c.asset == asset, travel.c.what.in_(("trip", "stop", "transported")))
    rows = view.tx.execute(select(travel).where(*mine).order_by(travel.c.end_at.desc()).limit(MOST_ROWS))
    known = [*rows, *(each for each in open_rows if each.what in {"trip", "stop", "transported"})]
    return without(observed((row.what, row.begin_at, row.end_at, row.fixes) for row in known), _unseen(view, asset))


def _unseen(view: View, asset: str) -> list[Window]:
    """When nobody knows whether it ran."""
    mine = (run.c.asset == asset, run.c.meter == meter.RUNTIME, run.c.why == UNOBSERVED)
    rows = select(run.c.begin_at, run.c.end_at).where(*mine).order_by(run.c.end_at.desc()).limit(MOST_ROWS)
    return [Window(*row) for row in view.tx.execute(rows)]


ODOMETER_DRIFT = Rule(
    NAME, "asset", load_drifts, drifted, every_asset, steady=lambda _alert: STEADY_US, level=level, rest_us=STEADY_US
)
