"""`stockyard-sim device`: GPS receivers by themselves."""

from pathlib import Path
from typing import Annotated

import typer

from simulators.commands import stopped_by_signal
from simulators.device_options import (
    FaultList,
    Json,
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
from simulators.devices.alone import until
from simulators.devices.nmea import BARE, FixTruth, Receiver, faults_of_receiver, play_fixes
from simulators.devices.scanner import PtyScanner, Scanner
from simulators.devices.scanner_tcp import TcpScanner

MOST_RATE = 50.0


@device.command("nmea")
def nmea(  # noqa: PLR0913 - each is an option of the command
    *,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT; port 0 is any free one.")] = None,
    pty: Annotated[Path | None, typer.Option(help="Where a serial port appears instead, as a symbolic link.")] = None,
    rate: Annotated[float, typer.Option(min=0.001, max=MOST_RATE, help="Fixes a second.")] = 1.0,
    fault: FaultList = None,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A GPS receiver on a machine that drives around: NMEA 0183 (RMC, VTG, GGA, GSA, GSV, ZDA), to one listener.

    Faults: unplug:S, stall:S, half_sentence:S, garbage, week_back, no_fix:S.
    """
    if (listen is None) == (pty is None):
        raise typer.BadParameter("one of --listen and --pty expected", param_hint="--listen")
    line: Scanner = PtyScanner(pty, BARE) if pty else TcpScanner(address(listen or "", "--listen"), BARE)
    receiver = Receiver(line)
    known = faults_of_receiver(receiver, line)
    wrong = faults_of(fault, known)
    start(receiver.start, f"--pty {pty}" if pty else f"--listen {listen}")
    stop = stopped_by_signal()
    where = {"address": "{}:{}".format(*line.address)} if isinstance(line, TcpScanner) else {"pty": str(pty)}
    say({"ready": "nmea", **where})
    with open_truth(truth) as file:
        told = FixTruth(file)
        offered = play_fixes(receiver, seed, rate, told, with_faults(until(stop, run_s), wrong, known, told))
        receiver.stop()
    summary({"device": "nmea", "offered": offered, "told": told.told}, as_json=as_json)
