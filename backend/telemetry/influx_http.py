"""InfluxDB over HTTP, through influxdb-client: whole batches of line protocol, and InfluxQL.

Its batching mode loses points without an exception; in SYNCHRONOUS mode a call has succeeded when it returns. Writes go
to `/api/v2/write`, or to `/write` for servers before 1.8; `/query` with InfluxQL is what every InfluxDB has.
No error here names the token, nor any header of a request.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from backend.config import ConfigError, Telemetry, wrong_influx_url
from backend.telemetry.store import StoreAway

SCHEMES = {"influxdb": "http", "influxdbs": "https"}
PORT = 8086
CONNECT_S, ANSWER_S = 5.0, 30.0
MOST_BYTES = 4 * 2**20
_BAD_REQUEST, _UNPROCESSABLE, _NOT_FOUND, _TOO_LARGE = 400, 422, 404, 413
_UNAUTHORISED = (401, 403)
_DROPPED = re.compile(r"dropped=(\d+)")
_MISSING = re.compile(r"(database|retention policy|bucket).{0,200}not found", re.DOTALL)


class NotPrepared(StoreAway):
    """The database or a retention policy of ours is not there (any more)."""


class Unsure(StoreAway):
    """A request was sent and no answer came: it may still be carried out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which server and database, and how it is written to."""

    url: str
    database: str
    org: str
    write_api: Literal["v1", "v2"]
    token: str

    @classmethod
    def of(cls, config: Telemetry) -> "Place":
        """What backend.toml says; the token is read from its file. Raises ConfigError."""
        parts = urlsplit(config.url)
        if problem := wrong_influx_url(config.url):
            raise ConfigError(f"telemetry.url: {problem}")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        url = f"{SCHEMES[parts.scheme]}://{host}:{parts.port or PORT}"
        org = parse_qs(parts.query).get("org", [""])[0]
        return cls(url, parts.path.strip("/"), org, config.write_api, _token(config))


def _token(config: Telemetry) -> str:
    if not config.token_file:
        return ""
    try:
        token = Path(config.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"telemetry.token_file: {config.token_file}: {type(error).__name__}") from None
    if not token or not token.isascii() or not token.isprintable():
        raise ConfigError(f"telemetry.token_file: {config.token_file}: one line of ASCII text expected")
    if config.write_api == "v1" and ":" not in token:
        raise ConfigError(f"telemetry.token_file: {config.token_file}: NAME:PASSWORD expected with write_api v1")
    return token


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

    def __init__(self, place: Place, timeouts: tuple[float, float] = (CONNECT_S, ANSWER_S)) -> None:
        self.place = place
        self._client = _client(place, timeouts)
        self._writer = self._client.write_api(write_options=_synchronous())
        self._errors = (HTTPError, OSError, _refusal())
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
        form = [("db", self.place.database), ("epoch", "ns"), ("q", ";".join(statements))]
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        call = partial(self._client.api_client.call_api, "/query", "POST", header_params=kind)
        try:
            body = call(post_params=form, _preload_content=False, _return_http_data_only=True).data
        except self._errors as error:
            raise self._away("query", error) from None
        return self._results(body, len(statements))

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


def _client(place: Place, timeouts: tuple[float, float]) -> Any:  # noqa: ANN401
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
