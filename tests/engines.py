"""Engines of tests: a statement is compiled once for all books of a process, else that would be most of a test's work.

SQLAlchemy finds what it compiled by the statement and the dialect, so all engines of one kind are given one dialect.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import Dialect, Engine, event

_dialects: dict[str, Dialect] = {}
_compiled: dict[Any, Any] = {}


def create_engine(*args: Any, **kwargs: Any) -> Engine:
    """As SQLAlchemy's, which it stands for in modules of the backend that open databases."""
    engine = sqlalchemy.create_engine(*args, **kwargs)
    kind, own = engine.dialect.name, engine.dialect
    engine.update_execution_options(compiled_cache=_compiled)
    engine.dialect = _dialects.get(kind, own)
    # A dialect learns what it must know of a server when it connects first.
    event.listen(engine, "first_connect", lambda *_: _dialects.setdefault(kind, own))
    return engine
