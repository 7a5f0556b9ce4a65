"""Every error as RFC 9457 problem details with a stable `type`; nothing else leaves the API."""

import logging
from collections.abc import Iterable

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backend.api.items import Fault, Problem
from backend.telemetry.store import StoreAway
from models.errors import Clash, NotFound, Refused

log = logging.getLogger(__name__)
TYPE = "urn:stockyard:problem:"
_NAMES = {404: "not-found", 405: "method-not-allowed", 409: "clash", 413: "too-large", 403: "other-origin"}
_TITLES = {
    "invalid": "Not as expected",
    "refused": "Refused",
    "not-found": "No such thing",
    "clash": "The id exists with other content",
    "method-not-allowed": "Not a method of this path",
    "too-large": "Too large",
    "other-origin": "Asked by a page of another origin",
    "unknown-host": "Not a name of this host",
    "busy": "Too many at once",
    "unavailable": "A store cannot be reached",
    "internal": "A fault of the backend",
}


def problem(name: str, status: int, detail: str | None = None, errors: Iterable[Fault] = ()) -> Response:
    """The response that says what is wrong."""
    body = Problem(TYPE + name, _TITLES[name], status, detail, list(errors))
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")


def add_handlers(app: FastAPI) -> None:
    """Turn every error that a route can end in into problem details."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _unfit)
    app.add_exception_handler(OperationalError, _unavailable)
    app.add_exception_handler(StoreAway, _unavailable)
    app.add_exception_handler(Exception, _internal)


def _refused(_request: Request, error: Exception) -> Response:
    if isinstance(error, NotFound):
        return problem("not-found", 404, str(error))
    if isinstance(error, Clash):
        return problem("clash", 409, str(error))
    return problem("refused", 400, str(error))


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it only
    faults = [Fault(".".join(str(part) for part in one["loc"][1:]), str(one["msg"])) for one in error.errors()]
    detail = "; ".join(f"{fault.field}: {fault.expected}" for fault in faults)
    return problem("invalid", 400, detail, faults)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it only
    return problem(_NAMES.get(error.status_code, "refused"), error.status_code, error.detail)


def _unfit(request: Request, error: Exception) -> Response:
    """PostgreSQL holds no NUL, and no text or number beyond its column's bounds."""
    said = error.orig if isinstance(error, DataError) else error
    log.warning("%s %s: the database takes no such value: %s", request.method, request.url.path, said)
    return problem("refused", 400, "texts without NUL, and texts and numbers of bounded length expected")


def _unavailable(_request: Request, _error: Exception) -> Response:
    return problem("unavailable", 503, "try again shortly; `stockyard doctor` names the next step")


def _internal(_request: Request, _error: Exception) -> Response:
    return problem("internal", 500, "the backend's log has the trace")
