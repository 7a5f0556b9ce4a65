"""`stockyard-sim device`: trackers by themselves."""

from typing import Annotated

import typer

from simulators.commands import stopped_by_signal
from simulators.device_options import Json, Seconds, Seed, Truth, address, device, open_truth, say, summary
from simulators.devices.alone import until
from simulators.devices.driving import RecordTruth, play_records, trackers

IMEI_DIGITS = 15
FLUSH_S = 10.0


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
    where, imeis = address(connect, "--connect"), _imeis(imei, number)
    stop = stopped_by_signal()
    say({"ready": "teltonika", "connect": connect, "imei": imei, "trackers": number})
    with open_truth(truth) as file:
        told = RecordTruth(file)
        with trackers(where, imeis, records_per_frame, told, FLUSH_S) as made:
            offered = play_records(made, seed, rate, told, until(stop, run_s))
    summary({"device": "teltonika", "offered": offered, "acked": told.acked}, as_json=as_json)


def _imeis(first: str, number: int) -> list[str]:
    imeis = [f"{int(first) + each:0{IMEI_DIGITS}}" for each in range(number)] if first.isdecimal() else []
    if len(first) != IMEI_DIGITS or not imeis or len(imeis[-1]) != IMEI_DIGITS:
        raise typer.BadParameter(f"{first}: expected {IMEI_DIGITS} digits", param_hint="--imei")
    return imeis
