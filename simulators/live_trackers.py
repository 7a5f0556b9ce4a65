"""The trackers of a live run: one device per machine that has a server."""

import time
from dataclasses import replace

from simulators import roster
from simulators.devices.teltonika import Habits, TeltonikaTracker
from simulators.live_machines import LiveMachines
from simulators.scenario import Scenario
from simulators.world import World

FLUSH_S, LEAST_FLUSH_S = 5.0, 0.5
HABITS = Habits(resend_share=0.02, drop_ack_share=0.01, split_share=0.02)
"""What a tracker now and then does to its server."""


def start(wanted: Scenario, world: World) -> LiveMachines:
    """The machines with their trackers switched on. What happens before a server answers is kept and sent then."""
    servers = {one.asset: one.address for one in wanted.machine if one.address is not None}
    lived = [past for past in roster.named_pasts(wanted) if past.machine.asset in servers]
    machines = LiveMachines(world, lived)
    for past in lived:
        imei, address = past.machine.imei, servers[past.machine.asset]
        tracker = TeltonikaTracker(address, imei, machines.note(imei), habits=replace(HABITS, seed=wanted.seed))
        tracker.start()
        machines.trackers[imei] = tracker
    return machines


def flush(machines: LiveMachines) -> None:
    """Trackers send what they still hold, within some seconds; what no server took is in the truth as well."""
    end = time.monotonic() + FLUSH_S
    for tracker in machines.trackers.values():
        tracker.stop(max(LEAST_FLUSH_S, end - time.monotonic()))
    machines.close()
