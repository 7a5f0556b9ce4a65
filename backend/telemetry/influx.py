"""The telemetry store on InfluxDB: `backend.telemetry.store` by line protocol and InfluxQL.

Rollups are measurements that the projector writes whole, from the book, for each ten minutes that a reading touched.
Continuous queries of InfluxDB would not do: each runs once over the time that just passed, so that what comes later, as
after an outage of a gateway, is never in them. A row that is written again takes the place of the one before, as it has
the same series and time; what must go without a successor is overwritten with nothing (`influx_void`). Nothing is ever
deleted: InfluxDB 1.6.7 loses other series then. What is old goes by the retention policy of the server.
A point that the server will never take (a field has another type there, too many series) is counted and left out.
"""

import logging
import time
from collections.abc import Iterable, Sequence

from backend.config import Telemetry
from backend.telemetry import influx_lines as lp
from backend.telemetry import influx_notes as notes
from backend.telemetry import influx_read as reading
from backend.telemetry import influx_void as void
from backend.telemetry import influx_write as writing
from backend.telemetry.influx_digest import digest
from backend.telemetry.influx_http import TIMEOUTS, Connection, Refused, Timeouts
from backend.telemetry.influx_place import Place
from backend.telemetry.influx_state import FOREVER, TIMED, State
from backend.telemetry.rows import (
    HOUR,
    TEN_MINUTES,
    Bucket,
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
    Stream,
)

log = logging.getLogger(__name__)
DAY_US = 86_400_000_000
SETTLE_S = 1.0
NO_LEDGER = LedgerPosition(1, b"")
"""A position in no ledger there is: who is interrupted while rows are taken away begins with that again."""


