"""What is on for a time: an engine, a power take-off, a hoist, each as an input of a tracker says.

Its state holds from one report to the next; a silence longer than the limit is not observed, all of it: it may have
been on for none of it or throughout. That is true as long as a loss of reports is a silence longer than the limit, as
it is if the limit is hardly more than the interval at which the tracker reports an unchanged state.
"""

from collections.abc import Sequence

from msgspec import Struct

from models.motion.gain import MS, NOTHING, UNOBSERVED, Gain, Heard


class Engine(Struct):
    """Whether it is on, since when, when that was last heard, and what it was until then."""

    on: bool
    since: int
    last_at: int
    first: str
    last: str
    was: bool = False
    heard_from: int = 0
    """When it was heard for the first time."""


def begin(fact: Heard) -> Engine:
    """What is heard for the first time."""
    return Engine(bool(fact.on), fact.at, fact.at, fact.evidence, fact.evidence, heard_from=fact.at)


def hear(engine: Engine, fact: Heard, limit: int) -> Sequence[Gain]:
    """The state, said again or changed, after a silence that is observed up to `limit` microseconds."""
    at, on = fact.at, fact.on
    silent = at - engine.last_at
    if silent:
        engine.was = engine.on
    gains: Sequence[Gain] = NOTHING
    if silent > limit:
        gains = [*_ran(engine, engine.last_at, fact.evidence), _unseen(engine, at, fact.evidence)]
        engine.on, engine.since, engine.first = bool(on), at, fact.evidence
    elif engine.on != on:
        gains = _ran(engine, at, fact.evidence)
        engine.on, engine.since, engine.first = bool(on), at, fact.evidence
    engine.last_at, engine.last = at, fact.evidence
    return gains


def close(engine: Engine) -> list[Gain]:
    """What it ran since it went on, up to when that was last heard."""
    return _ran(engine, engine.last_at)


def tail(engine: Engine, now: int, limit: int) -> list[Gain]:
    """The time since it was last heard. While it is off, a silence that is observed is none."""
    if now <= engine.last_at or not (engine.on or now - engine.last_at > limit):
        return []
    return [_unseen(engine, now)]


def held(engine: Engine, at: int) -> bool:
    """Its state just before a moment that is not before the last report."""
    return engine.on if at > engine.last_at else engine.was


def _ran(engine: Engine, until: int, *evidence: str) -> list[Gain]:
    if not engine.on or until <= engine.since:
        return []
    ran = (until - engine.since) // MS
    return [Gain(engine.since, until, ran, ran, None, (engine.first, *evidence))]


def _unseen(engine: Engine, until: int, *evidence: str) -> Gain:
    return Gain(engine.last_at, until, 0, (until - engine.last_at) // MS, UNOBSERVED, (engine.last, *evidence))
