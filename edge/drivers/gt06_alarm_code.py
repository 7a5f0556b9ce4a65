"""GT06's alarms: what the codes mean, by the packets that carry them.

After Concox's protocol documents (JM-VL03, table "Alert and Language") and, for what those leave out,
traccar/traccar, protocol/Gt06ProtocolDecoder.java.
"""

from edge.drivers.gt06_body import Said

NORMAL, ACC_ON, ACC_OFF = 0x00, 0xFE, 0xFF

TERMINAL = {1: "vibration", 2: "power_cut", 3: "low_battery", 4: "sos", 6: "geofence", 7: "removing"}
"""Bits 3 to 5 of the terminal information; 5 is not used."""

ALERTS = {
    0x01: "sos",
    0x02: "power_cut",
    0x03: "vibration",
    0x04: "geofence_enter",
    0x05: "geofence_exit",
    0x06: "overspeed",
    0x09: "tow",
    0x0A: "gps_lost",
    0x0B: "gps_found",
    0x0C: "power_on",
    0x0D: "first_fix",
    0x0E: "low_power",
    0x0F: "low_power",
    0x10: "sim_changed",
    0x11: "power_off",
    0x12: "airplane_mode",
    0x13: "tampering",
    0x14: "door",
    0x15: "power_off",
    0x16: "sound",
    0x17: "rogue_cell",
    0x18: "removing",
    0x19: "low_battery",
    0x20: "deep_sleep",
    0x23: "fall_down",
    0x25: "tampering",
    0x26: "hard_acceleration",
    0x27: "hard_braking",
    0x28: "hard_braking",
    0x29: "hard_acceleration",
    0x2A: "hard_cornering",
    0x2B: "hard_cornering",
    0x2C: "accident",
    0x2E: "hard_cornering",
    0x30: "hard_braking",
    0x32: "removing",
}
"""The alert byte of alarm packets. It is low_power of the machine, low_battery of the tracker."""

LW = {**ALERTS, 0x18: "accident", 0x19: "hard_acceleration"}
"""The same on LW4G."""

CAMERA = {
    0x01: "sos",
    0x0E: "low_power",
    0x76: "temperature",
    0x80: "vibration",
    0x87: "overspeed",
    0x88: "power_cut",
    0x90: "hard_acceleration",
    0x91: "hard_braking",
    0x92: "hard_cornering",
    0x93: "accident",
}
"""Type 0x95, of dash cameras."""

MODULAR = {
    0x10: "door",
    0x12: "removing",
    0x14: "geofence_enter",
    0x15: "geofence_exit",
    0x16: "temperature",
    0x1A: "low_battery",
    0x1B: "overspeed",
    0x1C: "power_on",
    0x1D: "power_off",
    0x20: "vibration",
    0x21: "power_cut",
    0x23: "tampering",
}
"""Module 0x34 of type 0x70."""

AZ735 = {0xA2: "low_battery", 0xA3: "low_battery", 0xA4: "general", 0xA5: "door"}
"""The state of type 0x33 with a long mark; 0xA0 and 0xA1 are armed and disarmed."""


def alarm(said: Said, code: int, names: dict[int, str]) -> None:
    """An alarm of that code; of an unknown one the number is kept. Normal is none, and two codes are ACC on and off."""
    if code in (ACC_ON, ACC_OFF) and names is not CAMERA:
        said.inputs["ignition"] = code == ACC_ON
    elif code != NORMAL:
        _raise(said, names.get(code, f"code {code}"))


def terminal_alarm(said: Said, information: int) -> None:
    """The alarm in the terminal information, if there is one."""
    if (name := TERMINAL.get(information >> 3 & 0b111)) is not None:
        _raise(said, name)


def _raise(said: Said, name: str) -> None:
    """Once, where a packet says it in two places."""
    if ("alarm", name) not in said.events:
        said.events.append(("alarm", name))
