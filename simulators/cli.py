"""`stockyard-sim`: devices that stand alone, and the simulated world."""

import json
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, TextIO

import typer

from simulators import commands
from simulators.devices.alone import TagStream, TruthFile, play_reads, play_scans, until
from simulators.devices.driving import RecordTruth, play_records, trackers
from simulators.devices.llrp import LlrpReader
from simulators.devices.scanner import PtyScanner

USAGE, UNAVAILABLE = 2, 4
IMEI_DIGITS = 15
FLUSH_S = 10.0

app = typer.Typer(help="Simulated devices and a simulated warehouse, with a truth log.", no_args_is_help=True)
device = typer.Typer(help="One device that speaks its protocol outward.", no_args_is_help=True)
app.add_typer(device, name="device")
commands.register(app)

Seed = Annotated[int, typer.Option(help="Decides what is told and in which order.")]
Rate = Annotated[float, typer.Option(min=0.001, help="Reads or scans a second while somebody listens.")]
Seconds = Annotated[float | None, typer.Option("--for", min=0, help="Seconds to run; without it until interrupted.")]
Truth = Annotated[Path | None, typer.Option(help="File for what was told, a JSON line each.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


@device.command("llrp")
def llrp(  # noqa: PLR0913 - each is an option of the command
    *,
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0 is any free one.")] = "127.0.0.1:5084",
    tags: Annotated[int, typer.Option(min=1, help="How many SGTIN-96 tags are in the field.")] = 20,
    distinct: Annotated[bool, typer.Option("--distinct", help="Every read is of a new serial number.")] = False,
    tags_per_report: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    rate: Rate = 100.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A fixed reader: LLRP 1.0.1, four antennas, one client."""
    reader = LlrpReader(_address(listen, "--listen"), tags_per_report=tags_per_report)
    try:
        reader.start()
    except OSError as error:
        raise _unavailable(f"--listen {listen}: {error.strerror}") from None
    stop = _stopped_by_signal()
    _say({"ready": "llrp", "address": "{}:{}".format(*reader.address)})
    with _open(truth) as file:
        told = TruthFile(file)
        stream = TagStream(seed, tags, distinct=distinct)
        offered = play_reads(reader, stream, rate, told, until(stop, run_s))
        reader.stop()
    _summary({"device": "llrp", "offered": offered, "told": told.told}, as_json=as_json)


@device.command("scanner")
def scanner(  # noqa: PLR0913 - each is an option of the command
    *,
    pty: Annotated[Path, typer.Option(help="Where the port appears, as a symbolic link.")],
    rate: Rate = 1.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A serial barcode scanner on a pty: AIM identifier, data, CR."""
    port = PtyScanner(pty)
    try:
        port.start()
    except OSError as error:
        raise _unavailable(f"--pty {pty}: {error}") from None
    stop = _stopped_by_signal()
    _say({"ready": "scanner", "pty": str(pty)})
    with _open(truth) as file:
        told = TruthFile(file)
        tried = play_scans(port, seed, rate, told, until(stop, run_s))
        port.stop()
    _summary({"device": "scanner", "offered": tried, "told": told.told}, as_json=as_json)


@device.command("teltonika")
def teltonika(  # noqa: PLR0913 - each is an option of the command
    *,
    connect: Annotated[str, typer.Option(help="HOST:PORT of the server.")],
    imei: Annotated[str, typer.Option(help="15 digits; of the first tracker, the others count on from it.")],
    number: Annotated[int, typer.Option("--trackers", min=1, help="How many trackers.")] = 1,
    records_per_frame: Annotated[int, typer.Option(min=1, max=255)] = 10,
    rate: Annotated[float, typer.Option(min=0.001, help="Records a second of each tracker.")] = 1.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """GPS trackers on machines that drive around: Teltonika Codec 8 Extended over TCP."""
    address, imeis = _address(connect, "--connect"), _imeis(imei, number)
    stop = _stopped_by_signal()
    _say({"ready": "teltonika", "connect": connect, "imei": imei, "trackers": number})
    with _open(truth) as file:
        told = RecordTruth(file)
        with trackers(address, imeis, records_per_frame, told, FLUSH_S) as made:
            offered = play_records(made, seed, rate, told, until(stop, run_s))
    _summary({"device": "teltonika", "offered": offered, "acked": told.acked}, as_json=as_json)


def _imeis(first: str, number: int) -> list[str]:
    imeis = [f"{int(first) + each:0{IMEI_DIGITS}}" for each in range(number)] if first.isdecimal() else []
    if len(first) != IMEI_DIGITS or not imeis or len(imeis[-1]) != IMEI_DIGITS:
        raise typer.BadParameter(f"{first}: expected {IMEI_DIGITS} digits", param_hint="--imei")
    return imeis


def _address(text: str, option: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the last TCP port
        raise typer.BadParameter(f"{text}: expected HOST:PORT", param_hint=option)
    return host, int(port)


def _open(path: Path | None) -> AbstractContextManager[TextIO | None]:
    return path.open("w", encoding="utf-8") if path else nullcontext()


def _stopped_by_signal() -> Event:
    stop = Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop


def _unavailable(text: str) -> typer.Exit:
    typer.echo(f"stockyard-sim: {text}", err=True)
    return typer.Exit(UNAVAILABLE)


def _say(fact: dict[str, object]) -> None:
    typer.echo(json.dumps(fact))


def _summary(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        _say(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))


def main() -> None:
    """The console script."""
    app()
