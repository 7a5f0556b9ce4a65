"""The telemetry store on InfluxDB: `backend.telemetry.store` by line protocol and InfluxQL.

Rollups are measurements that the projector writes whole, from the book, for each ten minutes that a reading touched.
Continuous queries of InfluxDB would not do: each runs once over the time that just passed, so that what comes later, as
after an outage of a gateway, is never in them. A row that is written again takes the place of the one before, as it has
the same series and time; only what must go without a successor is deleted, by series and time.
A point that the server will never take (a field has another type there, too many series) is counted and left out.
"""

import logging
import time
from collections.abc import Iterable, Sequence

from backend.config import Telemetry
from backend.telemetry import influx_lines as lp
from backend.telemetry import influx_read as reading
from backend.telemetry import influx_write as writing
from backend.telemetry.influx_http import ANSWER_S, CONNECT_S, Connection, Place, Refused
from backend.telemetry.influx_state import FOREVER, MEASUREMENTS, STOCK, TIMED, State
from backend.telemetry.rows import (
    TEN_MINUTES,
    Bucket,
    Last,
    LedgerPosition,
    Point,
    Positions,
    Readings,
    Rolled,
    Rollup,
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
CLOSED_AT_MOST = 10_000
NO_LEDGER = LedgerPosition(1, b"")
"""A position in no ledger there is: who is interrupted while rows are taken away begins with that again."""
REMOVALS_AT_ONCE = 200


class InfluxStore:
    """`backend.telemetry.store.Store` on one database of InfluxDB."""

    def __init__(self, config: Telemetry, timeouts: tuple[float, float] = (CONNECT_S, ANSWER_S)) -> None:
        """Nothing is sent yet. `timeouts` are seconds to connect, and to wait for an answer. Raises ConfigError."""
        self._connection = Connection(Place.of(config), timeouts)
        self._state = State(self._connection, config.retention_days)
        self._kept_us = config.retention_days * DAY_US
        self._refused = -1
        self._closed = CLOSED_AT_MOST

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
            gone = reading.touched(self._connection, writing.name(stream), mark)
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
            self._connection.ask(f'DROP MEASUREMENT "{STOCK}"')
        self._put(map(writing.stock, rows), FOREVER)
        self._put([self._state.witness()])
        self._state.advance({}, position)

    def stale(self, limit: int, before: int) -> list[Stale]:
        """`Progress.stale`."""
        return reading.stale(self._connection, limit, before)

    def replace(self, rolled: Sequence[Rolled]) -> None:
        """`Writer.replace`."""
        oldest = self._oldest()
        removals = [statement for each in rolled for statement in writing.removals(each)]
        for k in range(0, len(removals), REMOVALS_AT_ONCE):
            self._connection.ask(*removals[k : k + REMOVALS_AT_ONCE])
        samples = writing.whole((sample for each in rolled for sample in each.samples or ()), oldest)
        figures = (line for each in rolled if each.begin >= oldest for line in writing.figures(each))
        self._put([*samples, *figures])
        done = [Bucket(each.device, each.begin) for each in rolled if each.width == TEN_MINUTES]
        self._put(writing.stale(done, writing.DONE, oldest))
        self._sweep(len(done))

    def forget(self, before: int) -> None:
        """`Writer.forget`; the server forgets by itself too, in whole weeks.

        Nothing is deleted where nothing is: a server that writes its cache to disk meanwhile may lose other series.
        """
        older = f"time < {lp.clamp(before)}"
        asked = [lp.select("*", f"{TIMED}.{each}", older, tail="LIMIT 1") for each in MEASUREMENTS]
        told = zip(MEASUREMENTS, self._connection.ask(*asked), strict=True)
        if gone := [lp.delete(each, older) for each, found in told if found]:
            self._connection.ask(*gone)

    def refused(self) -> Refused:
        """How many points the server has refused for ever, and why it did the last of them."""
        found = self._connection.ask(lp.select("points, reason", f"{FOREVER}.refused", "time = 0"))[0]
        return Refused(found[0].values[0][1], found[0].values[0][2]) if found else Refused(0, "")

    def trouble(self) -> str:
        """What an operator should know of it; empty if nothing."""
        lines, reason = self.refused()
        return f"InfluxDB has refused {lines} points for ever: {reason}" if lines else ""

    def last(self, spans: Sequence[Span], names: Sequence[str]) -> list[Last]:
        """`Reader.last`."""
        return reading.last(self._connection, spans, names)

    def points(self, names: Sequence[str], devices: Sequence[str] | None, since: int, until: int) -> list[Point]:
        """`Reader.points`."""
        return reading.points(self._connection, names, devices, (since, until))

    def firsts(self, span: Span, names: Sequence[str], width: int) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """`Reader.firsts`."""
        return reading.firsts(self._connection, span, names, width)

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
        return reading.digest(self._connection)

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
        return time.time_ns() // 1000 - self._kept_us

    def _sweep(self, more: int) -> None:
        """Delete what was stale and is no more, now and then: all that is before the oldest that still is."""
        self._closed += more
        if self._closed < CLOSED_AT_MOST:
            return
        oldest = reading.stale(self._connection, 1, lp.LATEST)
        until = oldest[0].bucket.begin if oldest else lp.LATEST
        self._connection.ask(lp.delete("stale", f"time < {lp.clamp(until)}"))
        self._closed = 0
