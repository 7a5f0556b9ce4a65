"""`stockyard-sim`: devices that stand alone, and the simulated world."""

import typer

from simulators import commands, device_commands, device_gps, device_gt06, device_http, device_trackers, pass_commands
from simulators.device_options import device
from simulators.torture import command as torture_command

DEVICES = (device_commands, device_gps, device_gt06, device_http, device_trackers)
"""The modules whose commands `device` has: each adds its own when it is imported."""

app = typer.Typer(help="Simulated devices and a simulated warehouse, with a truth log.", no_args_is_help=True)
app.add_typer(device, name="device")
commands.register(app)
pass_commands.register(app)
torture_command.register(app)


def main() -> None:
    """The console script."""
    app()
