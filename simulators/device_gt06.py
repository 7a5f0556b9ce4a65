"""`stockyard-sim device gt06`: GT06 trackers by themselves."""

from typing import Annotated

import typer

from simulators.commands import stopped_by_signal
from simulators.device_options import Json, Seconds, Seed, Truth, address, device, open_truth, say, summary
from simulators.device_trackers import FLUSH_S, imeis_from
from simulators.devices.alone import until
from simulators.devices.gt06 import Gt06Habits
from simulators.devices.gt06_driving import Play, ReportTruth, Trouble, gt06_trackers, play_reports

Share = Annotated[float, typer.Option(min=0, max=1)]


@device.command("gt06")
def gt06(  # noqa: PLR0913 - each is an option of the command
    *,
    connect: Annotated[str, typer.Option(help="HOST:PORT of the server.")],
    imei: Annotated[str, typer.Option(help="15 digits; of the first tracker, the others count on from it.")],
    number: Annotated[int, typer.Option("--trackers", min=1, help="How many trackers.")] = 1,
    rate: Annotated[float, typer.Option(min=0.001, max=1, help="Reports a second of each tracker.")] = 1.0,
    acc: Annotated[bool, typer.Option(help="Whether places say the ignition, or heartbeats alone.")] = True,
    heartbeat_s: Annotated[float, typer.Option(min=0.1, help="A heartbeat so often.")] = 180.0,
    trouble: Annotated[float, typer.Option(min=0, max=1, help="How much goes wrong, of packets and reports.")] = 0.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """GPS trackers on machines that drive around: GT06 over TCP, with locations, alarms and heartbeats.

    With --trouble S, this share of packets is sent twice, unheard, in pieces, together or out of order, and after a
    twentieth of it of the reports a clock loses 1024 weeks or is 30 days ahead, or a tracker is reset or out of reach.
    """
    where, imeis = address(connect, "--connect"), imeis_from(imei, number)
    habits = Gt06Habits(
        heartbeat_s=heartbeat_s,
        seed=seed,
        resend_share=trouble,
        drop_answer_share=trouble,
        split_share=trouble,
        burst_share=trouble,
        disorder_share=trouble,
    )
    play = Play(seed, rate, Trouble(*[trouble / 20] * 4), acc)
    stop = stopped_by_signal()
    say({"ready": "gt06", "connect": connect, "imei": imei, "trackers": number})
    with open_truth(truth) as file:
        told = ReportTruth(file)
        with gt06_trackers(where, imeis, habits, told, FLUSH_S) as made:
            offered = play_reports(made, play, told, until(stop, run_s))
            beats = sum(tracker.heartbeats for tracker in made.values())
    summary({"device": "gt06", "offered": offered, "acked": told.acked, "heartbeats": beats}, as_json=as_json)
