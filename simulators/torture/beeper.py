"""A barcode scanner whose person believes a scan only when it beeps: what beeped is on the gateway's disk, or a lie."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from random import Random
from threading import Event, Thread

from simulators.epc import gtin13

BEEP = b"\x06"
BEEP_S, ACCEPT_S, PAUSE_S = 2.0, 0.2, 0.05
GOODS = ("50001", "50002", "50003")
RECEIPT = ("]C0SY:RECEIVE", "]C0SY:LOC:desk", "", "]C0SY:CONFIRM")
"""One act; the empty one is goods, each with a lot of its own."""


class Beeper:
    """Behind a TCP port, as a device server has it. `beeped` has the data of every scan that was confirmed."""

    def __init__(self, listen: tuple[str, int], seed: int) -> None:
        self._server = socket.create_server(listen)
        self._server.settimeout(ACCEPT_S)
        self.address: tuple[str, int] = self._server.getsockname()[:2]
        self._chance = Random(f"beeper/{seed}")
        self._stop = Event()
        self._thread = Thread(target=self._run, name="beeper", daemon=True)
        self.beeped: list[str] = []
        self.scanned = 0

    def start(self) -> None:
        """Scan, whenever somebody is connected."""
        self._thread.start()

    def stop(self) -> None:
        """No more scans."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._server.close()

    def _run(self) -> None:
        lots = count(1)
        while not self._stop.is_set():
            with suppress(OSError):
                client, _ = self._server.accept()
                with client:
                    client.settimeout(BEEP_S)
                    self._serve(client, lots)

    def _serve(self, client: socket.socket, lots: "count[int]") -> None:
        """Until one scan has no answer in time: what would come later could not be told from the next one's."""
        for code in self._acts(lots):
            if self._stop.wait(PAUSE_S):
                return
            client.sendall(code.encode() + b"\r")
            self.scanned += 1
            if client.recv(1) != BEEP:
                return
            self.beeped.append(code[3:])

    def _acts(self, lots: "count[int]") -> Iterator[str]:
        """One receipt after the other."""
        while True:
            goods = f"010{gtin13(self._chance.choice(GOODS))}30{self._chance.randint(1, 40)}\x1d10T{next(lots)}"
            yield from (code or f"]C1{goods}" for code in RECEIPT)
