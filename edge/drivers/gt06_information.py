"""GT06's packets that carry something else than a place: texts, serial ports, doors, sensors, OBD.

After Concox's protocol documents ("Information Transfer Packet", "Online Command") and traccar/traccar,
protocol/Gt06ProtocolDecoder.java. Only what has a documented unit becomes a value; texts are kept as texts.
"""

import re

from edge.drivers.gt06_body import Body, Said, time, time_bcd
from edge.drivers.gt06_status import volts

_ASCII = 1
_VOLTAGE, _STATUS, _DOOR, _SIM, _NETWORK, _FUEL, _RFID = 0x00, 0x04, 0x05, 0x0A, 0x0B, 0x0D, 0x1B
_CLIMATE = 0x1E
_FLAG_BYTES, _TIME_BYTES, _OBD_END = 4, 6, 12
_PROBE = re.compile(r"!AIOIL,\d{1,4},\d{1,6}\.\d{1,4},(\d{1,4}\.\d{1,4}),")
_OBD = {0x2D: ("coolant_temperature", 100, "Cel"), 0x36: ("engine_speed", 100, "/min")}


def text(body: Body, said: Said) -> None:
    """0x15: what a tracker answers to a command, behind its length and a flag of the server's."""
    if size := body.number(1):
        body.take(_FLAG_BYTES)
        _told(said, "answer", body.text(max(0, size - _FLAG_BYTES)))


def long_text(body: Body, said: Said) -> None:
    """0x21: the same, in ASCII or UTF-16."""
    body.take(_FLAG_BYTES)
    if body.number(1) == _ASCII:
        _told(said, "answer", body.text(body.left))
    else:
        _told(said, "answer", _clean(body.take(body.left).decode("utf-16-be", "replace")))


def serial_port(body: Body, said: Said) -> None:
    """0x9B: the kind of what is at the serial port, and what that said; hex where it is no text."""
    body.take(1)
    raw = body.take(body.left)
    printable = all(32 <= byte < 127 or byte in b"\r\n\t" for byte in raw)  # noqa: PLR2004 - ASCII
    _told(said, "serial", Body(raw).text(len(raw)) if printable else raw.hex())


def power(body: Body, said: Said) -> None:
    """0x94 with a short mark: the external voltage."""
    volts(body, said)


def transfer(body: Body, said: Said) -> None:
    """0x94 with a long mark: a kind, and what that kind says."""
    kind = body.number(1)
    if kind == _VOLTAGE or (kind == _NETWORK and body.left == 2):  # noqa: PLR2004 - as many as a voltage has
        volts(body, said)
    elif kind == _STATUS:
        _told(said, "status", body.text(body.left))
    elif kind == _DOOR:
        said.at = time(body) if body.left > _TIME_BYTES else None
        said.inputs["door"] = bool(body.number(1) & 1)
    elif kind == _SIM:
        body.take(8 + 8)
        _told(said, "iccid", body.take(10).hex().rstrip("f"))
    elif kind == _FUEL:
        _fuel(body, said)
    elif kind == _RFID:
        _rfid(body, said)
    elif kind == _CLIMATE:
        for name, unit in (("temperature", "Cel"), ("humidity", "%")):
            said.signals[name] = (int.from_bytes(body.take(4), signed=True) / 10, unit)
    else:
        _told(said, f"kind {kind:#04x}", body.take(body.left).hex())


def _fuel(body: Body, said: Said) -> None:
    """An ultrasonic fuel probe's line. Of its figures only the temperature has a known unit: the line is kept too."""
    if not body.data[1:].startswith(b"!"):
        said.at = time(body)
    line = body.text(body.left)
    _told(said, "serial", line)
    if (found := _PROBE.match(line)) is not None:
        said.signals["fuel_temperature"] = (float(found[1]), "Cel")


def _rfid(body: Body, said: Said) -> None:
    if body.data[1:2].isalpha():
        _told(said, "serial", body.text(body.left))
    else:
        body.take(2)
        said.events.append(("identified", body.take(4).hex()))


def obd(body: Body, said: Said) -> None:
    """0x8C of FM08ABC: time, ACC, lines of hexadecimal `id=value`, a position that is not read."""
    said.at = time(body)
    said.inputs["ignition"] = body.number(1) != 0
    for pair in body.text(max(0, body.left - _OBD_END)).split(","):
        found = re.fullmatch(r"([0-9A-Fa-f]{2})\w?=([0-9A-Fa-f]{1,8})", pair)
        if found and (meaning := _OBD.get(int(found[1], 16))) is not None:
            name, steps, unit = meaning
            said.signals[name] = (int(found[2], 16) / steps, unit)


def network(body: Body, said: Said) -> None:
    """Cells or access points and a time, but no place: 0x18, 0x24, 0x28, 0x2C, 0x2E, 0xA1, 0xF3."""
    said.at, said.is_lost = time(body), True


def access_points(body: Body, said: Said) -> None:
    """0x17, 0x69: the same, the time in BCD."""
    said.at, said.is_lost = time_bcd(body), True


def peripheral(body: Body, said: Said) -> None:
    """0xF2 of VL842: what is paired with the tracker by Bluetooth said; seconds since 1970, then modules."""
    body.take(4)
    _told(said, "peripheral", body.take(body.left).hex())


def _told(said: Said, what: str, words: str) -> None:
    said.events.append(("information", f"{what} {words}"[:1024]))


def _clean(words: str) -> str:
    return "".join(each if each.isprintable() else " " for each in words).strip()
