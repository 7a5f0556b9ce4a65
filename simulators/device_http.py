"""`stockyard-sim device`: phones that send by HTTP, and a telematics provider's endpoint."""

import time
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
from simulators.device_trackers import FLUSH_S, UPSETS
from simulators.devices.aemp import AempServer, ElementTruth, Shown, of_aemp
from simulators.devices.aemp_fleet import Form
from simulators.devices.alone import until
from simulators.devices.driving import Play, RecordTruth, Sending, play_records
from simulators.devices.osmand import phones
from simulators.devices.osmand_codec import Form as RequestForm
from simulators.devices.teltonika import Habits
from simulators.devices.upsets import Trouble

TICK_S = 0.1
PIN = "SIM{:014}"


@device.command("osmand")
def osmand(  # noqa: PLR0913 - each is an option of the command
    *,
    connect: Annotated[str, typer.Option(help="http://HOST:PORT of the server, or HOST:PORT.")],
    number: Annotated[str, typer.Option("--id", help="What it is called; of the first phone, others have -2, -3 ...")],
    many: Annotated[int, typer.Option("--phones", min=1, help="How many phones.")] = 1,
    form: Annotated[RequestForm, typer.Option(help="A query, a form, or the JSON of newer clients.")] = "query",
    records_per_request: Annotated[int, typer.Option(min=1, max=1000, help="In JSON, of a backlog.")] = 1,
    rate: Annotated[float, typer.Option(min=0.001, help="Records a second of each phone.")] = 1.0,
    trouble: Annotated[float, typer.Option(min=0, max=1, help="How much goes wrong, of requests and records.")] = 0.0,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """Phones on machines that drive around: the HTTP protocol of OsmAnd and Traccar Client.

    With --trouble S, this share of requests is sent twice, unheard, in pieces, ahead or out of order, and after a
    twentieth of it of the records a clock loses 1024 weeks or is 30 days ahead, or a phone reboots or is out of reach.
    """
    where = address(connect.removeprefix("http://").rstrip("/"), "--connect")
    numbers = [number, *(f"{number}-{each}" for each in range(2, many + 1))]
    habits = Habits(
        seed=seed,
        resend_share=trouble,
        drop_ack_share=trouble,
        split_share=trouble,
        burst_share=trouble,
        disorder_share=trouble,
    )
    play = Play(seed, rate, Trouble(*[trouble / UPSETS] * 4))
    stop = stopped_by_signal()
    say({"ready": "osmand", "connect": connect, "id": number, "phones": many})
    with open_truth(truth) as file:
        told = RecordTruth(file)
        with phones(where, numbers, told, FLUSH_S, (form, Sending(records_per_request, habits))) as made:
            offered = play_records(made, play, told, until(stop, run_s))
    summary({"device": "osmand", "offered": offered, "acked": told.acked}, as_json=as_json)


@device.command("aemp")
def aemp(  # noqa: PLR0913 - each is an option of the command
    *,
    listen: Annotated[str, typer.Option(help="HOST:PORT; port 0 is any free one.")] = "127.0.0.1:8143",
    machines: Annotated[int, typer.Option(min=1, max=100_000, help="How many machines.")] = 25,
    per_page: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    form: Annotated[Form, typer.Option(help="What pages are written in.")] = "xml",
    every_s: Annotated[float, typer.Option(min=1.0, help="Machines send their news so often.")] = 5.0,
    username: Annotated[str, typer.Option(help="Asked for, with the password of --password-file.")] = "",
    password_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A file with it.")] = None,
    fault: FaultList = None,
    seed: Seed = 1,
    run_s: Seconds = None,
    truth: Truth = None,
    as_json: Json = False,
) -> None:
    """A telematics provider's endpoint, ISO 15143-3 (AEMP 2.0): a fleet in pages.

    Faults, with how many seconds they last: loop, missing_page, repeated_page, empty_pages, foreign_host, garbage,
    busy, slow, entity_bomb, truncated, unauthorized.
    """
    if bool(username) != bool(password_file):
        raise typer.BadParameter("both of --username and --password-file expected", param_hint="--username")
    login = f"{username}:{password_file.read_text().strip()}" if password_file else ""
    with open_truth(truth) as file:
        told = ElementTruth(file)
        pins = [PIN.format(each) for each in range(1, machines + 1)]
        made: list[AempServer] = []

        def begin() -> None:
            where = address(listen, "--listen")
            made.append(AempServer(where, pins, told.served, Shown(per_page, form, seed, login)))
            made[0].start()

        start(begin, f"--listen {listen}")
        [server] = made
        stop = stopped_by_signal()
        over = with_faults(until(stop, run_s), faults_of(fault, of_aemp(server)), of_aemp(server), told)
        say({"ready": "aemp", "url": server.url, "machines": machines})
        due = time.monotonic()
        while not over(TICK_S):
            if time.monotonic() >= due:
                due += every_s
                told.offer(server.send(time.time_ns() // 1000))
        server.stop()
        told.close()
    summary({"device": "aemp", "sent": told.sent, "served": told.read, "asked": server.asked}, as_json=as_json)
