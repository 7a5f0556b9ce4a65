"""One POST after the other to one receiver over a connection that is kept; no redirect is followed."""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
MOST_ANSWER = 64 * 1024


class Receiver:
    """A URL that things are posted to. Not for more than one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._connection: HTTPConnection | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises OSError or HTTPException where there is none."""
        if self._connection is not None:
            try:
                return self._post(self._connection, body, headers)
            except (OSError, HTTPException):  # it may have ended long ago: once more, on a new one
                self.close()
        self._connection = self._open()
        try:
            return self._post(self._connection, body, headers)
        except (OSError, HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self) -> HTTPConnection:
        if self._context is None:
            return HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=self._context)

    def _post(self, connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> int:
        connection.request("POST", self._path, body, dict(headers))
        response = connection.getresponse()
        if len(response.read(MOST_ANSWER)) == MOST_ANSWER:
            self.close()
        return response.status
