"""InfluxDB over HTTP, through influxdb-client: whole batches of line protocol, and InfluxQL.

Its batching mode loses points without an exception; in SYNCHRONOUS mode a call has succeeded when it returns. Writes go
to `/api/v2/write`, or to `/write` for servers before 1.8; `/query` with InfluxQL is what every InfluxDB has.
No error here names the token, nor any header of a request.
"""

import re
import time
import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple, cast

import msgspec
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.exceptions import TimeoutError as NoAnswer

from backend.telemetry import influx_lines as lp
from backend.telemetry.influx_breaker import Breaker
from backend.telemetry.influx_place import Place
from backend.telemetry.store import StoreAway

TIMEOUTS = (5.0, 30.0, 5.0)
"""Seconds to connect, to wait for an answer, and to wait for one of what is only read."""
PAUSE_S = 3.0
"""After a time-out nobody reads for so long."""
Timeouts = tuple[float, float, float]
MOST_BYTES = 4 * 2**20
_BAD_REQUEST, _UNPROCESSABLE, _NOT_FOUND, _TOO_LARGE = 400, 422, 404, 413
_UNAUTHORISED = (401, 403)
_DROPPED = re.compile(r"dropped=(\d+)")
_MISSING = re.compile(r"(database|retention policy|bucket).{0,200}not found", re.DOTALL)


class NotPrepared(StoreAway):
    """The database or a retention policy of ours is not there (any more)."""


class Unsure(StoreAway):
    """A request was sent and no answer came: it may still be carried out."""


class Series(NamedTuple):
    """One series of an answer; times are nanoseconds."""

    name: str
    tags: Mapping[str, str]
    columns: Sequence[str]
    values: Sequence[Sequence[Any]]


class Refused(NamedTuple):
    """Lines that the server will never take, and what it says of one of them."""

    lines: int
    reason: str


NOTHING_REFUSED = Refused(0, "")


class Connection:
    """One database of one server. Used by several threads at once."""

    def __init__(self, place: Place, timeouts: Timeouts = TIMEOUTS) -> None:
        self.place = place
        self._client = _client(place, timeouts)
        connect, answer, read = (int(each * 1000) for each in timeouts)
        self._patience, self._haste = (connect, answer), (min(connect, read), read)
        self._breaker = Breaker(PAUSE_S)
        self._behind_us = 0
        self._writer = self._client.write_api(write_options=_synchronous())
        self._errors = (HTTPError, OSError, _refusal())
        self.forgotten = lp.EARLIEST
        """What is older counts as not there, microseconds."""
        self.is_unsure = False
        """A request may still be carried out that nobody waits for any more."""

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def write(self, lines: Sequence[str], policy: str) -> Refused:
        """Write lines into a retention policy; when it returns, all but the refused ones are there.

        Raises StoreAway; what was done then is not known, and the same lines can be written again.
        """
        total = NOTHING_REFUSED
        for body in _bodies(lines):
            found = self._write(body, policy)
            total = Refused(total.lines + found.lines, found.reason or total.reason)
        return total

    def _write(self, lines: Sequence[str], policy: str) -> Refused:
        """Write; what is refused for its content is looked for by halves, as some servers write the rest and some not.

        Lines after lines of their own series, so that the refused ones stand together.
        """
        answer = self._post(lines, policy)
        if answer is None:
            return NOTHING_REFUSED
        dropped = _DROPPED.search(answer)
        if len(lines) == 1 or (dropped and int(dropped[1]) == len(lines)):
            return Refused(len(lines), answer)
        ordered, middle = sorted(lines), len(lines) // 2
        first, second = self._write(ordered[:middle], policy), self._write(ordered[middle:], policy)
        return Refused(first.lines + second.lines, first.reason or second.reason)

    def _post(self, lines: Sequence[str], policy: str) -> str | None:
        """None if all was written, else why the server refuses something of it."""
        body = "\n".join(lines).encode()
        try:
            self._writer.write(f"{self.place.database}/{policy}", self.place.org or "-", body, write_precision="ns")
        except self._errors as error:
            status, said = _said(error)
            if status in {_BAD_REQUEST, _UNPROCESSABLE, _TOO_LARGE} and not _MISSING.search(said):
                return said or f"HTTP {status}"
            raise self._away("write", error) from None
        return None

    def ask(self, *statements: str) -> list[list[Series]]:
        """What InfluxQL statements answer, in their order. Raises StoreAway; Unsure if they may still be done."""
        try:
            return self._results(self.query(statements, self._patience), len(statements))
        except self._errors as error:
            raise self._away("query", error) from None

    def read(self, *statements: str) -> list[list[Series]]:
        """The same of what changes nothing, waited for less long; after a time-out it fails at once for PAUSE_S."""
        if not self._breaker.lets_through():
            raise StoreAway(f"{self.place.url}: no answer came a moment ago")
        try:
            body = self.query(statements, self._haste)
        except self._errors as error:
            if isinstance(error, NoAnswer) and not isinstance(error, NewConnectionError):
                self._breaker.timed_out()
            else:
                self._breaker.answered()
            raise self._named("query", error) from None
        self._breaker.answered()
        return self._results(body, len(statements))

    def patient(self) -> "Connection":
        """The same for who can wait: what is only read is waited for as long as what is written."""
        found = copy(self)
        found._haste, found._breaker = self._patience, Breaker(0.0)  # noqa: SLF001 - it is one of ours
        return found

    def now(self) -> int:
        """Microseconds by the clock of the server, to a second, as it said with its last answer: it is what forgets."""
        return time.time_ns() // 1000 + self._behind_us

    def query(self, statements: Sequence[str], patience: tuple[int, int]) -> bytes:
        """The answer as it came; `patience` is milliseconds, to connect and to wait. Raises what the client does."""
        form = [("db", self.place.database), ("epoch", "ns"), ("q", ";".join(statements))]
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        call = partial(self._client.api_client.call_api, "/query", "POST", header_params=kind, post_params=form)
        answer = call(_preload_content=False, _return_http_data_only=True, _request_timeout=patience)
        if told := answer.headers.get("Date"):
            self._behind_us = round(parsedate_to_datetime(told).timestamp() * 1e6) - time.time_ns() // 1000
        body: bytes = answer.data
        return body

    def _results(self, body: bytes, wanted: int) -> list[list[Series]]:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.MsgspecError as error:
            raise StoreAway(f"{self.place.url}: an answer that is not InfluxQL's: {error}") from None
        problem = answer.error or next((each.error for each in answer.results if each.error), "")
        if problem and _MISSING.search(problem):
            raise NotPrepared(f"{self.place.url}: {problem[:500]}")
        if problem:
            raise StoreAway(f"{self.place.url}: query refused: {problem[:500]}")
        if len(answer.results) != wanted:
            raise StoreAway(f"{self.place.url}: this server does not answer InfluxQL")
        return [[Series(one.name, one.tags, one.columns, one.values) for one in each.series] for each in answer.results]

    def _away(self, what: str, error: Exception) -> StoreAway:
        found = self._named(what, error)
        self.is_unsure = self.is_unsure or isinstance(found, Unsure)
        return found

    def _named(self, what: str, error: Exception) -> StoreAway:
        status, said = _said(error)
        where = f"{self.place.url}: {what}"
        if status in _UNAUTHORISED:
            return StoreAway(f"{where}: HTTP {status}: telemetry.token_file is not accepted")
        if _MISSING.search(said):
            return NotPrepared(f"{where}: {said}")
        if status == _NOT_FOUND:
            hint = "" if self.place.write_api == "v1" else '; servers before 1.8 need write_api = "v1"'
            return StoreAway(f"{where}: HTTP 404{hint}")
        if status:
            kind = Unsure if "timeout" in said else StoreAway
            return kind(f"{where}: HTTP {status}: {said}")
        if isinstance(error, ReadTimeoutError | ProtocolError):
            return Unsure(f"{where}: no answer: {type(error).__name__}")
        return StoreAway(f"{where}: {type(error).__name__}: {_plain(error)}")


