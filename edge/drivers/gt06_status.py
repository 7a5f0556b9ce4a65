"""GT06's state of a tracker: terminal information, battery, signal, alarm. Alone in heartbeats, behind others' places.

After Concox's protocol documents ("Heartbeat Packet", "Alarm Packet") and traccar/traccar,
protocol/Gt06ProtocolDecoder.java. A heartbeat has no time of its own: it says how things are now.
"""

from edge.drivers.gt06_alarm_code import ALERTS, alarm, terminal_alarm
from edge.drivers.gt06_body import Body, Said

_ACC, _CHARGING, _CUT_OFF = 1 << 1, 1 << 2, 1 << 7
_MOST_LEVEL, _MOST_PERCENT = 6, 100
_VOLTAGE, _LEVEL = 0x0018, 0x006A
_STATE_BYTES = 5


def information(body: Body, said: Said) -> None:
    """The terminal information: ACC, whether it is charged, whether fuel and power are cut off, an alarm."""
    bits = body.number(1)
    said.inputs["ignition"] = bool(bits & _ACC)
    said.inputs["charging"] = bool(bits & _CHARGING)
    said.inputs["immobilised"] = bool(bits & _CUT_OFF)
    terminal_alarm(said, bits)


def battery(body: Body, said: Said) -> None:
    """The tracker's own battery: 0 ... 6 are sixths, up to 100 per cent; anything else is none."""
    level = body.number(1)
    if level <= _MOST_LEVEL:
        said.signals["battery_level"] = (level * 100 / _MOST_LEVEL, "%")
    elif level <= _MOST_PERCENT:
        said.signals["battery_level"] = (float(level), "%")


def volts(body: Body, said: Said, name: str = "external_voltage", steps: int = 100) -> None:
    """Two bytes of 1/100 V."""
    said.signals[name] = (body.number(2) / steps, "V")


def gsm(body: Body, said: Said) -> None:
    """The modem's own figure, 0 ... 4 on most."""
    said.signals["gsm_signal"] = (float(body.number(1)), "1")


def state(body: Body, said: Said) -> None:
    """Terminal information, battery, signal, alert, language: 5 bytes."""
    information(body, said)
    battery(body, said)
    gsm(body, said)
    alarm(said, body.number(1), ALERTS)
    body.take(1)


def heartbeat(body: Body, said: Said) -> None:
    """0x13. Longer ones have their own middle; of theirs only the information is read."""
    known = body.left <= _STATE_BYTES
    information(body, said)
    if known:
        battery(body, said)
        gsm(body, said)
        if body.left:
            alarm(said, body.number(1), ALERTS)


def heartbeat_with_volts(body: Body, said: Said) -> None:
    """0x13 of trackers that have the external voltage, in whole volts, where others have the alert."""
    information(body, said)
    battery(body, said)
    gsm(body, said)
    said.signals["external_voltage"] = (float(body.number(1)), "V")


def battery_heartbeat(body: Body, said: Said) -> None:
    """0x23: terminal information, battery in 1/100 V, signal."""
    information(body, said)
    if body.left > 1:
        volts(body, said, "battery_voltage")
    if body.left:
        gsm(body, said)


def modular_heartbeat(body: Body, said: Said) -> None:
    """0x36: a state, then modules of type, length and value."""
    state(body, said)
    while body.left:
        module, value = body.number(2), Body(body.take(body.number(1)))
        if module == _VOLTAGE:
            volts(value, said, "battery_voltage")
        elif module == _LEVEL:
            said.signals["battery_level"] = (float(value.number(1)), "%")


def steps(body: Body, said: Said) -> None:
    """0xA3 of GL21L: a state whose bytes 9 to 12 count steps."""
    body.take(9)
    said.signals["steps"] = (float(body.number(4)), "1")
