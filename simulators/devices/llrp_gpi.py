"""General purpose inputs and outputs: what a photo-eye or a push button at a reader's terminals does to it.

A port that the client has not enabled neither is told of nor triggers anything (12.2.6.4, GPIConfig); of an enabled
port only a change does, never a state that lasts.
"""

from dataclasses import dataclass
from struct import pack

from simulators.devices.llrp_codec import Code, Fault, Param, fields, tlv, walk

PORTS = 4
ON = 0x80
LOW, HIGH, UNKNOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class GpiTrigger:
    """GPITriggerValue (16.2.4.1.1.2): the change that triggers, and for a stop after how long without it; 0: never."""

    port: int
    on: bool
    timeout_s: float

    def fits(self, port: int, *, on: bool) -> bool:
        """Whether this change triggers."""
        return (self.port, self.on) == (port, on)


def parse_trigger(value: bytes, what: str) -> GpiTrigger:
    """The GPITriggerValue among the parameters of a trigger; raises Fault when it is missing or names no port."""
    found = [inner for kind, inner in walk(value) if kind == Param.GPI_TRIGGER]
    if not found:
        raise Fault(Code.M_MISSING_PARAMETER, f"{what}: expected a GPITriggerValue")
    port, event, timeout_ms = fields("HBI", found[0], "GPITriggerValue")
    if not 1 <= port <= PORTS:
        raise Fault(Code.M_PARAMETER_ERROR, f"GPIPortNum: {port}, expected 1-{PORTS}", 0, Code.A_OUT_OF_RANGE)
    return GpiTrigger(port, bool(event & ON), timeout_ms / 1000)


class Terminals:
    """The ports of one reader. What is wired to them outlives a reset of the configuration; whether they are on not."""

    def __init__(self) -> None:
        self._states = dict.fromkeys(range(1, PORTS + 1), UNKNOWN)
        self.reset()

    def reset(self) -> None:
        """Factory defaults: no input enabled, no output on."""
        self._enabled = dict.fromkeys(range(1, PORTS + 1), False)
        self._outputs = dict.fromkeys(range(1, PORTS + 1), False)

    def change(self, port: int, *, on: bool) -> bool:
        """An input's level. True if that is a change of an enabled port. Raises ValueError for a port there is not."""
        if port not in self._states:
            msg = f"gpi port: 1-{PORTS} expected, got {port}"
            raise ValueError(msg)
        was, self._states[port] = self._states[port], HIGH if on else LOW
        return was != self._states[port] and self._enabled[port]

    def inputs(self, port: int) -> bytes:
        """GPIPortCurrentState (16.2.6.9) of one port, or of all if 0; raises Fault."""
        return b"".join(
            tlv(Param.GPI_STATE, pack("!HBB", each, ON * self._enabled[each], self._states[each]))
            for each in _ports(port)
        )

    def outputs(self, port: int) -> bytes:
        """GPOWriteData (16.2.6.10) of one port, or of all if 0; raises Fault."""
        return b"".join(tlv(Param.GPO_WRITE, pack("!HB", each, ON * self._outputs[each])) for each in _ports(port))

    def configure(self, value: bytes) -> None:
        """Enables or disables an input by a client's GPIPortCurrentState; raises Fault."""
        port, enabled, _ = fields("HBB", value, "GPIPortCurrentState")
        for each in _ports(port, least=1):
            self._enabled[each] = bool(enabled & ON)

    def write(self, value: bytes) -> None:
        """Switches an output by a client's GPOWriteData; raises Fault."""
        port, on = fields("HB", value, "GPOWriteData")
        for each in _ports(port, least=1):
            self._outputs[each] = bool(on & ON)


def _ports(port: int, least: int = 0) -> list[int]:
    if not least <= port <= PORTS:
        raise Fault(Code.M_FIELD_ERROR, f"port: {port}, expected {least}-{PORTS}", 0, Code.A_OUT_OF_RANGE)
    return [port] if port else list(range(1, PORTS + 1))
