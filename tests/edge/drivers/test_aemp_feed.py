"""Pages of AEMP endpoints as makers write them, XML and JSON, to readings; and what of them cannot be read, by name."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.driver import BadFrame
from edge.drivers import aemp_document
from edge.drivers.aemp_feed import Page, parse_page
from models.reading import DeviceEvent, Fix, Input, Meter, Reading, Signal
from models.wire import decode, encode

HEARD = datetime(2026, 11, 26, 8, tzinfo=UTC)
AT = datetime(2026, 11, 26, 6, 30, 0, tzinfo=UTC)
STAMP = "2026-11-26T06:30:00Z"
HEADER = (
    "<EquipmentHeader><OEMName>X</OEMName><Model>Y</Model><EquipmentID>e1</EquipmentID><PIN>P1</PIN></EquipmentHeader>"
)
DEVICE = "id:P1"
FULL = f"""
<Location datetime="{STAMP}"><Latitude>50.5</Latitude><Longitude>-3.25</Longitude>
  <Altitude>100</Altitude><AltitudeUnits>metre</AltitudeUnits></Location>
<CumulativeOperatingHours><Hour>4810.25</Hour><datetime>{STAMP}</datetime></CumulativeOperatingHours>
<CumulativeIdleHours datetime="{STAMP}"><Hour>1210.5</Hour></CumulativeIdleHours>
<Distance datetime="{STAMP}"><OdometerUnits>mile</OdometerUnits><Odometer>1000</Odometer></Distance>
<FuelUsed dateTime="{STAMP}"><FuelUnits>litre</FuelUnits><FuelConsumed>23456</FuelConsumed></FuelUsed>
<FuelRemaining datetime="{STAMP}"><Percent>62.40</Percent><FuelTankCapacity>0</FuelTankCapacity></FuelRemaining>
<EngineStatus datetime="{STAMP}"><EngineNumber/><Running>true</Running></EngineStatus>
<EngineStatus datetime="{STAMP}"><EngineNumber>2</EngineNumber><Running>0</Running></EngineStatus>
<FaultCode datetime="{STAMP}"><CodeIdentifier>SPN 100 FMI 1</CodeIdentifier>
  <CodeDescription>oil pressure low</CodeDescription><CodeSeverity>high</CodeSeverity></FaultCode>
