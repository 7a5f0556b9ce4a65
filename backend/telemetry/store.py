"""The telemetry store as a port: what the projector writes and everybody else reads, whichever database is behind it.

Everything in a store is derived from the book and can be made anew. A store need not have transactions: the projector
repeats a call that failed, and every call is harmless when repeated. A store is used by several threads at once; only
one projector writes to it.
"""

from collections.abc import Sequence
from typing import Protocol

from backend.telemetry.rows import (
    Last,
    LedgerPosition,
    Point,
    Positions,
    Readings,
    Rolled,
    Rollup,
    Seen,
    Span,
    Spot,
    Stale,
    Step,
    StockRow,
)


class StoreAway(OSError):
    """The store cannot be reached or used for now. What of the call was done is not known: it is to be repeated."""


class Progress(Protocol):
    """How far a store has got. Every method raises StoreAway."""

    def positions(self) -> Positions:
        """How far the book was followed; nothing where the store is new, wiped or another one. Changes nothing.

        It is asked before every step and must come from the store itself, or be checked against it, so that a store
        that was wiped, replaced or restored from a backup is noticed: the projector then prepares and fills it.
        """
        ...

    def stale(self, limit: int, before: int) -> list[Stale]:
        """Ten minutes that wait to be rolled up and begin before a time, at most `limit`, oldest begin first.

        Rollups and counts of ten minutes that are not stale, and not ahead of the positions, are right.
        """
        ...

    def complete_from(self) -> int | None:
        """What is older was forgotten, or may have been; None where nothing was."""
        ...


class Writer(Progress, Protocol):
    """What the projector needs. Every method raises StoreAway, and may be called again then and at any time."""

    def would_empty(self) -> bool:
        """Whether `prepare` would empty it: another version filled it, or it has lost a part. Changes nothing."""
        ...

    def prepare(self) -> None:
        """Make what is missing (tables, database, retention); empty a store that another version of us filled."""
        ...

    def write(self, step: Step) -> None:
        """Take one step; when it returns all of it survives a crash of ours. In this order, or in one transaction:

        1. of each stream in `back`: what its readings above the mark touched (by all `Followed.touched` so far), and
           the ten minutes before and after each of these, is stale with its samples; the position is the mark,
        2. the samples are written; one that is there already (device, content, at) changes nothing,
        3. what `followed` touched and `anew` names is stale (once stale with its samples, it stays so until replaced),
        4. and only now the positions: whoever sees a position finds all that led to it.
        """
        ...

    def write_stock(self, rows: Sequence[StockRow], position: LedgerPosition, *, anew: bool) -> None:
        """Write rows, then the position; `anew`: first forget all rows there are, the ledger went on otherwise."""
        ...

    def replace(self, rolled: Sequence[Rolled]) -> None:
        """Put these buckets in the place of what the store has of them; their ten minutes are no longer stale.

        Rows of rollups and readings are overwritten; of a bucket with `anew` those not named are removed, and where
        `samples` is not None likewise its samples. Taken from what is stale only after all that was written.
        """
        ...

    def forget(self, before: int) -> None:
        """Retention: samples, rollups, counts and touched buckets that are older are gone. Stock rows stay.

        From now on it is complete from that time, an earlier one than before too: the projector has brought that back.
        """
        ...

    def clear(self) -> None:
        """Forget everything, positions first; the projector then follows the book from its beginning."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Reader(Progress, Protocol):
    """What is read: by the API, the page, predictions and benches. Every method raises StoreAway.

    `devices` None is all of them: one statement, not one for each. A span is from `since` to before `until`; buckets
    are chosen by their begin.
    """

    def last(self, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
        """The newest value of each series of these names in each span, where there is one; in any order.

        One statement for all spans, or one for some hundred. For an asset see `backend.telemetry.assets`.
        """
        ...

    def seen(self, spans: Sequence[Span]) -> list[Seen]:
        """The newest position in each span, where there is one, as `last`: of fixes that have both degrees."""
        ...

    def points(self, names: Sequence[str], devices: Sequence[str] | None, since: int, until: int) -> list[Point]:
        """The values of all series of these names, by (device, name, unit, at)."""
        ...

    def firsts(self, span: Span, names: Sequence[str], width: int) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """By (name, unit): (at, value) of the first value in each bucket of `width`, by time.

        Of several at that time the least. From the samples, not from rollups: as current as the positions.
        """
        ...

    def track(self, span: Span, limit: int) -> list[Spot]:
        """The newest `limit` fixes of a device, by time."""
        ...

    def rollups(
        self, names: Sequence[str] | None, devices: Sequence[str] | None, span: tuple[int, int, int]
    ) -> list[Rollup]:
        """Rollups of (since, until, width), by (device, name, unit, begin); width is TEN_MINUTES or HOUR.

        `names` None is all of them. The projector too reads its ten minutes, to make hours of them.
        """
        ...

    def readings(self, devices: Sequence[str] | None, span: tuple[int, int, int]) -> list[Readings]:
        """Counts of (since, until, width), by (device, begin, kind)."""
        ...

    def digest(self) -> str:
        """SHA-256 of everything that it says but positions and what is stale: the same for any order and repeats."""
        ...


class Store(Writer, Reader, Protocol):
    """Both sides."""
