"""What the radio is asked to do: what is refused, which tags answer, when an AISpec ends, and when is reported."""

import struct
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from simulators.devices.llrp import LlrpReader, RawRead, Telling
from simulators.devices.llrp_inventory import parse_aispec
from simulators.devices.llrp_machine import Machine
from simulators.devices.llrp_numbers import Message

ADD, START, STOP, ENABLE, GET_ROSPECS, SET_CONFIG = 20, 22, 23, 24, 26, 3
OK, PARAMETER, MISSING, OVERFLOW = 0, 100, 103, 105
AISPEC_EVENT, EVENTS_OF_AISPEC = 254, 6
GIAI, SGTIN = "3414257bf400000000000007", "30342"
ONE = struct.pack("!I", 1)
Connect = Callable[[LlrpReader], Any]
Make = Callable[..., bytes]


@pytest.fixture
def command(make_param: Make) -> Make:
    """An AntennaConfiguration of antenna 1 with an inventory command, as of InventoryParameterSpec."""

    def made(*inside: bytes, transmitter: bytes = b"") -> bytes:
        return make_param(222, b"\0\1" + transmitter + make_param(330, b"\0" + b"".join(inside)))

    return made


@pytest.fixture
def select(make_param: Make) -> Make:
    """A C1G2Filter on tags whose EPC begins with hex digits, with an action."""

    def made(prefix: str, action: int, bank: int = 1) -> bytes:
        bits = bytes.fromhex(prefix + "0" * (len(prefix) % 2))
        mask = make_param(332, struct.pack("!BHH", bank << 6, 0x20, len(prefix) * 4) + bits)
        return make_param(331, b"\0" + mask + make_param(334, bytes([action])))

    return made


def start(client: Any, rospec: bytes) -> None:
    assert [client.ask(kind, body)[1] for kind, body in ((ADD, rospec), (ENABLE, ONE), (START, ONE))] == [OK] * 3


@pytest.mark.parametrize(
    ("transmitter", "inside", "status"),
    [
        (b"", (335, struct.pack("!HH", 2, 0)), OK),
        (b"", (335, struct.pack("!HH", 1, 0)), PARAMETER),
        (b"", (335, b"\0"), PARAMETER),
        (struct.pack("!HHH", 1, 0, 81), (336, bytes(7)), OK),
        (struct.pack("!HHH", 0, 1, 1), (336, bytes(7)), OK),
        (struct.pack("!HHH", 1, 0, 82), (336, bytes(7)), PARAMETER),
        (struct.pack("!HHH", 1, 0, 0), (336, bytes(7)), PARAMETER),
        (struct.pack("!HHH", 2, 0, 1), (336, bytes(7)), PARAMETER),
        (b"", (336, bytes(6)), PARAMETER),
    ],
)
def test_a_mode_or_power_that_the_reader_has_not_is_refused(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    reader: LlrpReader,
    connect: Connect,
    make_rospec: Make,
    make_param: Make,
    make_aispec: Make,
    command: Make,
    transmitter: bytes,
    inside: tuple[int, bytes],
    status: int,
) -> None:
    client = connect(reader)
    radio = make_param(224, transmitter) if transmitter else b""
    inventory = command(make_param(*inside), transmitter=radio)
    assert client.ask(ADD, make_rospec(aispecs=(make_aispec(inventory=inventory),)))[1] == status
    assert bool(client.ask(GET_ROSPECS)[2][8:]) is (status == OK)
    assert client.ask(SET_CONFIG, b"\0" + inventory)[1] == status, "as the configuration of an antenna too"


def test_filters_beyond_those_it_has_and_damaged_ones_are_refused(  # noqa: PLR0913, PLR0917 - fixtures
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_aispec: Make, command: Make, select: Make
) -> None:
    client = connect(reader)
    good = select(SGTIN, 0)
    for filters, status in (((good,) * 3, OVERFLOW), ((good[:-1] + b"\x09",), PARAMETER), ((good[:14],), PARAMETER)):
        rospec = make_rospec(aispecs=(make_aispec(inventory=command(*filters)),))
        assert client.ask(ADD, rospec)[1] == status


