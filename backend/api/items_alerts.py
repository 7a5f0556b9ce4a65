"""The shape of answers about alerts beside the alert itself: its steps, shelves, messages, and the alarm rate."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from models.alert import Severity
from models.declared_stock import Id, Note
from models.reading import Time
from models.shelving import Pattern


class Assignment(Struct, frozen=True, forbid_unknown_fields=True):
    """Which contact is to answer an alert."""

    to: Id


class Step(Struct, frozen=True):
    """One step of an alert's life."""

    n: int
    at: datetime
    what: str
    actor: str
    note: str | None


class Shelving(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be kept quiet, why, and until when: at most 30 days ahead."""

    reason: Note
    until: Time
    rules: Annotated[list[Id], Meta(max_length=100)] = []
    """Names of rules; empty: all."""
    subjects: Annotated[list[Pattern], Meta(max_length=100)] = []
    """Subjects, or beginnings of subjects with a * at the end; empty: all."""
    most: Severity = "warning"
    """The gravest that it keeps quiet."""


class Shelf(Struct, frozen=True):
    """What is or was kept quiet; `asleep` are the alerts on it now."""

    id: str
    n: int
    rules: list[str]
    subjects: list[str]
    most: str
    reason: str
    actor: str
    begun_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str | None
    asleep: int


class Message(Struct, frozen=True):
    """What a recipient is told of an alert: `id` is its Message-ID or webhook-id, the same over all tries."""

    n: int
    id: str
    alert: str | None
    step: str
    channel: str
    recipient: str
    contact: str
    subject: str
    made_at: datetime
    state: str
    """waiting, delivered, dead, dropped (over before quiet hours were), handed (to the webhook's own deliveries)."""
    tries: int
    due_at: datetime
    done_at: datetime | None
    code: int | None
    problem: str | None


class Flood(Struct, frozen=True):
    """More than ten alerts in ten minutes, until there were fewer than five."""

    begin: datetime
    end: datetime
    alerts: int


class WorstRule(Struct, frozen=True):
    """A rule and how many of the alerts were its own."""

    rule: str
    alerts: int


class AlarmRate(Struct, frozen=True):
    """How many alerts a team was told of, or all of them (team null); `goal` is what a person can answer."""

    team: str | None
    since: datetime
    until: datetime
    alerts: int
    per_ten_minutes: str
    goal: str
    is_within_goal: bool
    peak: int
    peak_at: datetime | None
    floods: list[Flood]
    worst: list[WorstRule]
