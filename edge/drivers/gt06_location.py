"""GT06's packets with a place: after it come a cell, and what the type and the length say.

After Concox's protocol documents ("GPS Location Packet") and traccar/traccar, protocol/Gt06ProtocolDecoder.java.
Trackers of one type differ in how their packets end, so an end is read only where its length is one of those known;
else the place is kept and what is behind it is not guessed.
"""

from collections.abc import Callable

from edge.drivers.gt06_alarm_code import ALERTS, LW, alarm
from edge.drivers.gt06_body import Body, Said, cell, cell_4g, place, time
from edge.drivers.gt06_status import battery, gsm, information, volts

_ACC, _MILEAGE = 3, 4
_VOLTAGE_MODULE, _MILEAGE_MODULE, _ACCURACY_MODULE = 0x0027, 0x002E, 0x003B
_NT_BYTES, _HIGH_BYTES, _SENSOR_BYTES, _CARD_BYTES = 55, 19, 12, 48

Read = Callable[[Body, Said], None]


def with_place(behind: Read) -> Read:
    """A packet of time, place, and that."""

    def read(body: Body, said: Said) -> None:
        said.at = time(body)
        place(body, said)
        behind(body, said)

    return read


def nothing(_body: Body, _said: Said) -> None:
    """What is behind the place is not read."""


def mileage(body: Body, said: Said) -> None:
    """Metres, as the tracker adds them up from its positions."""
    said.meters["tracker_odometer"] = (body.number(_MILEAGE) / 1000, "km")


def acc(body: Body, said: Said) -> None:
    """ACC, why it was sent, whether it was stored: a stored one is a record like any other."""
    said.inputs["ignition"] = body.number(1) != 0
    body.take(2)


def _acc_and_mileage(body: Body, said: Said) -> None:
    """Both, ACC, or neither."""
    if body.left in (_ACC, _ACC + _MILEAGE):
        acc(body, said)
        if body.left:
            mileage(body, said)


def standard(body: Body, said: Said) -> None:
    """0x22 and 0x2D: a cell, perhaps ACC, perhaps mileage."""
    cell(body)
    _acc_and_mileage(body, said)


def standard_4g(body: Body, said: Said) -> None:
    """0xA0: the same."""
    cell_4g(body)
    _acc_and_mileage(body, said)


def high(body: Body, said: Said) -> None:
    """0x31: the same; on SL4X with a wider cell, and the height in metres at its end."""
    if body.left != _HIGH_BYTES:
        standard(body, said)
        return
    body.take(10)
    acc(body, said)
    mileage(body, said)
    said.altitude_m = float(int.from_bytes(body.take(2), signed=True))


def old(body: Body, said: Said) -> None:
    """0x12: a cell, then nothing, the mileage, or a state with sensors (S5)."""
    cell(body)
    if body.left == _MILEAGE:
        mileage(body, said)
    elif body.left == _SENSOR_BYTES:
        information(body, said)
        volts(body, said)
        gsm(body, said)
        alarm(said, body.number(1), ALERTS)
        body.take(2)
        degrees = body.number(1)
        said.signals["temperature"] = (float(-(degrees & 0x7F) if degrees & 0x80 else degrees), "Cel")
        said.meters["tracker_odometer"] = (body.number(_MILEAGE) / 100, "km")


def modules(body: Body, said: Said) -> None:
    """0x37: as 0x22, then modules of type, length and value."""
    cell(body)
    if body.left:
        acc(body, said)
    while body.left:
        module, value = body.number(2), Body(body.take(body.number(1)))
        if module == _VOLTAGE_MODULE:
            volts(value, said)
        elif module == _MILEAGE_MODULE:
            mileage(value, said)
        elif module == _ACCURACY_MODULE:
            said.accuracy_m = value.number(2) / 100


def location_22(body: Body, said: Said) -> None:
    """0x22: of NT11 to XT40 with another beginning and a state behind the place, which its length tells."""
    if body.left != _NT_BYTES:
        with_place(standard)(body, said)
        return
    body.take(9 + 6)  # where the place is from, IMEI; the time of sending
    with_place(_nt_state)(body, said)


def _nt_state(body: Body, said: Said) -> None:
    body.take(1 + 8)  # a cell and its length
    information(body, said)
    volts(body, said)
    said.signals["battery_voltage"] = (body.number(1) / 10, "V")
    gsm(body, said)
    alarm(said, body.number(1), ALERTS)
    body.take(1)
    said.meters["tracker_odometer"] = (body.number(3) / 1000, "km")
    said.meters["engine_hours"] = (body.number(3) / 60, "h")


def x1(body: Body, said: Said) -> None:
    """0x34 of X1: data and alarm, time, place, terminal information, mileage, a cell, driver, two voltages.

    The first is the machine's: 12.8 V in traccar's captured packet, where the second is 3.99 V.
    """
    body.take(4)
    with_place(nothing)(body, said)
    body.take(2)
    mileage(body, said)
    cell(body, 2, 4)
    if driver := body.number(4):
        said.events.append(("identified", str(driver)))
    volts(body, said)
    volts(body, said, "battery_voltage")


def card(body: Body, said: Said) -> None:
    """0x36 with a place (VL103): a cell, ACC, mileage, external voltage, and the card that was read."""
    with_place(nothing)(body, said)
    cell(body, 2, 4)
    acc(body, said)
    mileage(body, said)
    volts(body, said)
    body.take(1 + 3)
    said.events.append(("identified", body.take(8).hex()))


def lw4g(body: Body, said: Said) -> None:
    """0xA2 of LW4G: a 4G cell, state with external voltage, mileage, ACC-on seconds, inputs."""
    with_place(nothing)(body, said)
    cell_4g(body)
    body.take(1)
    information(body, said)
    volts(body, said)
    battery(body, said)
    gsm(body, said)
    alarm(said, body.number(1), LW)
    body.take(1)
    mileage(body, said)
    said.meters["engine_hours"] = (body.number(4) / 3600, "h")
