"""`stockyard-sim device`: trackers by themselves."""

from typing import Annotated

import typer

from simulators.commands import stopped_by_signal
from simulators.device_options import Json, Seconds, Seed, Truth, address, device, open_truth, say, summary
from simulators.devices.alone import until
from simulators.devices.driving import Play, RecordTruth, Sending, play_records, trackers
from simulators.devices.teltonika import Habits
from simulators.devices.upsets import Trouble

IMEI_DIGITS = 15
FLUSH_S = 10.0
UPSETS = 20
"""Clocks, power and network go wrong so much more seldom than packets."""


@device.command("teltonika")
def teltonika(  # noqa: PLR0913 - each is an option of the command
    *,
    connect: Annotated[str, typer.Option(help="HOST:PORT of the server.")],
    imei: Annotated[str, typer.Option(help="15 digits; of the first tracker, the others count on from it.")],
    number: Annotated[int, typer.Option("--trackers", min=1, help="How many trackers.")] = 1,
    records_per_frame: Annotated[int, typer.Option(min=1, max=255)] = 10,
    rate: Annotated[float, typer.Option(min=0.001, help="Records a second of each tracker.")] = 1.0,
    udp: Annotated[bool, typer.Option("--udp", help="By datagrams instead of a connection.")] = False,
    trouble: Annotated[float, typer.Option(min=0, max=1, help="How much goes wrong, of packets and records.")] = 0.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """GPS trackers on machines that drive around: Teltonika Codec 8 Extended over TCP or UDP.

    With --trouble S, this share of packets is sent twice, unheard, in pieces, together or out of order, and after a
    twentieth of it of the records a clock loses 1024 weeks or is 30 days ahead, or a tracker reboots or is cut off.
    """
    where, imeis = address(connect, "--connect"), imeis_from(imei, number)
    habits = Habits(
        seed=seed,
        resend_share=trouble,
        drop_ack_share=trouble,
        split_share=trouble,
        burst_share=trouble,
        disorder_share=trouble,
        udp=udp,
    )
    sending, play = Sending(records_per_frame, habits), Play(seed, rate, Trouble(*[trouble / UPSETS] * 4))
    stop = stopped_by_signal()
    say({"ready": "teltonika", "connect": connect, "imei": imei, "trackers": number})
    with open_truth(truth) as file:
        told = RecordTruth(file)
        with trackers(where, imeis, told, FLUSH_S, sending) as made:
            offered = play_records(made, play, told, until(stop, run_s))
    summary({"device": "teltonika", "offered": offered, "acked": told.acked}, as_json=as_json)


def imeis_from(first: str, number: int) -> list[str]:
    """So many IMEIs, counted on from the first. Raises typer.BadParameter."""
    imeis = [f"{int(first) + each:0{IMEI_DIGITS}}" for each in range(number)] if first.isdecimal() else []
    if len(first) != IMEI_DIGITS or not imeis or len(imeis[-1]) != IMEI_DIGITS:
        raise typer.BadParameter(f"{first}: expected {IMEI_DIGITS} digits", param_hint="--imei")
    return imeis
