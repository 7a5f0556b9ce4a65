"""The files of a demo, or of a machine that runs gateway and backend to start from: configurations, scenario, fleet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.config import ConfigError

MACHINES = (("TRUCK-1", "truck", "356307042441013"), ("CRANE-1", "crane", "356307042441021"))
PLANS = (
    ("TRUCK-1/oil", 80, 60),
    ("TRUCK-1/inspection", None, 20),
    ("CRANE-1/oil", 60, 60),
    ("CRANE-1/rope", None, 14),
)
"""(id, every_hours, every_days) as in deploy/site.example.toml, for the simulated planner who does them."""
IO = """[device.io]
1 = { input = "hoist" }
72 = { signal = "gearbox_temperature", unit = "Cel", divide_by = 10, signed = true }
9 = { signal = "gearbox_vibration", unit = "mm/s", divide_by = 1000 }
6 = { signal = "oil_pressure", unit = "bar", divide_by = 1000 }
114 = { signal = "engine_load", unit = "%" }
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts meet."""

    broker: int = 1883
    page: int = 8000
    doors: tuple[int, int] = (5084, 5085)
    trackers: int = 5027


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    directory: Path | None
    port: int
    seed: int
    history_days: int
    run_s: float | None
    check: bool
    machines: int = 0
    """Beside the truck and the crane."""


def write_configs(folder: Path, ports: Addresses, gateway: str) -> list[Path]:
    """backend.toml and edge.toml of one machine that runs both. Raises ConfigError if one is there already."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    broker = f'[mqtt]\nurl = "mqtt://127.0.0.1:{ports.broker}"\n'
    backend = f'[backend]\nstate_dir = "{folder}/backend"\nlisten = "127.0.0.1:{ports.page}"\n{broker}'
    doors = "".join(
        f'[[device]]\nname = "door-{n}"\ndriver = "llrp"\naddress = "127.0.0.1:{port}"\nantennas = [1, 2, 3, 4]\n'
        for n, port in enumerate(ports.doors, 1)
    )
    scanner = f'[[device]]\nname = "scanner-1"\ndriver = "serial_scanner"\nport = "{folder}/scanner-1.tty"\n'
    trackers = f'[[device]]\nname = "trackers"\ndriver = "teltonika"\nlisten = "127.0.0.1:{ports.trackers}"\n{IO}'
    edge = f'[gateway]\nname = "{gateway}"\nstate_dir = "{folder}/edge"\n{broker}{doors}{scanner}{trackers}'
    written: list[Path] = []
    for name, text in (("backend.toml", backend), ("edge.toml", edge)):
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise ConfigError(f"{path}: is there already; remove it or choose another folder")
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def write_scenario(folder: Path, ports: Addresses, plan: Plan) -> Path:
    """The simulated site: the demo's scenario on these ports, its live part beginning now."""
    doors = "".join(
        f'[[door]]\nname = "door-{n}"\nlisten = "127.0.0.1:{port}"\nclock_offset = {offset}\n'
        for (n, port), offset in zip(enumerate(ports.doors, 1), (0.0, -1.7), strict=True)
    )
    server = f'server = "127.0.0.1:{ports.trackers}"\n'
    machines = "".join(
        f'[[machine]]\nasset = "{asset}"\nkind = "{kind}"\nimei = "{imei}"\n{server}' for asset, kind, imei in MACHINES
    )
    plans = "".join(_plan(*each) for each in PLANS)
    start = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = f'seed = {plan.seed}\nstart = {start}\nhistory_days = {plan.history_days}\ntruth = "truth.jsonl"\n'
    fleet = f"machines = {plan.machines}\n" if plan.machines else ""
    scanner = '[[scanner]]\nname = "scanner-1"\nlink = "scanner-1.tty"\n'
    path = folder / "scenario.toml"
    path.write_text(f"{head}{fleet}{doors}{scanner}{machines}{plans}", encoding="utf-8")
    return path


def _plan(ident: str, hours: int | None, days: int | None) -> str:
    asset = ident.partition("/")[0]
    every = [f"every_{unit} = {value}\n" for unit, value in (("hours", hours), ("days", days)) if value is not None]
    return f'[[plan]]\nid = "{ident}"\nasset = "{asset}"\n{"".join(every)}'


def write_fleet(folder: Path, machines: int) -> Path:
    """A site file of further machines, as the simulated world numbers them: M-001, M-002, ..."""
    texts: list[str] = []
    for number in range(1, machines + 1):
        asset, kind, imei = f"M-{number:03d}", ("truck", "crane")[(number - 1) % 2], f"imei:3563070425{number:05d}"
        texts.append(f'[assets."{asset}"]\nname = "{kind.capitalize()} {number}"\nserial = "SIM-{number:05d}"\n')
        texts.append(f'category = "{kind}"\n[devices."{imei}"]\nname = "{imei}"\n')
        texts.append(f'[devices."{imei}".tracker]\nasset = "{asset}"\n')
    path = folder / "fleet.toml"
    path.write_text("".join(texts), encoding="utf-8")
    return path
