"""How the backend logs: `[backend] log` or `--log-format`, text for people or one JSON object per line."""

import logging
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

from models import logline

LogFormat = Literal["text", "json"]


class OneLine(logging.Formatter):
    """Each record as one line of text or JSON, without secrets."""

    def __init__(self, form: LogFormat, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._form = form
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; a traceback follows as marked lines, or is a field."""
        message = self._clean(record.getMessage())
        trace = self._clean(self.formatException(record.exc_info)) if record.exc_info else ""
        fields = {name: record.__dict__[name] for name in logline.FIELDS if name in record.__dict__}
        fields = {name: self._clean(value) if isinstance(value, str) else value for name, value in fields.items()}
        time = logline.moment(record.created)
        if self._form == "text":
            return logline.as_text(f"{time} {record.levelname} {record.name}", message, fields, trace)
        known = {"time": time, "level": record.levelname, "logger": record.name, "worker": record.threadName}
        return logline.as_json({**known, "message": message, **fields}, trace)

    def _clean(self, text: str) -> str:
        return logline.without_secrets(text, self._secrets)


def begin(form: LogFormat, secrets: Sequence[str] = (), stream: TextIO | None = None) -> None:
    """Log to standard error from now on, in this form; `secrets` are never written."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine(form, secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
