"""The projector's notes in InfluxDB: which ten minutes wait to be rolled up, and which each stream has touched.

What waits no more is still there, as nothing is deleted; so hours have a note too, and only those with something open
are looked through.
"""

from collections.abc import Sequence

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_http import Connection
from backend.telemetry.influx_state import TIMED, rows
from backend.telemetry.rows import HOUR, TEN_MINUTES, Bucket, Stale
from backend.telemetry.slots import NS

HOURS_AT_ONCE = 24
_STALE, _HOURS = f"{TIMED}.stale", f"{TIMED}.stale_hour"


def stale(connection: Connection, limit: int, span: tuple[int, int]) -> list[Stale]:
    """`Progress.stale`: of the hours that have such, the oldest first; none from before span[0], where all is over."""
    since, before = span
    waiting = ("open = true", f"time >= {lp.clamp(since // HOUR * HOUR)}", f"time < {lp.clamp(before)}")
    hours = [at // NS for each in connection.read(lp.select("open", _HOURS, *waiting))[0] for at, _ in each.values]
    found: list[Stale] = []
    for k in range(0, len(hours), HOURS_AT_ONCE):
        some = [(max(begin, since), min(begin + HOUR, before)) for begin in hours[k : k + HOURS_AT_ONCE]]
        asked = [
            lp.select("open, anew, device", _STALE, waiting[0], lp.between(*of), tail=f"LIMIT {limit}") for of in some
        ]
        found += [
            Stale(Bucket(lp.decode(row["device"]), row["time"] // NS), row["anew"] is True)
            for answer in connection.read(*asked)
            for each in answer
            for row in rows(each)
        ]
        if len(found) >= limit:
            break
    return found[:limit]


def without_stale(connection: Connection, hours: Sequence[int]) -> list[int]:
    """Those of these hours in which no ten minutes wait."""
    asked = [lp.select("open", _STALE, "open = true", lp.between(at, at + HOUR), tail="LIMIT 1") for at in hours]
    return [at for at, found in zip(hours, connection.ask(*asked), strict=True) if not found] if asked else []


def touched(connection: Connection, stream: str, mark: int) -> dict[Bucket, int]:
    """The ten minutes in which a stream has numbers above a mark, with the last."""
    where = (f"stream = {lp.quoted(stream)}", f"seq > {mark}")
    found = connection.ask(lp.select("seq, stream, device", f"{TIMED}.touch", *where))[0]
    return {
        Bucket(lp.decode(row["device"]), row["time"] // NS // TEN_MINUTES * TEN_MINUTES): row["seq"]
        for each in found
        for row in rows(each)
    }
