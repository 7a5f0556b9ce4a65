"""A site's TOML to the register: `stockyard apply SITE.toml`. Idempotent; all of it holds or, at any error, none.

Every table is [KIND."ID"] with the fields of that kind in models/declared.py and, in any of them, `valid_from`.
"""

import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine

from backend.book import references, register
from backend.book.db import write
from backend.book.sealed import Sealed
from backend.config import ConfigError
from models import modules
from models.declared import KINDS
from models.errors import Refused
from models.reading import from_micros, micros

DEFAULT_FROM = datetime(2020, 1, 1, tzinfo=UTC)
OLDEST, NEWEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one declaration. `until`: from when an entry already in the book holds instead of it."""

    kind: str
    id: str
    outcome: Literal["created", "changed", "same"]
    valid_from: int
    until: int | None = None

    def __str__(self) -> str:
        until = f" until {from_micros(self.until):%Y-%m-%d %H:%M}" if self.until is not None else ""
        return f"{self.kind}.{self.id}: {self.outcome}, from {from_micros(self.valid_from):%Y-%m-%d %H:%M}{until}"


@dataclass(frozen=True, slots=True)
class _Declared:
    kind: str
    id: str
    valid_from: int
    body: Struct
    is_dated: bool


def apply(engine: Engine, path: Path, now: int, actor: str, on: Collection[str] = modules.BOTH) -> list[Change]:
    """Declare everything in a site file, in one transaction. Raises ConfigError listing every problem found."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from error
    declared, problems = _read(raw)
    _refuse(path, problems or [*_of_modules_off(declared, on)])
    with write(engine) as tx:
        return _apply(tx, path, declared, now, actor)


def _of_modules_off(declared: list[_Declared], on: Collection[str]) -> Iterator[str]:
    for entry in declared:
        try:
            modules.check(entry.kind, entry.id, entry.body, on)
        except Refused as error:
            yield str(error)


def _apply(tx: Connection, path: Path, declared: list[_Declared], now: int, actor: str) -> list[Change]:
    outcomes: list[tuple[_Declared, int, register.Outcome]] = []
    problems: list[str] = []
    for entry in declared:
        try:
            outcomes.append((entry, *_put(tx, entry, now, actor)))
        except Refused as error:
            problems.append(f"{entry.kind}.{entry.id}: {error}" if isinstance(error, Sealed) else str(error))
    _refuse(path, problems)
    loaded = register.load(tx)
    for at in sorted({now, *(since for _, since, _ in outcomes)}):
        problems += references.problems(loaded, at)
    _refuse(path, problems)
    return [
        Change(entry.kind, entry.id, outcome, since, _next(loaded.changes(entry.kind, entry.id), since))
        for entry, since, outcome in outcomes
    ]


def _put(tx: Connection, entry: _Declared, now: int, actor: str) -> tuple[int, register.Outcome]:
    """Since when it holds, and what became of it: what is not dated holds from the seal on, where there is one."""
    stamp = {"valid_from": entry.valid_from, "now": now}
    try:
        return entry.valid_from, register.put(tx, entry.kind, entry.id, entry.body, actor=actor, **stamp)
    except Sealed as sealed:
        if entry.is_dated:
            raise
        stamp["valid_from"] = sealed.since
        return sealed.since, register.put(tx, entry.kind, entry.id, entry.body, actor=actor, **stamp)


def _next(changes: list[int], since: int) -> int | None:
    return min((at for at in changes if at > since), default=None)


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in dict.fromkeys(problems)))


def _read(raw: dict[str, Any]) -> tuple[list[_Declared], list[str]]:
    """The declarations in the order of KINDS, so that what is named comes before what names it; and every problem."""
    declared: list[_Declared] = []
    problems = [f"unknown table {kind!r}{_hint(kind, list(KINDS))}" for kind in raw if kind not in KINDS]
    for kind in KINDS:
        if (tables := _table(raw.get(kind, {}))) is None:
            problems.append(f'{kind}: tables [{kind}."ID"] expected')
            continue
        for ident, table in tables.items():
            try:
                declared.append(_declared(kind, ident, table))
            except ValueError as error:
                problems.append(f"{kind}.{ident}: {error}")
    return declared, problems


def _declared(kind: str, ident: str, table: object) -> _Declared:
    """One declaration. Raises ValueError naming the field."""
    if (found := _table(table)) is None:
        msg = "a table expected"
        raise ValueError(msg)
    fields = dict(found)
    is_dated = "valid_from" in fields
    valid_from = _time(fields.pop("valid_from", DEFAULT_FROM))
    for problem in _unknown(fields, KINDS[kind], ""):
        raise ValueError(problem)
    return _Declared(kind, ident, valid_from, msgspec.convert(fields, KINDS[kind]), is_dated)


def _table(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _time(value: object) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime) or value.tzinfo is None or not OLDEST <= value < NEWEST:
        msg = f"valid_from: a date, or a time with its offset, of 1970 to 2199 expected, got {value}"
        raise ValueError(msg)
    return micros(value)


def _unknown(fields: dict[str, Any], struct: type[Struct], where: str) -> Iterator[str]:
    known = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in fields.items():
        if key not in known:
            names = list(known) if where else [*known, "valid_from"]
            yield f"unknown key {where + key!r}{_hint(key, names)}"
        elif (inner := _struct_in(known[key])) is not None:
            for table in filter(None, map(_table, _parts(known[key], value))):
                yield from _unknown(table, inner, f"{where}{key}.")


def _parts(hint: Any, value: object) -> list[object]:  # noqa: ANN401 - as `_struct_in`
    """What has the fields of a struct: the value itself, each of a list, or whatever names stand before in a table."""
    if get_origin(hint) is dict and (named := _table(value)) is not None:
        return [*named.values()]
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _struct_in(hint: Any) -> type[Struct] | None:  # noqa: ANN401 - a type annotation is of any type
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next((found for arg in get_args(hint) if (found := _struct_in(arg)) is not None), None)


def _hint(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