class InfluxStore:
    """`backend.telemetry.store.Store` on one database of InfluxDB."""

    def __init__(self, config: Telemetry, timeouts: Timeouts = TIMEOUTS) -> None:
        """Nothing is sent yet; `timeouts` are as TIMEOUTS. Raises ConfigError."""
        self._connection = Connection(Place.of(config), timeouts)
        self._state = State(self._connection, config.retention_days)
        self._kept_us = config.retention_days * DAY_US
        self._refused = -1

    def would_empty(self) -> bool:
        """`Writer.would_empty`."""
        return self._state.is_other()

    def prepare(self) -> None:
        """`Writer.prepare`."""
        self._state.prepare()

    def positions(self) -> Positions:
        """`Progress.positions`. It waits after a request without an answer, so that none is overtaken by another."""
        found = self._state.positions()
        if not self._connection.is_unsure:
            return found
        time.sleep(SETTLE_S)
        self._connection.is_unsure = False
        return self._state.positions()

    def clear(self) -> None:
        """`Writer.clear`."""
        self._state.clear()

    def close(self) -> None:
        """`Writer.close`."""
        self._connection.close()

    def write(self, step: Step) -> None:
        """`Writer.write`."""
        oldest = self._oldest()
        streams: dict[Stream, int] = {}
        touched: dict[tuple[Stream, Bucket], int] = {}
        for stream, mark in step.back.items():
            gone = notes.touched(self._connection, writing.name(stream), mark)
            self._put(writing.stale(writing.around(gone), writing.ANEW, oldest))
            touched |= {(stream, bucket): mark for bucket in gone}
            streams[stream] = mark
        for each in step.followed:
            touched |= {(each.stream, bucket): seq for bucket, seq in each.touched.items()}
            streams[each.stream] = each.upto
        lines = [
            *writing.samples(step.samples, oldest),
            *writing.touch(touched, oldest),
            *writing.stale({bucket for _, bucket in touched}, writing.NEW, oldest),
            *writing.stale(step.anew, writing.ANEW, oldest),
        ]
        self._put([*lines, self._state.witness()])
        self._state.advance(streams)

    def write_stock(self, rows: Sequence[StockRow], position: LedgerPosition, *, anew: bool) -> None:
        """`Writer.write_stock`."""
        if anew:
            self._put([self._state.witness()])
            self._state.advance({}, NO_LEDGER)
            for lines in void.all_stock(self._connection):
                self._put(lines, FOREVER)
        self._put(map(writing.stock, rows), FOREVER)
        self._put([self._state.witness()])
        self._state.advance({}, position)

    def stale(self, limit: int, before: int) -> list[Stale]:
        """`Progress.stale`; what grew too old to be written waits for ever, and is not told of."""
        return notes.stale(self._connection, limit, (self.complete_from(), before))

    def replace(self, rolled: Sequence[Rolled]) -> None:
        """`Writer.replace`."""
        oldest = self._oldest()
        kept = [each for each in rolled if each.begin >= oldest]
        lines = [*writing.whole((sample for each in kept for sample in each.samples or ()), oldest)]
        lines += (line for each in kept for line in writing.figures(each))
        self._put([*lines, *void.without_successor(self._connection, kept, lines)])
        done = [Bucket(each.device, each.begin) for each in kept if each.width == TEN_MINUTES]
        self._put(writing.stale(done, writing.DONE, oldest))
        hours = notes.without_stale(self._connection, sorted({of.begin // HOUR * HOUR for of in done}))
        self._put(writing.hours(hours, "false"))
        still = set(notes.without_stale(self._connection, hours))  # whose turn comes next may have noted more meanwhile
        self._put(writing.hours([at for at in hours if at not in still], "true"))

    def forget(self, before: int) -> None:
        """`Writer.forget`: it is not read any more; the server drops whole shards when they are some days older still.

        What is to come, by the clock of the server, is not forgotten: then the clock of the caller is wrong.
        """
        if before < self._connection.now():
            self._connection.forgotten = before

    def complete_from(self) -> int:
        """`Progress.complete_from`: the server forgets too, by its own clock."""
        return max(self._oldest(), self._connection.forgotten)

    def refused(self) -> Refused:
        """How many points the server has refused for ever, and why it did the last of them."""
        found = self._connection.read(lp.select("points, reason", f"{FOREVER}.refused", "time = 0"))[0]
        return Refused(found[0].values[0][1], found[0].values[0][2]) if found else Refused(0, "")

    def trouble(self) -> str:
        """What an operator should know of it; empty if nothing."""
        lines, reason = self.refused()
        return f"InfluxDB has refused {lines} points for ever: {reason}" if lines else ""

    def last(self, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
        """`Reader.last`."""
        return reading.last(self._connection, spans, names)

    def seen(self, spans: Sequence[Span]) -> list[Seen]:
        """`Reader.seen`."""
        return reading.seen(self._connection, spans)

    def points(self, names: Sequence[str], devices: Sequence[str] | None, since: int, until: int) -> list[Point]:
        """`Reader.points`."""
        return reading.points(self._connection, names, devices, (since, until))

    def firsts(self, span: Span, names: Sequence[str], width: int) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """`Reader.firsts`."""
        return reading.firsts(self._connection.patient(), span, names, width)

    def track(self, span: Span, limit: int) -> list[Spot]:
        """`Reader.track`."""
        return reading.track(self._connection, span, limit)

    def rollups(
        self, names: Sequence[str] | None, devices: Sequence[str] | None, span: tuple[int, int, int]
    ) -> list[Rollup]:
        """`Reader.rollups`."""
        return reading.rollups(self._connection, names, devices, span)

    def readings(self, devices: Sequence[str] | None, span: tuple[int, int, int]) -> list[Readings]:
        """`Reader.readings`."""
        return reading.readings(self._connection, devices, span)

    def digest(self) -> str:
        """`Reader.digest`."""
        return digest(self._connection.patient())

    def _put(self, lines: Iterable[str], policy: str = TIMED) -> None:
        refused = self._connection.write(list(lines), policy)
        if not refused.lines:
            return
        before = self.refused()
        if self._refused < 0:
            log.error("InfluxDB refuses points for ever, they are left out: %s", refused.reason)
        self._refused = before.lines + refused.lines
        fields = {"points": f"{self._refused}i", "reason": lp.text(refused.reason)}
        self._connection.write([lp.line("refused", fields, 0)], FOREVER)

    def _oldest(self) -> int:
        return self._connection.now() - self._kept_us