class _Series(msgspec.Struct):
    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


def _bodies(lines: Sequence[str]) -> list[Sequence[str]]:
    """Lines in bodies that every server takes by default."""
    most = max(1, MOST_BYTES // max(map(len, lines), default=1) // 2)
    return [lines[low : low + most] for low in range(0, len(lines), most)]


def _said(error: Exception) -> tuple[int, str]:
    """HTTP status and the server's own words; (0, "") of what is no answer."""
    status = getattr(error, "status", None)
    if not isinstance(status, int):
        return 0, ""
    body = getattr(error, "body", None) or ""
    words = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    try:
        told = msgspec.json.decode(words, type=dict[str, Any])
        words = str(told.get("error") or told.get("message") or words)
    except msgspec.MsgspecError:
        pass
    return status, words[:500]


def _plain(error: Exception) -> str:
    """The end of what urllib3 says: without the object at its beginning."""
    return str(error).rpartition(": ")[2][:200]


def _synchronous() -> Any:  # noqa: ANN401 - influxdb-client is not typed
    from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415 - a third of a second

    return SYNCHRONOUS


def _refusal() -> type[Exception]:
    from influxdb_client.rest import ApiException  # noqa: PLC0415

    return ApiException


def _client(place: Place, timeouts: Timeouts) -> Any:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415 - a third of a second, and only with InfluxDB
    limits = (int(timeouts[0] * 1000), int(timeouts[1] * 1000))
    basic = place.write_api == "v1" and bool(place.token)
    options: dict[str, Any] = {"auth_basic": True} if basic else {}
    client = cast("Any", InfluxDBClient)(
        place.url, place.token or None, timeout=limits, org=place.org or "-", **options
    )
    if place.write_api == "v1":
        client.api_client.call_api = partial(_v1, client.api_client.call_api)
    return client


def _v1(call: Any, path: str, method: str, path_params: Any = None, query: Any = None, *rest: Any, **more: Any) -> Any:  # noqa: ANN401
    """influxdb-client's call, of `/write` where it means `/api/v2/write`."""
    if path == "/api/v2/write":
        told = dict(query)
        database, _, policy = told["bucket"].partition("/")
        path, query = "/write", [("db", database), ("rp", policy), ("precision", told["precision"])]
    return call(path, method, path_params, query, *rest, **more)
