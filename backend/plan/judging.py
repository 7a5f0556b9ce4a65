"""One rule on some subjects: what its verdicts come to by how it is set: off, how grave, for how long, how often.

What is called for but not yet for long enough is in memory; the subject is looked at again when its time has come. A
process that begins asks anew.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from backend.alert_settings import settings_of
from backend.book import alerts
from backend.plan.rule import ACTOR, Rule, View
from models.alert import Alert
from models.alert_defaults import Called, Settings, called_again, is_held, is_lasting


@dataclass(slots=True)
class Waiting:
    """What is called for and not raised yet, by (rule, subject); and when idents of a rule are looked at again."""

    called: dict[tuple[str, str], Called] = field(default_factory=dict[tuple[str, str], Called])
    _again: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict[str, int]))

    def look_again(self, rule: str, ident: str, at: int, now: int) -> None:
        """Look at this at a time, or before if it was to be before."""
        again = self._again[rule]
        before = again.get(ident, at)
        again[ident] = at if before <= now else min(at, before)

    def is_any(self, now: int) -> bool:
        """Whether the time of any has come."""
        return any(at <= now for again in self._again.values() for at in again.values())

    def due(self, rule: str, now: int) -> list[str]:
        """The idents of a rule whose time has come."""
        return [ident for ident, at in self._again[rule].items() if at <= now]

    def looked(self, now: int) -> None:
        """All of those have been looked at, and it is written down what came of it."""
        for rule, again in self._again.items():
            self._again[rule] = {ident: at for ident, at in again.items() if at > now}


def is_any_due(view: View, rule: Rule[Any], idents: Sequence[str]) -> bool:
    """Whether anything is to be raised or closed, by a look that writes nothing."""
    standing = {*alerts.open_subjects(view.tx, rule.name)}
    said = settings_of(view.register, rule.name, view.now)
    return not said.off and any(
        (rule.judge(facts, view.now) is None) == (subject in standing) for subject, facts in rule.load(view, idents)
    )


def apply(view: View, rule: Rule[Any], idents: Sequence[str], waiting: Waiting) -> None:
    """Raise what is called for, close what no longer is."""
    said = settings_of(view.register, rule.name, view.now)
    standing = set(alerts.open_subjects(view.tx, rule.name)) if rule.is_state else set[str]()
    looked_at = {*idents}
    for subject, facts in rule.load(view, idents):
        if rule.settle is not None:
            rule.settle(view, facts)
        alert = None if said.off else rule.judge(facts, view.now)
        if alert is None:
            waiting.called.pop((rule.name, subject), None)
        elif subject in standing or _lasts(
            rule, _steady_us(rule, alert, said), said, (subject, looked_at, view, waiting)
        ):
            told = alert if said.severity is None else replace(alert, severity=said.severity)
            alerts.raise_alert(view.tx, told, view.now, ACTOR)
        if alert is None and subject in standing and (said.off or not _is_held(rule, facts, said)):
            alerts.close(view.tx, rule.name, subject, view.now, ACTOR)


def _is_held(rule: Rule[Any], facts: Any, said: Settings) -> bool:  # noqa: ANN401 - the rule's own
    return rule.level is not None and is_held(rule.level(facts), said.clear_share)


def _steady_us(rule: Rule[Any], alert: Alert, said: Settings) -> int:
    if said.steady_us is not None:
        return said.steady_us
    return 0 if rule.steady is None else rule.steady(alert)


def _lasts(rule: Rule[Any], steady_us: int, said: Settings, of: tuple[str, Collection[str], View, Waiting]) -> bool:
    """Whether it has been called for long enough and often enough; a moment is over before anything lasts."""
    subject, looked_at, view, waiting = of
    if not rule.is_state or (steady_us == 0 and said.count == 1):
        return True
    key = (rule.name, subject)
    called = waiting.called[key] = called_again(waiting.called.get(key), view.now)
    if is_lasting(called, view.now, steady_us, said.count):
        return True
    ident = _ident_of(subject, looked_at)
    if ident is not None and view.now - called.since < steady_us:
        waiting.look_again(rule.name, ident, called.since + steady_us, view.now)
    return False


def _ident_of(subject: str, looked_at: Collection[str]) -> str | None:
    """Which of the idents a subject is about: it begins with it, after its kind if that is said.

    >>> _ident_of("asset:TRUCK-1/odometer", {"TRUCK-1"}), _ident_of("TRUCK-1/oil/3", {"TRUCK-1", "TRUCK-1/oil"})
    ('TRUCK-1', 'TRUCK-1')
    """
    parts = (subject.partition(":")[2] or subject).split("/")
    begun = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((ident for ident in begun if ident in looked_at), None)
