"""GT06's alarm packets: time, place, a cell with its length, the tracker's state with the alert in it.

After Concox's protocol documents ("Alarm Packet") and traccar/traccar, protocol/Gt06ProtocolDecoder.java. The cell's
length is unreliable: on some trackers it counts itself, on some not, and some have none. So the state, whose length
is known, is found from the packet's end; where it cannot be, the rest is kept as it came.
"""

from edge.drivers.gt06_alarm_code import ALERTS, AZ735, CAMERA, alarm
from edge.drivers.gt06_body import Body, Said, located, place, time
from edge.drivers.gt06_location import mileage
from edge.drivers.gt06_status import state, volts

_STATE, _FENCE, _MILEAGE, _CARD = 5, 1, 4, 8
_CELL, _MARKED = 8, b"\xff\xff"
_SHORT_BYTES = 6 + 1


def alert(body: Body, said: Said) -> None:
    """0x16, 0x26."""
    _alert(body, said, 0)


def fence_alert(body: Body, said: Said) -> None:
    """0x27, 0xA4: with the number of a fence behind the state."""
    _alert(body, said, _FENCE)


def _alert(body: Body, said: Said, fence: int) -> None:
    said.at = time(body)
    place(body, said)
    length = body.data[-body.left] if body.left else 0
    cells = (1 + max(_CELL, length - 1), 1 + length, 2 + max(_CELL, length), 1, _CELL)
    ends = [_STATE + fence + more for more in (0, _MILEAGE, _CARD)]
    known = next((size for size in cells if body.left - size in ends), None)
    if known is None:
        said.events.append(("information", f"unread {body.take(body.left).hex()}"))
        return
    body.take(known)
    state(body, said)
    body.take(fence)
    if body.left == _MILEAGE:
        mileage(body, said)
    elif body.left == _CARD:
        said.events.append(("identified", body.take(_CARD).hex()))


def cell_alert(body: Body, said: Said) -> None:
    """0x19, 0xA5: a cell and a state; they have neither time nor place."""
    body.take(max(0, body.left - _STATE))
    state(body, said)


def wifi_alert(body: Body, said: Said) -> None:
    """0xA9: a time, cells and access points, and at the end alert and language."""
    said.at, said.is_lost = time(body), True
    body.take(max(0, body.left - 2))
    alarm(said, body.number(1), ALERTS)


def az735(body: Body, said: Said) -> None:
    """0x32 with a long mark: time, a place or none, then cells and access points."""
    said.at = time(body)
    said.is_lost = not body.number(1)
    if not said.is_lost:
        place(body, said)


def az735_alert(body: Body, said: Said) -> None:
    """0x33 with a long mark: the same, and a state that is an alarm."""
    az735(body, said)
    if length := body.number(1):
        body.take(max(_CELL, length - 1) + 1)
    for _ in range(2):
        body.take(body.number(1))
    if (code := body.number(1)) in AZ735:
        alarm(said, code, AZ735)


def camera_alert(body: Body, said: Said) -> None:
    """0x95 of dash cameras: short, with a place, or with a mark before it (JC400)."""
    if body.left == _SHORT_BYTES:
        said.at = time(body)
        code = body.number(1)
        alarm(said, code, {**CAMERA, 0x01: "general"})
        return
    marked = body.data.startswith(_MARKED)
    if marked:
        body.take(len(_MARKED) + 1)
    said.at = time(body)
    satellites = body.number(1) & 0x0F if marked else None
    raw, status = (body.number(4), body.number(4)), body.number(2)
    located(said, raw, status, satellites=satellites, speed_kmh=body.number(2) if marked else None)
    if marked:
        volts(body, said, steps=10)
    alarm(said, body.number(1), CAMERA)
    body.take(2)
    if files := body.text(body.left):
        said.events.append(("information", f"files {files}"))