@pytest.mark.parametrize(
    ("filters", "heard"),
    [
        ([], "abc"),
        ([("30342", 0)], "ab"),
        ([("30342", 4)], "c"),
        ([("30342", 3)], "c"),
        ([("30342", 5)], "c"),
        ([("30342", 2)], "ab"),
        ([("303425", 0), ("34", 1)], "ac"),
        ([("30342", 0), ("303426", 3)], "a"),
        ([("3034257bf7194e4000001a8500", 0)], ""),
        ([("30", 0, 2)], ""),
        ([("", 0)], "abc"),
    ],
)
def test_only_tags_that_the_filters_select_answer(
    make_aispec: Make, command: Make, select: Make, filters: list[tuple[Any, ...]], heard: str
) -> None:
    tags = {"a": "3034257bf7194e4000001a85", "b": "3034267bf7194e4000001a85", "c": GIAI}
    chosen = command(*(select(*each) for each in filters))
    spec = parse_aispec(make_aispec(inventory=chosen)[4:])
    assert "".join(name for name, epc in tags.items() if spec.hears(1, epc)) == heard


def test_antennas_of_the_aispec_that_runs(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, make_aispec: Make
) -> None:
    """Two AISpecs: the first ends after three reads, the second after a time; then the ROSpec is over."""
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(244, make_param(245, struct.pack("!HB", EVENTS_OF_AISPEC, 0x80))))
    three = b"\3" + bytes(4) + make_param(185, struct.pack("!BBHHHI", 0, 0, 3, 0, 0, 0))
    specs = (make_aispec((1,), three), make_aispec((2,), struct.pack("!BI", 1, 50)))
    start(client, make_rospec(aispecs=specs))
    client.events.clear()
    reads = [RawRead(1, GIAI, antenna, -60, 1) for antenna in (1, 2, 1, 1, 1, 2)]
    assert reader.offer(reads) == 4
    body = client.until(61)
    assert b"\x88\0\3" in body, "three reads of antenna 1, told at the end of its AISpec"
    assert b"\x8e\0\1" in body, "SpecIndex"
    assert b"\x8e\0\2" in client.until(61)
    while reader.reading:
        time.sleep(0.005)
    assert client.ask(GET_ROSPECS)[2][8 + 9] == 1, "inactive"
    assert [body[16:] for body in client.events] == [
        struct.pack("!HHBIH", AISPEC_EVENT, 11, 0, 1, index) for index in (1, 2)
    ]


def test_an_immediate_rospec_starts_again_when_its_aispecs_are_over(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, make_aispec: Make
) -> None:
    two = b"\3" + bytes(4) + make_param(185, struct.pack("!BBHHHI", 0, 0, 2, 0, 0, 0))
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(244, make_param(245, struct.pack("!HB", 2, 0x80))))
    for kind, body in ((ADD, make_rospec(start=b"\1", aispecs=(make_aispec(stop=two),))), (ENABLE, ONE)):
        assert client.ask(kind, body)[1] == OK
    assert reader.offer([RawRead(1, GIAI, 1, -60, 1)] * 6) == 6
    assert client.ask(GET_ROSPECS)[2][8 + 9] == 2
    assert [body[-9] for body in client.events[1:]] == [0, 1, 0, 1, 0, 1, 0], "start and end, three times; start"
    assert len(client.reports) == 3


@pytest.mark.parametrize(
    "trigger",
    [
        b"\1" + bytes(4),
        b"\3" + bytes(4),
        b"\3" + bytes(4) + struct.pack("!HHBBHHHI", 185, 16, 0, 0, 0, 0, 0, 0),
        b"\3" + bytes(4) + struct.pack("!HHBBHHHI", 185, 16, 1, 0, 3, 0, 0, 0),
        b"\3" + bytes(4) + struct.pack("!HHBBHHHI", 185, 16, 2, 0, 3, 3, 3, 0),
        b"\4" + bytes(4),
        b"\2" + bytes(4),
        b"\0",
    ],
)
def test_an_aispec_that_could_never_end_well_is_refused(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_aispec: Make, trigger: bytes
) -> None:
    assert connect(reader).ask(ADD, make_rospec(aispecs=(make_aispec(stop=trigger),)))[1] in {PARAMETER, MISSING}


def test_silence_and_inputs_end_an_aispec(
    reader: LlrpReader, connect: Connect, make_rospec: Make, make_param: Make, make_aispec: Make
) -> None:
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(225, struct.pack("!HBB", 1, 0x80, 0)))
    silence = b"\3" + bytes(4) + make_param(185, struct.pack("!BBHHHI", 1, 0, 0, 0, 60, 0))
    by_input = b"\2" + bytes(4) + make_param(181, struct.pack("!HBI", 1, 0x80, 0))
    start(client, make_rospec(aispecs=(make_aispec(stop=by_input), make_aispec((2,), silence))))
    assert reader.offer([RawRead(1, GIAI, 1, -60, 1)]) == 1
    reader.gpi(1, on=True)
    began = time.monotonic()
    for _ in range(3):
        assert reader.offer([RawRead(1, GIAI, 1, -60, 1), RawRead(1, GIAI, 2, -60, 1)]) == 1
        time.sleep(0.03)
    while reader.reading:
        time.sleep(0.005)
    assert 0.1 < time.monotonic() - began < 2


