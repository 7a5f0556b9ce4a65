"""What must be there for what is declared of alerts: contacts and teams that are named, rules that exist."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from backend.rules import NAMES
from models.alert_defaults import JUDGED, OUTSIDE
from models.declared_alerts import AlertRule, Contact, Team
from models.errors import Refused
from models.local_times import zone_named
from models.register import Register


def contact(_register: Register, _at: int, body: object) -> Iterator[str]:
    """Someone who can be told, in a time zone that there is."""
    if not isinstance(body, Contact):
        return
    if body.email is None and body.webhook is None:
        yield "email, webhook: at least one of them expected"
    yield from _zone(body.time_zone)


def team(register: Register, at: int, body: object) -> Iterator[str]:
    """Its contacts are there, and its time zone."""
    if not isinstance(body, Team):
        return
    named = (ident for level in body.levels for ident in level)
    yield from _missing(register, at, "levels", "contacts", named)
    yield from _zone(body.time_zone)


def rule(register: Register, at: int, ident: str, body: object) -> Iterator[str]:
    """There is such a rule, it heeds what is declared of it, and its teams are there."""
    if not isinstance(body, AlertRule):
        return
    known = NAMES | OUTSIDE
    if ident not in known:
        near = get_close_matches(ident, sorted(known), n=1)
        yield f"id: the name of a rule expected, got {ident!r}; " + (
            f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        )
    elif ident not in NAMES:
        given = [name for name in JUDGED if getattr(body, name) not in {None, False}]
        yield from (f"{name}: nothing expected: no rule of the planner raises {ident!r}" for name in given)
    yield from _missing(register, at, "teams", "teams", body.teams or ())


def _missing(register: Register, at: int, field: str, kind: str, named: Iterable[str]) -> Iterator[str]:
    for each in named:
        if register.get(kind, each, at) is None:
            yield f"{field}: one of the {kind} expected, got {each!r}"


def _zone(name: str) -> Iterator[str]:
    try:
        zone_named(name)
    except Refused as error:
        yield str(error)


def rules(register: Register, at: int) -> Iterator[str]:
    """Every rule of the register: its id is looked at too."""
    for ident, body in register.all("rules", at).items():
        yield from (f"rules.{ident}: {problem}" for problem in rule(register, at, ident, body))
