"""How a route answers and how it is documented: msgspec bytes out, the same struct's schema into openapi.json."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.openapi.utils import get_openapi
from msgspec import UNSET, Struct, UnsetType
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from backend.api.items import Page, Problem
from models.errors import Refused
from models.reading import from_micros, micros
from models.wire import NEWEST, OLDEST

REF = "#/components/schemas/{name}"
MAX_BODY = 256 * 1024
_documented: dict[str, Any] = {}

T = TypeVar("T")


def _time(text: object) -> datetime:
    """An RFC 3339 time with a zone, of the years that the register and the readings have. Raises ValueError."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or not OLDEST <= when < NEWEST:
        msg = f"an RFC 3339 time with a zone in 1970 ... 2199 expected, got {str(text)[:40]!r}"
        raise ValueError(msg)
    return when.astimezone(UTC)


When = Annotated[datetime, BeforeValidator(_time)]


class Ask(BaseModel, frozen=True, extra="forbid"):
    """The parameters of a request; one that is not known is an error."""


class Dated(Ask, frozen=True):
    """What held at a time; default now."""

    as_of: When | None = None


class Paged(Ask, frozen=True):
    """A part of a list: above the n of the last item seen, at most so many."""

    after: int = Field(0, ge=0, lt=2**63, description="n of the last item seen; 0 for the beginning")
    limit: int = Field(1000, ge=1, le=1000, description="items at most")


def answer(body: object, status: int = 200) -> Response:
    """A struct as JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def page(
    found: Sequence[T], limit: int, cursor: object, complete_to: int | None = None, complete_from: int | None = None
) -> Response:
    """A list of at most `limit`; `cursor` points to its last item."""
    following = str(cursor) if len(found) >= limit else None
    return answer(Page(list(found), following, _told(complete_to), _told(complete_from)))


def _told(at: int | None) -> datetime | UnsetType:
    return UNSET if at is None else from_micros(at)


def documented(shape: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - a type
    """`responses=` of a route that answers this struct, or a problem."""
    return {
        status: {"content": {"application/json": {"schema": _reference(shape)}}},
        "default": {"content": {"application/problem+json": {"schema": _reference(Problem)}}},
    }


def documented_body(shape: type[Struct], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads this struct itself."""
    content = {"application/json": {"schema": _reference(shape)}}
    return {"requestBody": {"required": required, "content": content}}


def _reference(shape: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
    (reference,), components = msgspec.json.schema_components([shape], ref_template=REF)
    _documented.update(components)
    return reference


class Api(FastAPI):
    """FastAPI whose openapi.json has the routes' own parameters and every struct's schema."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = get_openapi(title=self.title, version=self.version, routes=self.routes)
            schema.setdefault("components", {}).setdefault("schemas", {}).update(_documented)
            self.openapi_schema = schema
        return self.openapi_schema


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"body: at most {MAX_BODY} bytes expected")
    return bytes(body)


Body = Annotated[bytes, Depends(_read_body)]
"""The body as it came."""


def decimal_of(field: str, text: str) -> Decimal:
    """A decimal of a body. Raises Refused naming the field."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        msg = f"{field}: a number expected, got {text!r}"
        raise Refused(msg) from error


def parse_body(text: bytes, shape: type[T]) -> T:
    """A JSON body. Raises Refused naming the field and what was expected."""
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        msg = f"body: {error}"
        raise Refused(msg) from error


def time_of(field: str, at: datetime) -> int:
    """A body's time in microseconds. Raises Refused of a year that the register and the readings do not have."""
    if not OLDEST <= at < NEWEST:
        msg = f"{field}: a time in 1970 ... 2199 expected, got {at}"
        raise Refused(msg)
    return micros(at)
