"""What a reader remembers and answers: configuration, ROSpecs, access specs. No socket, no thread, no clock.

`answer` maps one request to one response, so a test needs no connection. Access specs are held and listed but the
simulated tags have no memory to operate on: no OpSpec result is ever reported.
"""

from collections.abc import Callable
from struct import pack

from simulators.devices import llrp_facts as facts
from simulators.devices.llrp_codec import Code, Fault, Message, Param, event, fields, success, tlv, walk
from simulators.devices.llrp_rospec import ReportSpec, RoSpecs, parse_report, parse_rospec

RESPONSES = {
    Message.GET_READER_CAPABILITIES: 11,
    Message.GET_READER_CONFIG: 12,
    Message.SET_READER_CONFIG: 13,
    Message.CLOSE_CONNECTION: Message.CLOSE_CONNECTION_RESPONSE,
    **{Message(kind): kind + 10 for kind in (*range(20, 27), *range(40, 45))},
}
WITHOUT_RESPONSE = (Message.GET_REPORT, Message.ENABLE_EVENTS_AND_REPORTS, Message.KEEPALIVE_ACK)
EVENT_TYPES = 9
ROSPEC_EVENTS = 2
ACCESS_STATE_AT = 7
ENABLED = 0x80
EVERYTHING = 0
CONFIG_ITEMS = 11


