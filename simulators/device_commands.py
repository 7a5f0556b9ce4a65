"""`stockyard-sim device`: readers and scanners by themselves, and what is to go wrong with them."""

from pathlib import Path
from typing import Annotated

import typer

from simulators.commands import stopped_by_signal
from simulators.device_options import (
    CONFIGURATION,
    FaultList,
    Json,
    Rate,
    Seconds,
    Seed,
    Truth,
    address,
    device,
    faults_of,
    open_truth,
    say,
    start,
    summary,
    with_faults,
)
from simulators.devices import faults, llrp_replay
from simulators.devices.alone import TagStream, TruthFile, play_reads, play_scans, until
from simulators.devices.llrp import LlrpReader, Telling
from simulators.devices.scanner import Framing, PtyScanner, Scanner
from simulators.devices.scanner_tcp import TcpScanner


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
    reader = LlrpReader(address(listen, "--listen"), is_impinj=impinj, telling=Telling(tags_per_report))
    wrong = faults_of(fault, faults.of_reader(reader))
    if replay is not None:
        _check_capture(replay)
    start(reader.start, f"--listen {listen}")
    stop = stopped_by_signal()
    say({"ready": "llrp", "address": "{}:{}".format(*reader.address)})
    with open_truth(truth) as file:
        told = TruthFile(file)
        over = with_faults(until(stop, run_s), wrong, faults.of_reader(reader), told)
        if replay is None:
            stream = TagStream(seed, tags, distinct=distinct, fine=impinj)
            counts = play_reads(reader, stream, rate, told, over), 0
        else:
            counts = llrp_replay.play(reader, replay, speed or None, over)
        reader.stop()
    summary({"device": "llrp", "offered": counts[0], "told": told.told or counts[1]}, as_json=as_json)


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
    port = PtyScanner(pty, framing) if pty else TcpScanner(address(listen or "", "--listen"), framing)
    wrong = faults_of(fault, faults.of_scanner(port))
    start(port.start, f"--pty {pty}" if pty else f"--listen {listen}")
    stop = stopped_by_signal()
    where = {"address": "{}:{}".format(*port.address)} if isinstance(port, TcpScanner) else {"pty": str(pty)}
    say({"ready": "scanner", **where})
    with open_truth(truth) as file:
        told = TruthFile(file)
        over = with_faults(until(stop, run_s), wrong, faults.of_scanner(port), told)
        tried = play_scans(port, seed, rate, told, over)
        port.stop()
    summary({"device": "scanner", "offered": tried, "told": told.told}, as_json=as_json)


def _check_capture(path: Path) -> None:
    try:
        llrp_replay.check(path)
    except (llrp_replay.BadCapture, OSError) as error:
        typer.echo(f"stockyard-sim: --replay: {error}", err=True)
        raise typer.Exit(CONFIGURATION) from None


def _bytes(text: str, option: str) -> bytes:
    r"""A text of the command line with escapes: \r, \x02."""
    try:
        return text.encode("ascii").decode("unicode_escape").encode("latin-1")
    except ValueError:
        raise typer.BadParameter(f"{text}: ASCII with escapes such as \\x02 expected", param_hint=option) from None