<CumulativeLoadCount datetime="{STAMP}"><Count>nonsense</Count></CumulativeLoadCount>
<CumulativePowerTakeOffHours/>
"""
SAID: list[Reading] = [
    Fix(DEVICE, AT, lat=50.5, lon=-3.25, altitude_m=100.0, valid=True),
    Meter(DEVICE, AT, "engine_hours", 4810.25, "h"),
    Meter(DEVICE, AT, "idle_hours", 1210.5, "h"),
    Meter(DEVICE, AT, "odometer", 1609.344, "km"),
    Meter(DEVICE, AT, "fuel_used", 23456.0, "L"),
    Signal(DEVICE, AT, "fuel_level", 62.4, "%"),
    Input(DEVICE, AT, "engine", on=True),
    Input(DEVICE, AT, "engine_2", on=False),
    DeviceEvent(DEVICE, AT, "fault_code", "SPN 100 FMI 1: oil pressure low (high)"),
]


def fleet(*machines: str, links: str = "", root: str = "Fleet") -> bytes:
    body = "".join(f"<Equipment>{machine}</Equipment>" for machine in machines)
    return f'<{root} version="2" snapshotTime="{STAMP}">{links}{body}</{root}>'.encode()


def page(text: bytes) -> Page:
    return parse_page(text, HEARD)


def said(*elements: str) -> list[Reading]:
    return page(fleet(HEADER + "".join(elements))).machines[DEVICE]


def test_all_elements_of_a_machine() -> None:
    found = page(fleet(HEADER + FULL))
    assert found.machines == {DEVICE: SAID}
    assert (found.next, found.nameless) == (set(), ())
    assert all(decode(encode(each)) == each for each in SAID)


@pytest.mark.parametrize(
    "text",
    [
        fleet(HEADER + FULL).replace(b"<Fleet", b'<Fleet xmlns="http://standards.iso.org/iso/15143/-3"'),
        fleet(HEADER + FULL).replace(b"<Fleet", b'<a:Fleet xmlns:a="x"').replace(b"</Fleet", b"</a:Fleet"),
        re.sub(rb"<(/?)(\w)", rb"<\1undeclared:\2", fleet(HEADER + FULL)),
        b"\xef\xbb\xbf" + b'<?xml version="1.0" encoding="UTF-8"?>\n' + fleet(HEADER + FULL),
        ('<?xml version="1.0" encoding="UTF-16"?>' + fleet(HEADER + FULL).decode()).encode("utf-16"),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + fleet(HEADER + FULL),
        f"<Equipment>{HEADER}{FULL}</Equipment>".encode(),
    ],
    ids=["namespace", "prefix", "undeclared prefix", "mark", "utf-16", "latin-1", "one machine"],
)
def test_however_the_xml_is_written(text: bytes) -> None:
    assert page(text).machines == {DEVICE: SAID}


MACHINE: dict[str, Any] = {
    "EquipmentHeader": {"OEMName": "X", "PIN": "P1", "EquipmentID": None},
    "Location": {"Latitude": 50.5, "Longitude": -3.25, "Altitude": 100, "AltitudeUnits": "meter", "datetime": STAMP},
    "CumulativeOperatingHours": {"Hour": 4810.25, "datetime": STAMP},
    "CumulativeIdleHours": {"Hour": "1210.5", "DateTime": STAMP},
    "Distance": {"Odometer": 1000, "OdometerUnits": "Miles", "datetime": STAMP},
    "FuelUsed": {"FuelConsumed": 23456, "FuelUnits": "Liters", "Timestamp": STAMP},
    "FuelRemaining": {"Percent": 62.4, "datetime": STAMP},
    "EngineStatus": [
        {"Running": True, "datetime": STAMP},
        {"Running": False, "EngineNumber": 2, "datetime": "2026-11-26T06:30:00.000+00:00"},
    ],
    "FaultCodes": {
        "FaultCode": [
            {
                "CodeIdentifier": "SPN 100 FMI 1",
                "CodeDescription": "oil pressure low",
                "CodeSeverity": "high",
                "datetime": STAMP,
            }
        ]
    },
    "DEFRemaining": None,
    "EEC1__EngSpeed": {"EEC1__EngSpeed": 1265.3},
}


@pytest.mark.parametrize(
    "body",
    [
        {"Fleet": {"Equipment": [MACHINE], "version": "2"}},
        {"Equipment": [MACHINE], "Links": []},
        {"equipment": MACHINE},
        [{"Equipment": [MACHINE]}],
        [MACHINE],
        MACHINE,
    ],
)
def test_however_the_json_is_written(body: Any) -> None:
    if body is MACHINE:
        body = {"Equipment": body}
    assert page(json.dumps(body).encode()).machines == {DEVICE: SAID}


@pytest.mark.parametrize(
    ("header", "device"),
    [
        ("<PIN>P1</PIN><SerialNumber>S1</SerialNumber>", "id:P1"),
        ("<PIN>missing</PIN><SerialNumber>S1</SerialNumber>", "id:S1"),
        ("<PIN> </PIN><SerialNumber>N/A</SerialNumber><EquipmentID>7</EquipmentID>", "id:7"),
        ("<PIN/><SerialNumber>861001000719969</SerialNumber>", "id:861001000719969"),
    ],
)
def test_a_machine_is_named_by_the_first_identity_that_is_one(header: str, device: str) -> None:
    found = page(fleet(f"<EquipmentHeader>{header}</EquipmentHeader>"))
    assert found.machines == {device: []}


def test_a_machine_without_identity_is_said_and_holds_up_no_other() -> None:
    long = "x" * 126
    found = page(fleet(f"<EquipmentHeader><PIN>{long}</PIN></EquipmentHeader>", HEADER, "<EquipmentHeader/>"))
    assert list(found.machines) == [DEVICE]
    assert found.nameless == (
        f"EquipmentHeader: one of PIN, SerialNumber, EquipmentID expected, got PIN {'x' * 60!r}",
        "EquipmentHeader: one of PIN, SerialNumber, EquipmentID expected, got none",
    )


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (f'<Location datetime="{STAMP}"><Latitude>50,5</Latitude><Longitude>3</Longitude></Location>', "Location.Lati"),
        (f'<Location datetime="{STAMP}"><Latitude>95</Latitude><Longitude>3</Longitude></Location>', "Location.Latit"),
        (f'<Location datetime="{STAMP}"><Latitude>5</Latitude></Location>', "Location.Longitude: a value expected"),
        ("<CumulativeOperatingHours><Hour>5</Hour></CumulativeOperatingHours>", "CumulativeOperatingHours.datetime: "),
        (
            '<CumulativeOperatingHours datetime="0001-01-01T00:00:00Z"><Hour>5</Hour></CumulativeOperatingHours>',
            "CumulativeOperatingHours.datetime: a time",
        ),
        (
            f'<CumulativeOperatingHours datetime="{STAMP}"><Hour>-5</Hour></CumulativeOperatingHours>',
            "CumulativeOperatingHours.Hour: a number of 0 ...",
        ),
        (
            f'<CumulativeIdleHours datetime="{STAMP}"><Hour>1</Hour><Hour>2</Hour></CumulativeIdleHours>',
            "CumulativeIdleHours.Hour: one text expected",
        ),
        (
            f'<CumulativeIdleHours datetime="{STAMP}"><Hour><x>1</x></Hour></CumulativeIdleHours>',
            "CumulativeIdleHours.Hour: one text expected",
        ),
        ("<CumulativeIdleHours>5</CumulativeIdleHours>", "CumulativeIdleHours: an element with members expected"),
        (f'<Distance datetime="{STAMP}"><Odometer>5</Odometer></Distance>', "Distance.OdometerUnits: a value"),
        (
            f'<Distance datetime="{STAMP}"><Odometer>5</Odometer><OdometerUnits>rod</OdometerUnits></Distance>',
            "Distance.OdometerUnits: one of kilometre",
        ),
        (
            f'<FuelUsed datetime="{STAMP}"><FuelConsumed>1e400</FuelConsumed><FuelUnits>l</FuelUnits></FuelUsed>',
            "FuelUsed.FuelConsumed: ",
        ),
        (f'<FuelRemaining datetime="{STAMP}"><Percent>101</Percent></FuelRemaining>', "FuelRemaining.Percent: a num"),
        (f'<EngineStatus datetime="{STAMP}"><Running>maybe</Running></EngineStatus>', "EngineStatus.Running: true or"),
        (
            f'<EngineStatus datetime="{STAMP}"><EngineNumber>A</EngineNumber><Running>1</Running></EngineStatus>',
            "EngineStatus.EngineNumber: a number",
        ),
        (f'<FaultCode datetime="{STAMP}"><CodeSource>x</CodeSource></FaultCode>', "FaultCode.CodeIdentifier: a value"),
    ],
)
def test_an_element_that_cannot_be_read_is_said_and_holds_up_no_other(element: str, words: str) -> None:
    bad, good = said(element, f'<CumulativeIdleHours datetime="{STAMP}"><Hour>7</Hour></CumulativeIdleHours>')
    if not isinstance(bad, DeviceEvent):
        bad, good = good, bad
    assert isinstance(bad, DeviceEvent)
    assert (bad.device, bad.at, bad.name) == (DEVICE, HEARD, "bad_reading")
    assert (bad.detail or "").startswith(words)
    assert good == Meter(DEVICE, AT, "idle_hours", 7.0, "h")


def test_a_position_stays_when_its_altitude_cannot_be_read() -> None:
    fix, bad = said(
        f'<Location datetime="{STAMP}"><Latitude>5</Latitude><Longitude>6</Longitude><Altitude>7</Altitude></Location>'
    )
    assert fix == Fix(DEVICE, AT, lat=5.0, lon=6.0, valid=True)
    assert (getattr(bad, "detail", "")).startswith("Location.AltitudeUnits: a value expected")


@pytest.mark.parametrize("empty", ["", ' xmlns="x"', ' xsi:nil="true"', " \n"])
def test_an_element_that_is_empty_says_nothing(empty: str) -> None:
    assert said(f"<CumulativeIdleHours{empty}/><Distance{empty}></Distance>") == []


def test_a_place_at_0_n_0_e_is_no_position() -> None:
    [fix] = said(f'<Location datetime="{STAMP}"><Latitude>0</Latitude><Longitude>0.0</Longitude></Location>')
    assert fix == Fix(DEVICE, AT, lat=0.0, lon=0.0, valid=False)


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-11-26T06:30:00", AT),
        ("2026-11-26T06:30:00.1234567Z", AT + timedelta(microseconds=123456)),
        ("2026-11-26T07:30:00+01:00", AT),
        ("2028-11-26T06:30:00Z", AT + timedelta(days=731)),
    ],
)
def test_times_as_makers_write_them(stamp: str, at: datetime) -> None:
    [meter] = said(f'<CumulativeIdleHours datetime="{stamp}"><Hour>7</Hour></CumulativeIdleHours>')
    assert (meter.at, meter.device_at) == (at, None)


def test_a_week_rollover_is_repaired() -> None:
    old = AT - timedelta(weeks=1024)
    [meter] = said(f'<CumulativeIdleHours datetime="{old:%FT%TZ}"><Hour>7</Hour></CumulativeIdleHours>')
    assert (meter.at, meter.device_at) == (AT, old)


LINK = "<Links><rel>{}</rel><href>{}</href></Links>"


def test_where_the_next_page_is() -> None:
    links = LINK.format("self", "https://a/1") + LINK.format("Next", "https://a/2") + LINK.format("last", "https://a/9")
    assert page(fleet(links=links)).next == {"https://a/2"}
    assert page(fleet(links=LINK.format("self", "https://a/1"))).next == set()
    body = [{"Links": [{"rel": "next", "href": "https://a/2"}], "Equipment": []}]
    assert page(json.dumps(body).encode()).next == {"https://a/2"}


BOMB = (
    b'<!DOCTYPE Fleet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
    b"<Fleet>&c;</Fleet>"
)
OUTSIDE = b'<!DOCTYPE Fleet [<!ENTITY a SYSTEM "file:///etc/passwd">]><Fleet>&a;</Fleet>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "page: XML or JSON expected"),
        (b"busy", "page: XML or JSON expected, got b'busy'"),
        (b"<html><body>Log in</body></html>", "page: a Fleet expected, got 'html'"),
        (b'{"error": "unauthorized"}', "page: a Fleet expected, got 'error'"),
        (b"{", "page: JSON: "),
        (b'{"Equipment": [1e999]}', "page: JSON: "),
        (b'{"Equipment": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "page: "),
        (b'{"Equipment": ' + b'{"a":' * 100 + b"1" + b"}" * 101, "page: at most 32 deep expected"),
        (b"<Fleet><Equipment></Fleet>", "page: XML: mismatched tag"),
        (b"<Fleet>" + b"<a>" * 100 + b"</a>" * 100 + b"</Fleet>", "page: at most 500000 elements, 32 deep, expected"),
        (b"<Fleet>\xff</Fleet>", "page: XML: not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><Fleet/>', "page: XML: "),
        (b"<Fleet>&lol;</Fleet>", "page: XML: undefined entity"),
        (BOMB, "page: XML without a document type expected"),
        (OUTSIDE, "page: XML without a document type expected"),
        (fleet(HEADER) * 2, "page: XML: junk after document element"),
        (fleet(HEADER)[:-9], "page: XML: "),
    ],
)
def test_what_is_no_page_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=re.escape(words)):
        page(text)


def test_a_page_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aemp_document, "MAX_ELEMENTS", 100)
    with pytest.raises(BadFrame, match="page: at most 100 elements"):
        page(fleet(*[HEADER] * 30))
    monkeypatch.undo()
    monkeypatch.setattr("edge.drivers.aemp_feed.MAX_MACHINES", 3)
    with pytest.raises(BadFrame, match="page: at most 3 machines expected"):
        page(fleet(*[HEADER] * 4))
