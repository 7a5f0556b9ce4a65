"""The running gateway: the one place that builds devices, outbox and publisher and ties them together."""

import gc
import logging
import signal
from collections.abc import Callable
from threading import Event, Thread
from types import FrameType

from edge.config import Config
from edge.flow import Flow
from edge.intake import Intake
from edge.outbox import Outbox
from edge.publisher import Publisher
from edge.supervisor import Supervisor
from edge.watchdog import Watchdog

DEVICES_S, COMMIT_S, STATUS_S = 5.0, 5.0, 5.0
SELDOM = 50
log = logging.getLogger(__name__)


def stop_on_signals() -> Event:
    """An event that SIGTERM and SIGINT set. To be called in the main thread."""
    stop = Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def collect_seldom() -> None:
    """Look for cycles among old objects 5 times more seldom than Python does; for this process as a whole.

    That stops every thread, each 7 s for 0.2 s and more with 5,000 trackers connected, and finds nearly nothing here.
    """
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, SELDOM)


def _flows(config: Config, intake: Intake) -> Callable[[str, Event], Flow]:
    """Each device has a share of the intake, and brings no more than it may."""
    devices = {device.name: device for device in config.devices}

    def flow(name: str, stop: Event) -> Flow:
        device = devices[name]
        return Flow(name, intake.share(), device.max_readings_per_s, stop, waits=device.kind.waits)

    return flow


def run(config: Config, stop: Event) -> bool:
    """Run until stop, then end in the order of the data: devices, outbox, status.

    Whether everything read was made durable. Raises OSError, sqlite3.Error or OutboxInUse if the outbox does not open.
    """
    outbox = Outbox(config.outbox, config.gateway.outbox_quota_mb)
    intake = Intake(outbox.put)
    supervisor = Supervisor(
        {device.name: device.driver() for device in config.devices}, intake.put, _flows(config, intake)
    )
    publisher = Publisher(config.gateway.name, config.mqtt, outbox, supervisor.devices, supervisor.reply)
    publisher.trackers = supervisor.trackers
    watchdog = Watchdog()
    publisher.beat = watchdog.beat
    publishing = Event()
    thread = Thread(target=publisher.run, args=(publishing,), name="publisher", daemon=True)
    thread.start()
    supervisor.start(publisher.devices_changed)
    log.info("gateway %s: %d devices, broker %s", config.gateway.name, len(config.devices), config.mqtt.url)
    watchdog.ready()
    while not stop.wait(1.0) and thread.is_alive():
        pass
    watchdog.stopping()
    if not stop.is_set():
        log.critical("the publisher's thread has ended: stopping")
    late = supervisor.stop(DEVICES_S)
    if late:
        log.warning("not ended in time: %s", ", ".join(late))
    left = intake.close(COMMIT_S)
    publishing.set()
    thread.join(STATUS_S)
    outbox.close()
    if left:
        log.error("%d readings could not be made durable", left)
    log.info("gateway %s: stopped", config.gateway.name)
    return stop.is_set() and not left
