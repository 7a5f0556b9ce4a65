"""`stockyard-sim device`: one device by itself that speaks its protocol outward, and what is to go wrong with it."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import typer

from simulators.commands import stopped_by_signal
from simulators.devices import faults, llrp_replay
from simulators.devices.alone import TagStream, TruthFile, play_reads, play_scans, until
from simulators.devices.driving import RecordTruth, play_records, trackers
from simulators.devices.llrp import LlrpReader, Telling
from simulators.devices.scanner import Framing, PtyScanner, Scanner
from simulators.devices.scanner_tcp import TcpScanner

CONFIGURATION, UNAVAILABLE = 3, 4
IMEI_DIGITS = 15
FLUSH_S = 10.0

device = typer.Typer(help="One device that speaks its protocol outward.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(help="Decides what is told and in which order.")]
Rate = Annotated[float, typer.Option(min=0.001, help="Reads or scans a second while somebody listens.")]
Seconds = Annotated[float | None, typer.Option("--for", min=0, help="Seconds to run; without it until interrupted.")]
Truth = Annotated[Path | None, typer.Option(help="File for what was told, a JSON line each.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
FaultList = Annotated[
    list[str] | None, typer.Option("--fault", help="NAME[:VALUE]@SECONDS: what goes wrong, and when; repeatable.")
]


@device.command("llrp")
def llrp(  # noqa: PLR0913 - each is an option of the command
    *,
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0 is any free one.")] = "127.0.0.1:5084",
    impinj: Annotated[bool, typer.Option("--impinj", help="Has Impinj's phase, fine RSSI and Doppler.")] = False,
    tags: Annotated[int, typer.Option(min=1, help="How many SGTIN-96 tags are in the field.")] = 20,
    distinct: Annotated[bool, typer.Option("--distinct", help="Every read is of a new serial number.")] = False,
    tags_per_report: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    rate: Rate = 100.0,
    replay: Annotated[Path | None, typer.Option(help="A capture of an edge: tell that instead, once.")] = None,
    speed: Annotated[float, typer.Option(min=0, help="Of the replay: times the recorded pace; 0: at once.")] = 1.0,
    fault: FaultList = None,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A fixed reader: LLRP 1.0.1, four antennas, four inputs, one client.

    A replay tells the times of the capture moved to now; with --speed 0 as they were recorded.

    Faults: drop, stall:S, half_frame, garbage, clock_step:S, reboot:S, half_open:S, antenna_off:N, antenna_on:N,
    gpi_on:N, gpi_off:N, exception.
    """
    reader = LlrpReader(_address(listen, "--listen"), is_impinj=impinj, telling=Telling(tags_per_report))
    wrong = _faults(fault, faults.of_reader(reader))
    if replay is not None:
        _check_capture(replay)
    _start(reader.start, f"--listen {listen}")
    stop = stopped_by_signal()
    _say({"ready": "llrp", "address": "{}:{}".format(*reader.address)})
    with _open(truth) as file:
        told = TruthFile(file)
        over = _with_faults(until(stop, run_s), wrong, faults.of_reader(reader), told)
        if replay is None:
            stream = TagStream(seed, tags, distinct=distinct, fine=impinj)
            counts = play_reads(reader, stream, rate, told, over), 0
        else:
            counts = llrp_replay.play(reader, replay, speed or None, over)
        reader.stop()
    _summary({"device": "llrp", "offered": counts[0], "told": told.told or counts[1]}, as_json=as_json)


@device.command("scanner")
def scanner(  # noqa: PLR0913 - each is an option of the command
    *,
    pty: Annotated[Path | None, typer.Option(help="Where the port appears, as a symbolic link.")] = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT instead of a pty: as behind a device server.")] = None,
    prefix: Annotated[str, typer.Option(help="What it sends before a code; escapes such as \\x02 (STX).")] = "",
    suffix: Annotated[str, typer.Option(help="What it sends after a code: \\r, \\r\\n, \\x03 (ETX) ...")] = "\\r",
    aim: Annotated[bool, typer.Option(help="Whether it sends AIM identifiers.")] = True,
    rate: Rate = 1.0,
    fault: FaultList = None,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A serial barcode scanner on a pty or a TCP port: prefix, AIM identifier, data, suffix.

    Faults: unplug:S, stall:S, half_frame:S, garbage.
    """
    framing = Framing(_bytes(prefix, "--prefix"), _bytes(suffix, "--suffix"), aim)
    port: Scanner
    if (pty is None) == (listen is None):
        raise typer.BadParameter("one of --pty and --listen expected", param_hint="--pty")
    port = PtyScanner(pty, framing) if pty else TcpScanner(_address(listen or "", "--listen"), framing)
    wrong = _faults(fault, faults.of_scanner(port))
    _start(port.start, f"--pty {pty}" if pty else f"--listen {listen}")
    stop = stopped_by_signal()
    where = {"address": "{}:{}".format(*port.address)} if isinstance(port, TcpScanner) else {"pty": str(pty)}
    _say({"ready": "scanner", **where})
    with _open(truth) as file:
        told = TruthFile(file)
        over = _with_faults(until(stop, run_s), wrong, faults.of_scanner(port), told)
        tried = play_scans(port, seed, rate, told, over)
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
    stop = stopped_by_signal()
    _say({"ready": "teltonika", "connect": connect, "imei": imei, "trackers": number})
    with _open(truth) as file:
        told = RecordTruth(file)
        with trackers(address, imeis, records_per_frame, told, FLUSH_S) as made:
            offered = play_records(made, seed, rate, told, until(stop, run_s))
    _summary({"device": "teltonika", "offered": offered, "acked": told.acked}, as_json=as_json)


def _faults(texts: list[str] | None, known: Mapping[str, faults.Kind]) -> list[faults.Fault]:
    try:
        return [faults.parse(text, known) for text in texts or ()]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None


def _with_faults(
    over: faults.Over, wrong: list[faults.Fault], known: Mapping[str, faults.Kind], truth: TruthFile
) -> faults.Over:
    def act(fault: faults.Fault) -> None:
        truth.fault(fault.name, fault.value)
        known[fault.name].act(fault.value)

    return faults.between(over, wrong, act)


def _check_capture(path: Path) -> None:
    try:
        llrp_replay.check(path)
    except (llrp_replay.BadCapture, OSError) as error:
        typer.echo(f"stockyard-sim: --replay: {error}", err=True)
        raise typer.Exit(CONFIGURATION) from None


def _start(start: Callable[[], None], where: str) -> None:
    try:
        start()
    except OSError as error:
        typer.echo(f"stockyard-sim: {where}: {error.strerror or error}", err=True)
        raise typer.Exit(UNAVAILABLE) from None


def _bytes(text: str, option: str) -> bytes:
    r"""A text of the command line with escapes: \r, \x02."""
    try:
        return text.encode("ascii").decode("unicode_escape").encode("latin-1")
    except ValueError:
        raise typer.BadParameter(f"{text}: ASCII with escapes such as \\x02 expected", param_hint=option) from None


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


def _say(fact: dict[str, object]) -> None:
    typer.echo(json.dumps(fact))


def _summary(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        _say(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
