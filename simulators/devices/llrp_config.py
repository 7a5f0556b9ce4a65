"""The configuration of a reader: what GET_READER_CONFIG shows and SET_READER_CONFIG changes (12.1).

It outlives connections, and ROSpecs rest on parts of it. What is wired to the reader - antennas, inputs - is shown here
too, and no reset changes that.
"""

from struct import pack

from simulators.devices import llrp_facts as facts
from simulators.devices.llrp_codec import Code, Fault, Param, fields, tlv, walk
from simulators.devices.llrp_gpi import Terminals
from simulators.devices.llrp_inventory import check_antenna
from simulators.devices.llrp_rospec import ReportSpec, parse_report

ENABLED = 0x80
EVERYTHING = 0
CONFIG_ITEMS = 11
EVENT_TYPES = 9
GPI_EVENTS, ROSPEC_EVENTS, BUFFER_EVENTS, EXCEPTION_EVENTS, AISPEC_EVENTS, ANTENNA_EVENTS = 1, 2, 3, 4, 6, 8


class Config:
    """One reader's configuration."""

    def __init__(self) -> None:
        self.terminals = Terminals()
        self.connected = dict.fromkeys(range(1, facts.ANTENNAS + 1), True)
        self.reset()

    def reset(self) -> None:
        """Factory defaults."""
        self.keepalive_s = 0.0
        self.hold = False
        self.report = ReportSpec()
        self.terminals.reset()
        self._access_report = 0
        self._changes = 0
        self._events = dict.fromkeys(range(EVENT_TYPES), False)
        self._antennas = {antenna: facts.antenna_defaults() for antenna in range(1, facts.ANTENNAS + 1)}

    def tells(self, event_type: int) -> bool:
        """Whether the client asked for events of a type."""
        return self._events[event_type]

    def get(self, body: bytes) -> bytes:
        """The parameters that a GET_READER_CONFIG asks for; raises Fault."""
        antenna, item, gpi, gpo = fields("HBHH", body, "GET_READER_CONFIG")
        if antenna > facts.ANTENNAS:
            raise Fault(Code.M_FIELD_ERROR, f"AntennaID: {antenna}, this reader has {facts.ANTENNAS}", 0)
        if item > CONFIG_ITEMS:
            raise Fault(Code.M_FIELD_ERROR, f"RequestedData: {item}, expected 0-{CONFIG_ITEMS}", 1)
        antennas = [antenna] if antenna else list(self._antennas)
        items = (
            (1, facts.identification()),
            (2, b"".join(facts.antenna_properties(each, connected=self.connected[each]) for each in antennas)),
            (3, b"".join(self._antenna_configuration(each) for each in antennas)),
            (5, self._event_spec()),
            (4, self.report.encode()),
            (6, tlv(Param.ACCESS_REPORT_SPEC, bytes([self._access_report]))),
            (7, tlv(217, pack("!I", self._changes))),
            (8, tlv(Param.KEEPALIVE_SPEC, pack("!BI", self.keepalive_s > 0, round(self.keepalive_s * 1000)))),
            (9, self.terminals.inputs(gpi)),
            (10, self.terminals.outputs(gpo)),
            (11, tlv(Param.EVENTS_AND_REPORTS, bytes([ENABLED * self.hold]))),
        )
        return b"".join(value for number, value in items if item in (EVERYTHING, number))

    def _antenna_configuration(self, antenna: int) -> bytes:
        return tlv(Param.ANTENNA_CONFIGURATION, antenna.to_bytes(2, "big"), *self._antennas[antenna].values())

    def _event_spec(self) -> bytes:
        states = (tlv(Param.EVENT_STATE, pack("!HB", kind, ENABLED * on)) for kind, on in self._events.items())
        return tlv(Param.EVENT_SPEC, *states)

    def change(self, kind: int, value: bytes, *, extended: bool) -> None:
        """One parameter of a SET_READER_CONFIG; raises Fault."""
        if kind == Param.KEEPALIVE_SPEC:
            trigger, period_ms = fields("BI", value, "KeepaliveSpec")
            self.keepalive_s = period_ms / 1000 if trigger else 0.0
        elif kind == Param.EVENT_SPEC:
            states = [fields("HB", state, "EventNotificationState") for _, state in walk(value)]
            self._events.update((number, bool(on & ENABLED)) for number, on in states if number in self._events)
        elif kind == Param.RO_REPORT_SPEC:
            self.report = parse_report(value, extended=extended)
        elif kind == Param.ACCESS_REPORT_SPEC:
            (self._access_report,) = fields("B", value, "AccessReportSpec")
        elif kind == Param.EVENTS_AND_REPORTS:
            self.hold = bool(fields("B", value, "EventsAndReports")[0] & ENABLED)
        elif kind == Param.ANTENNA_CONFIGURATION:
            self._set_antenna(value, extended=extended)
        elif kind == Param.GPI_STATE:
            self.terminals.configure(value)
        elif kind == Param.GPO_WRITE:
            self.terminals.write(value)
        elif kind == Param.CUSTOM and not extended:
            raise Fault(Code.M_UNKNOWN_PARAMETER, "a custom parameter that is not known or not enabled")

    def changed(self) -> None:
        """A SET_READER_CONFIG was done: LLRPConfigurationStateValue is another."""
        self._changes += 1

    def _set_antenna(self, value: bytes, *, extended: bool) -> None:
        for _ in check_antenna(value, extended=extended):
            """Filters of the configuration are kept and shown, and do not filter: each ROSpec brings its own."""
        antenna = int.from_bytes(value[:2])
        for each in [antenna] if antenna else self._antennas:
            self._antennas[each].update((sub, tlv(sub, part)) for sub, part in walk(value[2:]))
