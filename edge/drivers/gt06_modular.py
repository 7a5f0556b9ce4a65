"""GT06's type 0x70 (VL502 and others): modules of type, length and value, in any number and order.

After traccar/traccar, protocol/Gt06ProtocolDecoder.java, MSG_GPS_MODULAR. The time is Unix time, so always UTC.
"""

from edge.drivers.gt06_alarm_code import MODULAR, alarm
from edge.drivers.gt06_body import Body, Said, located
from edge.drivers.gt06_location import mileage
from edge.drivers.gt06_status import volts
from models.reading import from_micros


def modular(body: Body, said: Said) -> None:
    """All modules; those without a meaning here are passed over."""
    said.is_utc = True
    while body.left:
        module, value = body.number(2), Body(body.take(body.number(2)))
        if value.left and (read := _MODULES.get(module)) is not None:
            read(value, said)


def _time(body: Body, said: Said) -> None:
    """Of sending; a place has its own."""
    if said.at is None:
        said.at = from_micros(body.number(4) * 1_000_000)


def _hdop(body: Body, said: Said) -> None:
    said.hdop = body.number(1) / 10


def _battery(body: Body, said: Said) -> None:
    volts(body, said, "battery_voltage")


def _door(body: Body, said: Said) -> None:
    said.inputs["door"] = bool(body.number(1) & 0x0F)


def _mileage(body: Body, said: Said) -> None:
    """Big-endian: so read it rises over the two packets of one tracker in traccar's test, by 412 m in 21 days."""
    mileage(body, said)


def _event(body: Body, said: Said) -> None:
    if (code := body.number(1)) in MODULAR:
        alarm(said, code, MODULAR)


def _sim(body: Body, said: Said) -> None:
    said.events.append(("information", f"iccid {body.take(body.left).hex().rstrip('f')}"))


def _place(body: Body, said: Said) -> None:
    said.at = from_micros(body.number(4) * 1_000_000)
    satellites, altitude = body.number(1), int.from_bytes(body.take(2), signed=True)
    raw, speed, status = (body.number(4), body.number(4)), body.number(1), body.number(2)
    located(said, raw, status, satellites=satellites, speed_kmh=speed)
    said.altitude_m = float(altitude)


_MODULES = {
    0x03: _sim,
    0x18: _battery,
    0x28: _hdop,
    0x2A: _door,
    0x2C: _time,
    0x2E: _mileage,
    0x33: _place,
    0x34: _event,
}
