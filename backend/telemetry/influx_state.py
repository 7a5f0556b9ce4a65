"""How far the book was followed, kept in InfluxDB itself beside what it led to.

A database has two retention policies: `telemetry` for what is forgotten after so many days, `forever` for positions and
stock. A step is counted in both, in `telemetry` first: a database that was wiped, exchanged, or got back in parts knows
fewer steps there than its positions claim, and is emptied and filled anew. Whatever could be many (epochs, pairs of
stream and device) is told apart by time and fields, not by tags, whose number a server must hold in memory.
"""

import logging
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from threading import RLock
from typing import Any
from uuid import uuid4

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_http import Connection, NotPrepared, Series, Unsure
from backend.telemetry.rows import LedgerPosition, Positions, Stream
from backend.telemetry.store import StoreAway

log = logging.getLogger(__name__)
VERSION = 2
"""Raised when the meaning of a measurement changes: a database of another version is emptied and filled anew."""
TIMED, FOREVER = "telemetry", "forever"
PLACES = ("position", "ledger", "about")
"""Measurements of `forever`; emptied first, so that what is half emptied is never taken for whole."""
STOCK = "stock"
MEASUREMENTS = (
    *("fix", "value", "rollup_10m", "rollup_1h", "readings_10m", "readings_1h"),
    *("touch", "stale", "stale_hour"),
)
WITNESS = "witness"
DAY_S = 86_400
YEAR_NS = 360 * DAY_S * 10**9
"""Positions have times within the first year, so that they lie in one shard and are written at once."""
SLACK_DAYS = 2
MOST_DAYS = 100_000
"""Of more, InfluxDB keeps everything."""
AT_0 = "time = 0"
NOT_EXECUTED = "not executed"
"""What InfluxDB says of several statements for one of which it has no database: asked alone that one is named."""
NOWHERE = Positions({}, LedgerPosition(0, b""))


