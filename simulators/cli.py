"""`stockyard-sim`: devices that stand alone, and the simulated world."""

import typer

from simulators import commands, pass_commands
from simulators.device_commands import device

app = typer.Typer(help="Simulated devices and a simulated warehouse, with a truth log.", no_args_is_help=True)
app.add_typer(device, name="device")
commands.register(app)
pass_commands.register(app)


def main() -> None:
    """The console script."""
    app()
