"""GPS receivers that speak NMEA 0183: on a serial port, behind a TCP server, or by UDP.

Their fixes are facts as they came: nothing is smoothed or judged here. A receiver is this gateway's own device, so it
has the device's name, not a tracker's.
"""

import time
from threading import Event
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.driver import BadFrame, DeviceLost, Health, Put
from edge.drivers.fix_pace import Pace
from edge.drivers.nmea_epoch import Epochs
from edge.drivers.nmea_sentence import parse
from edge.drivers.nmea_source import Lines, Receive, opened, where
from models.reading import Fix, from_micros
from models.wire import Reply

QUIET_S = 0.2
"""A receiver says all of one time in one burst, and rests: when it does, the fix is complete."""
_PROBE_S = 5.0


class NmeaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "nmea"."""

    source: str
    """serial:///dev/NAME?baudrate=N (4800 if not said), tcp://HOST:PORT to connect to, udp://HOST:PORT to listen on."""
    checksum: Literal["required", "optional"] = "required"
    """Whether a sentence without a checksum is bad; a wrong one always is."""
    every_s: Annotated[float, Meta(ge=0, le=86_400)] = 1.0
    """The shortest time between two fixes; a change between fix and no fix is told at once. 0: every fix."""
    silent_s: Annotated[float, Meta(ge=1, le=86_400)] = 30.0
    """A receiver that says nothing for so long is lost; above its longest interval."""

    def __post_init__(self) -> None:
        where(self.source)


class NmeaDriver:
    """One receiver."""

    def __init__(self, device: str, settings: NmeaSettings) -> None:
        self._settings = settings
        self._where = where(settings.source)
        self._epochs = Epochs(device)
        self._pace = Pace(settings.every_s)

    def run(self, put: Put, health: Health, stop: Event) -> None:
        """Read until stop. Raises DeviceLost when the source dies, or says no sentence for silent_s."""
        with opened(self._where) as receive:
            try:
                self._read(receive, put, health, stop)
            finally:
                self._tell(self._epochs.pause(), put)

    def _read(self, receive: Receive, put: Put, health: Health, stop: Event) -> None:
        lines, is_told = Lines(), False
        heard = spoke = time.monotonic()
        while not stop.is_set():
            data = receive()
            now = time.monotonic()
            if data:
                heard = now
            elif now - heard >= QUIET_S:
                self._tell(self._epochs.pause(), put)
            if data and self._take(lines.feed(data), put, health):
                spoke = now
                if not is_told:
                    health.reading()
                    is_told = True
            if now - spoke >= self._settings.silent_s:
                what = "bytes but no sentence (is the baud rate right?)" if heard > spoke else "nothing"
                msg = f"{what} for {self._settings.silent_s:g} s"
                raise DeviceLost(msg)

    def reply(self, reply: Reply) -> None:
        """A receiver has no person before it."""

    def probe(self) -> str:
        """Open the source and wait for a sentence. Raises DeviceLost."""
        until = time.monotonic() + _PROBE_S
        lines, why = Lines(), "nothing is said"
        with opened(self._where) as receive:
            while time.monotonic() < until:
                for line in lines.feed(receive()):
                    try:
                        if isinstance(line, BadFrame):
                            raise line
                        parse(line, checksum=self._settings.checksum == "required")
                    except BadFrame as error:
                        why = str(error)
                    else:
                        return f"a receiver speaks NMEA at {self._settings.source}"
        msg = f"{self._settings.source}: no NMEA sentence within {_PROBE_S:g} s: {why}"
        raise DeviceLost(msg)

    def _take(self, lines: list[bytes | BadFrame], put: Put, health: Health) -> bool:
        """Whether any of them is a sentence."""
        received_at = from_micros(time.time_ns() // 1000)
        is_any = False
        for line in lines:
            try:
                if isinstance(line, BadFrame):
                    raise line
                said = parse(line, checksum=self._settings.checksum == "required")
            except BadFrame as error:
                health.bad_frame(str(error))
                continue
            is_any = True
            if said is not None:
                self._tell(self._epochs.take(said, received_at), put)
        return is_any

    def _tell(self, fix: Fix | None, put: Put) -> None:
        if fix is not None and self._pace.tells(fix):
            put([fix])
