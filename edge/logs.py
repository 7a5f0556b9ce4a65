"""How the gateway logs: `--log-format`, text for people or one JSON object per line, each with the gateway's name."""

import logging
import sys
from collections.abc import Sequence
from typing import Literal

from models import logline

LogFormat = Literal["text", "json"]


class OneLine(logging.Formatter):
    """Each record as one line of text or JSON, without secrets."""

    def __init__(self, form: LogFormat, gateway: str, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._gateway = gateway
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
        return logline.as_json({**known, "message": message, "gateway": self._gateway, **fields}, trace)

    def _clean(self, text: str) -> str:
        return logline.without_secrets(text, self._secrets)


def begin(form: LogFormat, level: int, gateway: str, secrets: Sequence[str] = ()) -> None:
    """Log to standard error from now on, in this form; `secrets` are never written."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(form, gateway, secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
