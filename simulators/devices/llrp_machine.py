"""What a reader remembers and answers: configuration, ROSpecs, access specs. No socket, no thread, no clock.

`answer` maps one request to one response, so a test needs no connection. Access specs are held and listed but the
simulated tags have no memory to operate on: no OpSpec result is ever reported.
"""

from collections.abc import Callable
from struct import pack

from simulators.devices import llrp_facts as facts
from simulators.devices import llrp_impinj as impinj
from simulators.devices.llrp_codec import Code, Fault, Message, Param, event, fields, success, tlv, walk
from simulators.devices.llrp_config import AISPEC_EVENTS, ENABLED, ROSPEC_EVENTS, Config
from simulators.devices.llrp_lifecycle import RoSpecs, Told
from simulators.devices.llrp_rospec import ReportSpec, parse_rospec

RESPONSES = {
    Message.GET_READER_CAPABILITIES: 11,
    Message.GET_READER_CONFIG: 12,
    Message.SET_READER_CONFIG: 13,
    Message.CLOSE_CONNECTION: Message.CLOSE_CONNECTION_RESPONSE,
    **{Message(kind): kind + 10 for kind in (*range(20, 27), *range(40, 45))},
}
WITHOUT_RESPONSE = (Message.GET_REPORT, Message.ENABLE_EVENTS_AND_REPORTS, Message.KEEPALIVE_ACK)
ACCESS_STATE_AT = 7
EVERYTHING = 0


class Machine:
    """The state of one reader; it outlives connections, as a reader's does. `is_impinj`: it has that vendor's parts."""

    def __init__(self, *, is_impinj: bool = False) -> None:
        self.rospecs = RoSpecs()
        self.config = Config()
        self._capabilities = facts.capabilities(is_impinj=is_impinj)
        self._is_impinj = is_impinj
        self._extended = False
        self._access: dict[int, bytes] = {}

    def connected(self) -> None:
        """A new client: the vendor's extensions are to be enabled again."""
        self._extended = False

    def rebooted(self) -> "Machine":
        """The same reader after a loss of power: nothing is left but what is wired to it."""
        fresh = Machine(is_impinj=self._is_impinj)
        fresh.config.connected, fresh.config.terminals = self.config.connected, self.config.terminals
        fresh.config.reset()
        return fresh

    def report(self) -> ReportSpec:
        """The ROReportSpec that is in force: of the active ROSpec, else the reader's."""
        active = self.rospecs.active()
        return active.report if active and active.report else self.config.report

    def event_of(self, what: tuple[Told, int, int], now_us: int) -> bytes | None:
        """The body of the notification that a ROSpec or AISpec started or ended, if the client asked for those."""
        told, number, spec_index = what
        if told is Told.END_OF_AISPEC:
            detail = tlv(Param.AISPEC_EVENT, pack("!BIH", 0, number, spec_index))
            return event(now_us, detail) if self.config.tells(AISPEC_EVENTS) else None
        detail = tlv(Param.ROSPEC_EVENT, pack("!BII", told, number, 0))
        return event(now_us, detail) if self.config.tells(ROSPEC_EVENTS) else None

    def answer(self, kind: Message, body: bytes, now: float) -> tuple[int, bytes] | None:
        """The response's type and body, or None for what has none. Raises Fault for what is no request."""
        if kind in WITHOUT_RESPONSE:
            return None
        if kind is Message.CUSTOM_MESSAGE:
            return self._answer_custom(body)
        if kind not in RESPONSES:
            raise Fault(Code.M_UNSUPPORTED_MESSAGE, f"message type {kind.name} is not a request")
        try:
            return RESPONSES[kind], success() + self._handle(kind, body, now)
        except Fault as fault:
            return RESPONSES[kind], fault.status()

    def _answer_custom(self, body: bytes) -> tuple[int, bytes]:
        """The vendor is four bytes, the subtype of a message, unlike that of a parameter, one."""
        vendor, subtype = fields("IB", body, "CUSTOM_MESSAGE")
        if not self._is_impinj or (vendor, subtype) != (impinj.VENDOR, impinj.ENABLE_EXTENSIONS):
            raise Fault(Code.M_UNSUPPORTED_MESSAGE, f"custom message {subtype} of vendor {vendor} is not known")
        self._extended = True
        return Message.CUSTOM_MESSAGE, pack("!IB", impinj.VENDOR, impinj.ENABLED) + success()

    def _handle(self, kind: Message, body: bytes, now: float) -> bytes:
        if kind is Message.ADD_ROSPEC:
            return self._add_rospec(body)
        if Message.DELETE_ROSPEC <= kind <= Message.DISABLE_ROSPEC:
            self.rospecs.command(kind, fields("I", body, "ROSpecID")[0], now)
            return b""
        if Message.DELETE_ACCESSSPEC <= kind <= Message.DISABLE_ACCESSSPEC:
            return self._command_access(kind, fields("I", body, "AccessSpecID")[0])
        others: dict[Message, Callable[[bytes], bytes]] = {
            Message.GET_READER_CAPABILITIES: self._get_capabilities,
            Message.GET_READER_CONFIG: self.config.get,
            Message.GET_ROSPECS: lambda _: b"".join(spec.encode() for spec in self.rospecs.held()),
            Message.ADD_ACCESSSPEC: self._add_access,
            Message.GET_ACCESSSPECS: lambda _: b"".join(tlv(Param.ACCESSSPEC, spec) for spec in self._access.values()),
            Message.CLOSE_CONNECTION: lambda _: b"",
        }
        if kind is Message.SET_READER_CONFIG:
            self._set_config(body, now)
            return b""
        return others[kind](body)

    def _get_capabilities(self, body: bytes) -> bytes:
        (item,) = fields("B", body, "GET_READER_CAPABILITIES")
        if item and item not in self._capabilities:
            raise Fault(Code.M_FIELD_ERROR, f"RequestedData: {item}, expected 0-{len(self._capabilities)}", 0)
        return b"".join(value for number, value in self._capabilities.items() if item in (EVERYTHING, number))

    def _set_config(self, body: bytes, now: float) -> None:
        (flags,) = fields("B", body, "SET_READER_CONFIG")
        asked = list(walk(body[1:]))
        if flags & ENABLED:
            self.rospecs.command(Message.DELETE_ROSPEC, 0, now)
            self._access.clear()
            self.config.reset()
        for kind, value in asked:
            self.config.change(kind, value, extended=self._extended)
        self.config.changed()

    def _add_rospec(self, body: bytes) -> bytes:
        added = [value for kind, value in walk(body) if kind == Param.ROSPEC]
        if len(added) != 1:
            raise Fault(Code.M_MISSING_PARAMETER, "ADD_ROSPEC: expected one ROSpec")
        self.rospecs.add(parse_rospec(added[0], extended=self._extended))
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