class Machine:
    """The state of one reader; it outlives connections, as a reader's does."""

    def __init__(self) -> None:
        self.rospecs = RoSpecs()
        self._access: dict[int, bytes] = {}
        self._reset()

    def _reset(self) -> None:
        self.keepalive_s = 0.0
        self.hold = False
        self.report = ReportSpec()
        self._access_report = 0
        self._changes = 0
        self._events = dict.fromkeys(range(EVENT_TYPES), False)
        self._antennas = {antenna: facts.antenna_defaults() for antenna in range(1, facts.ANTENNAS + 1)}

    def active_report(self) -> ReportSpec:
        """The ROReportSpec that is in force: of the active ROSpec, else the reader's."""
        active = self.rospecs.active()
        return active.report if active and active.report else self.report

    def rospec_event(self, number: int, now_us: int, *, started: bool) -> bytes | None:
        """The body of the notification that a ROSpec started or ended, if the client asked for those."""
        if not self._events[ROSPEC_EVENTS]:
            return None
        return event(now_us, tlv(Param.ROSPEC_EVENT, pack("!BII", not started, number, 0)))

    def answer(self, kind: Message, body: bytes, now: float) -> tuple[int, bytes] | None:
        """The response's type and body, or None for what has none. Raises Fault for what is no request."""
        if kind in WITHOUT_RESPONSE:
            return None
        if kind not in RESPONSES:
            raise Fault(Code.M_UNSUPPORTED_MESSAGE, f"message type {kind.name} is not a request")
        try:
            return RESPONSES[kind], success() + self._handle(kind, body, now)
        except Fault as fault:
            return RESPONSES[kind], fault.status()

    def _handle(self, kind: Message, body: bytes, now: float) -> bytes:
        if kind is Message.ADD_ROSPEC:
            return self._add_rospec(body)
        if Message.DELETE_ROSPEC <= kind <= Message.DISABLE_ROSPEC:
            self.rospecs.command(kind, fields("I", body, "ROSpecID")[0], now)
            return b""
        if Message.DELETE_ACCESSSPEC <= kind <= Message.DISABLE_ACCESSSPEC:
            return self._command_access(kind, fields("I", body, "AccessSpecID")[0])
        others: dict[Message, Callable[[bytes], bytes]] = {
            Message.GET_READER_CAPABILITIES: _capabilities,
            Message.GET_READER_CONFIG: self._get_config,
            Message.GET_ROSPECS: lambda _: b"".join(spec.encode() for spec in self.rospecs.held()),
            Message.ADD_ACCESSSPEC: self._add_access,
            Message.GET_ACCESSSPECS: lambda _: b"".join(tlv(Param.ACCESSSPEC, spec) for spec in self._access.values()),
            Message.CLOSE_CONNECTION: lambda _: b"",
        }
        if kind is Message.SET_READER_CONFIG:
            self._set_config(body, now)
            return b""
        return others[kind](body)

    def _add_rospec(self, body: bytes) -> bytes:
        added = [value for kind, value in walk(body) if kind == Param.ROSPEC]
        if len(added) != 1:
            raise Fault(Code.M_MISSING_PARAMETER, "ADD_ROSPEC: expected one ROSpec")
        self.rospecs.add(parse_rospec(added[0]))
        return b""

    def _add_access(self, body: bytes) -> bytes:
        added = [value for kind, value in walk(body) if kind == Param.ACCESSSPEC]
        if len(added) != 1:
            raise Fault(Code.M_MISSING_PARAMETER, "ADD_ACCESSSPEC: expected one AccessSpec")
        number, _, _, state, _ = fields("IHBBI", added[0], "AccessSpec")
        if number == 0 or number in self._access:
            raise Fault(Code.M_FIELD_ERROR, f"AccessSpecID: {number} is 0 or exists", 0)
        if state & ENABLED:
            raise Fault(Code.M_FIELD_ERROR, "CurrentState: expected disabled", 3)
        if len(self._access) >= facts.MAX_ACCESSSPECS:
            raise Fault(Code.M_OVERFLOW_PARAMETER, f"AccessSpec: this reader holds {facts.MAX_ACCESSSPECS}")
        self._access[number] = added[0]
        return b""

    def _command_access(self, kind: Message, number: int) -> bytes:
        chosen = [held for held in self._access if number in (held, 0)]
        if number and not chosen:
            raise Fault(Code.M_FIELD_ERROR, f"AccessSpecID: {number} is not held", 0)
        for held in chosen:
            value = bytearray(self._access.pop(held))
            value[ACCESS_STATE_AT] = ENABLED if kind is Message.ENABLE_ACCESSSPEC else 0
            if kind is not Message.DELETE_ACCESSSPEC:
                self._access[held] = bytes(value)
        return b""

    def _get_config(self, body: bytes) -> bytes:
        antenna, item, _, _ = fields("HBHH", body, "GET_READER_CONFIG")
        if antenna > facts.ANTENNAS:
            raise Fault(Code.M_FIELD_ERROR, f"AntennaID: {antenna}, this reader has {facts.ANTENNAS}", 0)
        if item > CONFIG_ITEMS:
            raise Fault(Code.M_FIELD_ERROR, f"RequestedData: {item}, expected 0-{CONFIG_ITEMS}", 1)
        antennas = [antenna] if antenna else list(self._antennas)
        items = (
            (1, facts.identification()),
            (2, b"".join(facts.antenna_properties(each) for each in antennas)),
            (3, b"".join(self._antenna_configuration(each) for each in antennas)),
            (5, self._event_spec()),
            (4, self.report.encode()),
            (6, tlv(Param.ACCESS_REPORT_SPEC, bytes([self._access_report]))),
            (7, tlv(217, pack("!I", self._changes))),
            (8, tlv(Param.KEEPALIVE_SPEC, pack("!BI", self.keepalive_s > 0, round(self.keepalive_s * 1000)))),
            (11, tlv(Param.EVENTS_AND_REPORTS, bytes([ENABLED * self.hold]))),
        )
        return b"".join(value for number, value in items if item in (EVERYTHING, number))

    def _antenna_configuration(self, antenna: int) -> bytes:
        return tlv(Param.ANTENNA_CONFIGURATION, antenna.to_bytes(2, "big"), *self._antennas[antenna].values())

    def _event_spec(self) -> bytes:
        states = (tlv(Param.EVENT_STATE, pack("!HB", kind, ENABLED * on)) for kind, on in self._events.items())
        return tlv(Param.EVENT_SPEC, *states)

    def _set_config(self, body: bytes, now: float) -> None:
        (flags,) = fields("B", body, "SET_READER_CONFIG")
        asked = list(walk(body[1:]))
        if flags & ENABLED:
            self.rospecs.command(Message.DELETE_ROSPEC, 0, now)
            self._access.clear()
            self._reset()
        for kind, value in asked:
            self._set_item(kind, value)
        self._changes += 1

    def _set_item(self, kind: int, value: bytes) -> None:
        if kind == Param.KEEPALIVE_SPEC:
            trigger, period_ms = fields("BI", value, "KeepaliveSpec")
            self.keepalive_s = period_ms / 1000 if trigger else 0.0
        elif kind == Param.EVENT_SPEC:
            states = [fields("HB", state, "EventNotificationState") for _, state in walk(value)]
            self._events.update((number, bool(on & ENABLED)) for number, on in states if number in self._events)
        elif kind == Param.RO_REPORT_SPEC:
            self.report = parse_report(value)
        elif kind == Param.ACCESS_REPORT_SPEC:
            (self._access_report,) = fields("B", value, "AccessReportSpec")
        elif kind == Param.EVENTS_AND_REPORTS:
            self.hold = bool(fields("B", value, "EventsAndReports")[0] & ENABLED)
        elif kind == Param.ANTENNA_CONFIGURATION:
            self._set_antenna(value)

    def _set_antenna(self, value: bytes) -> None:
        (antenna,) = fields("H", value, "AntennaConfiguration")
        if antenna > facts.ANTENNAS:
            raise Fault(Code.M_FIELD_ERROR, f"AntennaID: {antenna}, this reader has {facts.ANTENNAS}", 0)
        for each in [antenna] if antenna else self._antennas:
            self._antennas[each].update((sub, tlv(sub, part)) for sub, part in walk(value[2:]))


def _capabilities(body: bytes) -> bytes:
    (item,) = fields("B", body, "GET_READER_CAPABILITIES")
    if item and item not in facts.CAPABILITIES:
        raise Fault(Code.M_FIELD_ERROR, f"RequestedData: {item}, expected 0-{len(facts.CAPABILITIES)}", 0)
    return b"".join(make() for number, make in facts.CAPABILITIES.items() if item in (EVERYTHING, number))
