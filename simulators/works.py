"""Tells the system what the simulated planner did, as a person would: services and repairs, over its HTTP API.

The same id with the same body is harmless, so a request that may have arrived is made again.
"""

import http.client
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event
from urllib.parse import quote, urlsplit

import msgspec

from simulators import planner
from simulators.machine_truth import repairs, stamp_ms, tell_plan, tell_works
from simulators.past import Past
from simulators.planner import Clock, Service
from simulators.scenario import Plan
from simulators.wear import COMPONENT
from simulators.weather import HOUR_MS
from simulators.world import World

TIMEOUT_S, PATIENCE_S, WAIT_S = 10.0, 30.0, 0.5
MOST_SHOWN = 300
Work = tuple[str, dict[str, object]]
"""An id and what was done."""
Make = Callable[[], http.client.HTTPConnection]


class NotRecorded(Exception):
    """The system did not take a service; the message says which and why."""


def told(world: World, plans: Sequence[Plan], pasts: Iterable[Past]) -> Iterator[Work]:
    """What was done to all machines; the truth of it is written first."""
    for plan in plans:
        tell_plan(world, plan)
    for past in pasts:
        services = planner.services(past, plans)
        tell_works(world, past, services)
        yield from works(past, services)


def works(past: Past, services: Sequence[Service]) -> Iterator[Work]:
    """What was done to a machine, as the API takes it."""
    asset = past.machine.asset
    clock = Clock(past)
    for ident, failure in repairs(past):
        hours = f"{clock.engine_ms(failure.repaired_ms) / HOUR_MS:.2f}"
        repair: dict[str, object] = {"asset": asset, "kind": "repair", "plan": None, "component": COMPONENT}
        repair |= {"at": stamp_ms(failure.repaired_ms), "failed_at": stamp_ms(failure.at_ms), "hours": hours}
        yield ident, {**repair, "note": "Gearbox replaced"}
    for one in services:
        service: dict[str, object] = {"asset": asset, "kind": "service", "plan": one.plan, "component": None}
        yield one.id, {**service, "at": stamp_ms(one.at_ms), "failed_at": None, "hours": one.hours, "note": None}


def record(url: str, done: Iterable[Work], stop: Event) -> int:
    """Put every work, the newest first: with the oldest alone a plan would seem to be overdue ever since.

    Returns how many. Raises NotRecorded; ValueError if the URL is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"--api: http://host:port expected, got {url!r}"
        raise ValueError(msg)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    number = 0
    for ident, body in sorted(done, key=lambda work: str(work[1].get("at")), reverse=True):
        target = f"{parts.path.rstrip('/')}/api/v1/services/{quote(ident, safe='')}"
        _put(lambda: make(parts.netloc, timeout=TIMEOUT_S), target, msgspec.json.encode(body), stop)
        number += 1
        if stop.is_set():
            break
    return number


def _put(make: Make, target: str, body: bytes, stop: Event) -> None:
    """One request, again and again until it is answered or patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        connection = make()
        try:
            connection.request("PUT", target, body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > deadline or stop.wait(WAIT_S):
                msg = f"--api {target}: {type(error).__name__}: {error}"
                raise NotRecorded(msg) from error
            continue
        finally:
            connection.close()
        if response.status < http.client.MULTIPLE_CHOICES:
            return
        if response.status != http.client.SERVICE_UNAVAILABLE or time.monotonic() > deadline or stop.wait(WAIT_S):
            msg = f"--api {target}: {response.status} {answer[:MOST_SHOWN]}"
            raise NotRecorded(msg)