class State:
    """Positions of one database. Memory holds what was read or written last, and is believed only if the step fits."""

    def __init__(self, connection: Connection, retention_days: int) -> None:
        self._connection = connection
        self._days = retention_days if retention_days <= MOST_DAYS else 0
        self._lock = RLock()
        self._ours = False
        self._identity = ""
        self._step = -1
        self._witnessed_on = -1
        self._streams: dict[Stream, int] = {}
        self._ledger = LedgerPosition(0, b"")

    def is_other(self) -> bool:
        """Whether there is something that is not of this version, or not whole."""
        with self._lock:
            try:
                there = self._connection.ask(lp.select("identity", f"{FOREVER}.about", AT_0))[0]
                return bool(there) and self._server_step() is None
            except NotPrepared:
                return False

    def prepare(self) -> None:
        """Make the database and its retention policies; empty it if it is not of this version or not whole."""
        with self._lock:
            self._make()
            self._ours = True
            if self._server_step() is None:
                self.clear()

    def _make(self) -> None:
        database, ask = lp.name(self._connection.place.database), self._connection.ask
        try:
            ask(f"CREATE DATABASE {database}")
            have = self._policies()
            timed = f"{self._days + SLACK_DAYS}d" if self._days else "INF"
            hours = f"{(self._days + SLACK_DAYS) * 24}h0m0s" if self._days else "0s"
            if TIMED not in have:
                ask(f"CREATE RETENTION POLICY {TIMED} ON {database} DURATION {timed} REPLICATION 1")
            elif have[TIMED] != hours:
                ask(f"ALTER RETENTION POLICY {TIMED} ON {database} DURATION {timed} REPLICATION 1")
            if FOREVER not in have:
                ask(f"CREATE RETENTION POLICY {FOREVER} ON {database} DURATION INF REPLICATION 1 SHARD DURATION 52w")
        except Unsure:
            raise
        except StoreAway as error:
            self._already_there(error)

    def _policies(self) -> dict[str, str]:
        """The retention policies there are, with their durations."""
        shown = self._connection.ask(f"SHOW RETENTION POLICIES ON {lp.name(self._connection.place.database)}")[0]
        if shown and "duration" not in shown[0].columns:
            raise StoreAway(f"{self._connection.place.url}: this server does not answer InfluxQL")
        return {str(row["name"]): str(row["duration"]) for each in shown for row in rows(each)}

    def _already_there(self, refused: StoreAway) -> None:
        """InfluxDB 2 makes no database by InfluxQL, and not everybody may: what others made is as good."""
        try:
            self._connection.ask(*(lp.select("identity", f"{policy}.about", AT_0) for policy in (TIMED, FOREVER)))
        except NotPrepared:
            database = self._connection.place.database
            wanted = (
                f"{database}/{TIMED} (kept {self._days + SLACK_DAYS} days) and {database}/{FOREVER} (kept for ever)"
            )
            raise StoreAway(f"{refused}; make the retention policies, or buckets, {wanted} by hand") from None

    def clear(self) -> None:
        """Forget everything, positions first: both retention policies whole, with all their files."""
        with self._lock:
            self._step = -1
            self._empty()
            self._identity, self._streams, self._ledger = uuid4().hex, {}, LedgerPosition(0, b"")
            self._step = 0
            try:
                self._write([self.witness()], TIMED)
                self._write([self._about()], FOREVER)
            except StoreAway:
                self._step = -1
                raise

    def _empty(self) -> None:
        database = lp.name(self._connection.place.database)
        try:
            for policy in (FOREVER, TIMED):
                self._connection.ask(f"DROP RETENTION POLICY {policy} ON {database}")
        except Unsure:
            raise
        except StoreAway:  # InfluxDB 2 drops none by InfluxQL
            for measurement in (*PLACES, STOCK, "refused", *MEASUREMENTS, WITNESS):
                self._connection.ask(f'DROP MEASUREMENT "{measurement}"')
        self._make()

    def positions(self) -> Positions:
        """`Progress.positions`: from memory if the server has the step that memory is of."""
        with self._lock:
            try:
                found = self._server_step()
            except NotPrepared:
                found = None
            if found is None:
                self._step = -1
                return NOWHERE
            if found != (self._identity, self._step):
                self._load(*found)
            if self._ours and self._witnessed_on != self._today():
                self._write([self.witness()], TIMED)
            return Positions(dict(self._streams), self._ledger)

    def _server_step(self) -> tuple[str, int] | None:
        """Identity and step of the server; None if it has none, or has lost what a step led to."""
        what = lp.select("identity, step, version", f"{FOREVER}.about", AT_0)
        try:
            about, seen = self._connection.read(what, _witnessed(self._identity))
        except StoreAway as error:
            if NOT_EXECUTED not in str(error):
                raise
            about, seen = self._connection.read(what)[0], []
        if not about:
            return None
        row = rows(about[0])[0]
        identity, step = str(row["identity"]), int(row["step"])
        if row["version"] != VERSION:
            return None
        if not seen or identity != self._identity:
            seen = self._connection.read(_witnessed(identity))[0]
        if not seen or int(rows(seen[0])[0]["max"]) < step:
            log.warning("the telemetry store has lost something that its positions claim")
            return None
        return identity, step

    def _load(self, identity: str, step: int) -> None:
        streams, ledger = self._connection.read(
            lp.select("epoch, upto, gateway", f"{FOREVER}.position"),
            lp.select("n, hash", f"{FOREVER}.ledger", AT_0),
        )
        self._streams = {
            (lp.decode(row["gateway"]), row["epoch"]): int(row["upto"]) for each in streams for row in rows(each)
        }
        row: dict[str, Any] = rows(ledger[0])[0] if ledger else {"n": 0, "hash": ""}
        self._ledger = LedgerPosition(int(row["n"]), bytes.fromhex(row["hash"]))
        self._identity, self._step = identity, step

    def witness(self) -> str:
        """A line for `telemetry`, to go with what the next step leads to."""
        self._known()
        self._witnessed_on = self._today()
        fields = {"identity": lp.text(self._identity), "step": f"{self._step + 1}i"}
        return lp.line(WITNESS, fields, self._witnessed_on * DAY_S * 10**9)

    def advance(self, streams: Mapping[Stream, int], ledger: LedgerPosition | None = None) -> None:
        """Take a step: what led to these positions is written. With none, what memory holds is written again."""
        with self._lock:
            self._known()
            lines = [_position(stream, upto) for stream, upto in streams.items()]
            if ledger is not None:
                lines.append(lp.line("ledger", {"n": f"{ledger.n}i", "hash": lp.text(ledger.hash.hex())}, 0))
            self._step += 1
            try:
                self._write([*lines, self._about()], FOREVER)
            except StoreAway:
                self._step = -1
                raise
            self._streams |= streams
            self._ledger = self._ledger if ledger is None else ledger

    def _known(self) -> None:
        if self._step < 0 and (self.positions() is NOWHERE):
            raise NotPrepared(f"{self._connection.place.url}: the telemetry store is not prepared")

    def _today(self) -> int:
        return self._connection.now() // (DAY_S * 10**6)

    def _about(self) -> str:
        fields = {"identity": lp.text(self._identity), "version": f"{VERSION}i", "step": f"{self._step}i"}
        return lp.line("about", fields, 0)

    def _write(self, lines: Iterable[str], policy: str) -> None:
        refused = self._connection.write(list(lines), policy)
        if refused.lines:
            raise StoreAway(f"{self._connection.place.url}: positions are refused: {refused.reason}")


def _witnessed(identity: str) -> str:
    return lp.select("max(step)", f"{TIMED}.{WITNESS}", f"identity = {lp.quoted(identity)}")


def _position(stream: Stream, upto: int) -> str:
    gateway, epoch = stream
    fields = {"epoch": lp.text(epoch), "upto": f"{upto}i"}
    return lp.line(lp.head("position", ("gateway", gateway)), fields, number((epoch,), YEAR_NS))


def number(of: tuple[str, ...], below: int) -> int:
    """A number that stands for texts, the same in every process."""
    told = blake2b("\0".join(of).encode(), digest_size=8).digest()
    return int.from_bytes(told, "big") % below


def rows(series: Series) -> list[dict[str, Any]]:
    """The rows of a series, with its tags."""
    return [{**series.tags, **dict(zip(series.columns, row, strict=True))} for row in series.values]
