"""What was sealed of the journal, as the API says it."""

from datetime import date, datetime

from msgspec import Struct

from backend.api.items import JournalEntry


class SealedStep(Struct, frozen=True):
    """Of one kind of folding: how many keys stood at something, how many rows were derived; digests in hexadecimal."""

    step: str
    states: int
    states_digest: str
    rows: int
    rows_digest: str


class SealedNumbers(Struct, frozen=True):
    """Numbers of a stream that go, by kind; the digest is over the readings."""

    gateway: str
    epoch: str
    from_seq: int
    to_seq: int
    counts: dict[str, int]
    digest: str


class Seal(Struct, frozen=True):
    """Everything before `day`, 00:00 UTC: what comes of it after `closed_at` counts no more, and is kept apart."""

    day: date
    closed_at: datetime
    sealed_at: datetime | None
    pruned_at: datetime | None
    digest: str | None
    readings: int
    steps: list[SealedStep]
    streams: list[SealedNumbers]


class Gone(Struct, frozen=True):
    """Numbers of a stream up to `pruned_to` are gone; `seq`, the first that was asked for, by the seal of `day`."""

    gateway: str
    epoch: str
    seq: int
    pruned_to: int
    day: date


class JournalPage(Struct, frozen=True):
    """Readings, and what was asked for that is gone."""

    items: list[JournalEntry]
    next: str | None
    sealed: list[Gone]