@pytest.mark.parametrize(("trigger", "reports"), [(1, [3, 3, 1, 1]), (2, [3, 3, 2])])
def test_every_n_tags_or_at_the_end_of_the_spec_that_was_asked_for(  # noqa: PLR0913, PLR0917 - fixtures
    make_reader: Callable[..., LlrpReader],
    connect: Connect,
    make_rospec: Make,
    make_param: Make,
    make_aispec: Make,
    trigger: int,
    reports: list[int],
) -> None:
    """Strictly as asked, N 3: seven tags in the first AISpec, one in the second, which ends with the ROSpec."""
    reader = make_reader(telling=Telling(flush_s=None))
    client = connect(reader)
    client.ask(SET_CONFIG, b"\0" + make_param(225, struct.pack("!HBB", 1, 0x80, 0)))
    by_input = b"\2" + bytes(4) + make_param(181, struct.pack("!HBI", 1, 0x80, 0))
    specs = (make_aispec(stop=by_input), make_aispec((2,)))
    start(client, make_rospec(aispecs=specs, report=(trigger, 3, 0, 0)))
    assert reader.offer([RawRead(1, f"{number:024x}", 1, -60, 1) for number in range(7)]) == 7
    reader.gpi(1, on=True)
    assert reader.offer([RawRead(1, GIAI, 2, -60, 1)]) == 1
    assert client.ask(STOP, ONE)[1] == OK
    assert [len(body) // 17 for body in client.reports] == reports


def test_without_n_nothing_is_told_before_the_end(
    make_reader: Callable[..., LlrpReader], connect: Connect, make_rospec: Make
) -> None:
    reader = make_reader(telling=Telling(flush_s=None))
    client = connect(reader)
    start(client, make_rospec(report=(1, 0, 0, 0)))
    assert reader.offer([RawRead(1, f"{number:024x}", 1, -60, 1) for number in range(50)]) == 50
    time.sleep(0.1)
    assert client.ask(GET_ROSPECS)[1] == OK
    assert client.reports == []
    assert client.ask(STOP, ONE)[1] == OK
    assert sum(len(body) // 17 for body in client.reports) == 50


def test_a_rospec_with_all_of_it_damaged_three_thousand_times_is_answered(  # noqa: PLR0913, PLR0917 - fixtures
    make_rospec: Make, make_param: Make, make_aispec: Make, make_custom: Make, command: Make, select: Make
) -> None:
    chance = Random(3)
    trigger = make_param(181, struct.pack("!HBI", 1, 0x80, 100))
    stop = b"\3" + bytes(4) + make_param(185, struct.pack("!BBHHHI", 0, 0, 3, 0, 0, 100))
    radio = command(select(SGTIN, 0), make_param(335, bytes(4)), make_param(336, bytes(7)), make_custom(23, b"\0\2"))
    whole = make_rospec(
        start=b"\3" + trigger,
        stop=b"\2" + bytes(4) + trigger,
        aispecs=(make_aispec(stop=stop, inventory=radio),),
        custom=make_custom(50, make_custom(52, b"\0\1")),
    )
    taken = 0
    for number in range(3000):
        machine = Machine(is_impinj=True)
        machine.answer(Message.CUSTOM_MESSAGE, struct.pack("!IBI", 25882, 21, 0), 0)
        body = bytearray(whole)
        for _ in range(chance.randint(0, 4) if number else 0):
            body[chance.randrange(len(body))] = chance.randrange(256)
        answer = machine.answer(Message.ADD_ROSPEC, bytes(body[: chance.randint(1, 2 * len(body))]), 0)
        assert answer is not None
        assert answer[1][:2] == b"\1\x1f"
        taken += answer[1][4:6] == b"\0\0"
        machine.answer(Message.ENABLE_ROSPEC, bytes(4), 0)
        machine.rospecs.gpi(1, 0, on=True)
        active = machine.rospecs.active()
        for now in range(3):
            if active is not None:
                active.aispec.hears(1, GIAI)
                machine.rospecs.saw(active, now)
            machine.rospecs.tick(now)
    assert 300 < taken < 2700
