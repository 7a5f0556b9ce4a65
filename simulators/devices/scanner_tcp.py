"""A scanner behind a TCP port, as a device server offers the serial line behind it: for one client at a time."""

import socket

from simulators.devices.scanner import PLAIN, READ_BYTES, WRITE_TIMEOUT_S, Framing, Scanner


class TcpScanner(Scanner):
    """One scanner. `address` is where it listens; port 0 becomes the port found."""

    def __init__(self, listen: tuple[str, int], framing: Framing = PLAIN) -> None:
        super().__init__(framing)
        self.address = listen
        self._server: socket.socket | None = None
        self._client: socket.socket | None = None

    def start(self) -> None:
        """Listens. Raises OSError when the address is taken."""
        server = socket.create_server(self.address)
        server.settimeout(0)
        with self._lock:
            self.address, self._server = server.getsockname()[:2], server

    def _pull(self) -> None:
        for each in (self._client, self._server):
            if each is not None:
                each.close()
        self._client = self._server = None

    def _connected(self) -> bool:
        """Takes whoever has connected, and says no more to a second one than that the line is closed."""
        if self._client is not None and self._has_closed(self._client):
            self._client.close()
            self._client = None
        while self._server is not None:
            try:
                client, _ = self._server.accept()
            except BlockingIOError:
                break
            client.settimeout(0)
            if self._client is None:
                self._client = client
            else:
                client.close()
        return self._client is not None

    def _has_closed(self, client: socket.socket) -> bool:
        """Drops what the client wrote, like a pty's echo."""
        try:
            while data := client.recv(READ_BYTES):
                del data
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _write(self, message: bytes) -> None:
        if self._client is not None:
            self._client.settimeout(WRITE_TIMEOUT_S)
            try:
                self._client.sendall(message)
            except OSError as error:
                msg = f"{self.address}: the listener does not read"
                raise BrokenPipeError(msg) from error
            finally:
                self._client.settimeout(0)
