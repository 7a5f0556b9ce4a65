"""What is asked of one reader: the settings in the reader's own numbers, each checked against what it can do."""

import itertools

from edge.driver import SettingRefused
from edge.drivers.llrp_control import Capabilities
from edge.drivers.llrp_rospec import IMPINJ, Inventory
from edge.drivers.llrp_settings import LlrpSettings


def inventory(settings: LlrpSettings, reader: Capabilities) -> Inventory:
    """The inventory that the settings ask for.

    Raises SettingRefused naming the key, what the reader can, and what was asked.
    """
    antennas = _antennas(settings, reader)
    powers = _powers(settings, reader, antennas)
    _check_gpi(settings, reader)
    return Inventory(
        antennas=antennas,
        report_every_n=settings.report_every_n,
        session=settings.session,
        tag_population=settings.tag_population,
        powers=powers,
        hop_table=reader.hop_table if reader.hopping else 0,
        channel=0 if reader.hopping else 1,
        mode=_mode(settings, reader),
        mask=_mask(settings.include) if reader.filters else "",
        impinj=settings.impinj and reader.manufacturer == IMPINJ,
        start_on=settings.start_on,
        stop_on=settings.stop_on,
    )


def _antennas(settings: LlrpSettings, reader: Capabilities) -> tuple[int, ...]:
    """The ports by number where that is needed, else 0 for all of them."""
    powers = settings.powers_dbm()
    asked = settings.antennas or tuple(antenna for antenna in powers if antenna)
    if asked and max(asked) > reader.antennas:
        key = "antennas" if settings.antennas else "tx_power_dbm"
        msg = f"{key}: antennas 1 ... {reader.antennas} expected for this reader, got {max(asked)}"
        raise SettingRefused(msg)
    if settings.antennas:
        return settings.antennas
    return tuple(range(1, reader.antennas + 1)) if asked else (0,)


def _powers(settings: LlrpSettings, reader: Capabilities, antennas: tuple[int, ...]) -> dict[int, int]:
    """Index of the power table by antenna: of each power the strongest level that is not above it."""
    asked = settings.powers_dbm()
    every = asked.get(0)
    powers = asked if every is None else dict.fromkeys(antennas, every)
    return {antenna: _power(antenna, power, reader) for antenna, power in powers.items()}


def _power(antenna: int, power_dbm: float, reader: Capabilities) -> int:
    levels = {index: level for index, level in reader.powers.items() if level <= power_dbm}
    if not levels or power_dbm > max(reader.powers.values()):
        can = f"{min(reader.powers.values())} ... {max(reader.powers.values())}" if reader.powers else "no power"
        whose = f" of antenna {antenna}" if antenna else ""
        msg = f"tx_power_dbm{whose}: {can} expected for this reader, got {power_dbm}"
        raise SettingRefused(msg)
    return max(levels, key=lambda level: levels[level])


def _mode(settings: LlrpSettings, reader: Capabilities) -> int | None:
    if settings.mode == "auto":
        return None
    if settings.mode not in reader.modes:
        can = f"one of {', '.join(map(str, reader.modes))}" if reader.modes else '"auto"'
        msg = f"mode: {can} expected for this reader, got {settings.mode}"
        raise SettingRefused(msg)
    return settings.mode


def _mask(include: tuple[str, ...]) -> str:
    """What all included prefixes begin with: the radio need not ask the other tags; the edge looks at the rest.

    >>> _mask(("3034A", "3034b7")), _mask(("30", "E2"))
    ('3034', '')
    """
    alike = itertools.takewhile(lambda digits: len(set(digits)) == 1, zip(*map(str.lower, include), strict=False))
    return "".join(digits[0] for digits in alike)


def _check_gpi(settings: LlrpSettings, reader: Capabilities) -> None:
    asked = {f"gpi.{port}": port for port in settings.inputs()}
    for key, trigger in (("start_on", settings.start_on), ("stop_on", settings.stop_on)):
        if trigger is not None:
            asked[f"{key}.gpi"] = trigger.gpi
    for key, port in asked.items():
        if port > reader.gpis:
            can = f"inputs 1 ... {reader.gpis}" if reader.gpis else "no inputs"
            msg = f"{key}: {can} expected for this reader, got {port}"
            raise SettingRefused(msg)


def ports(settings: LlrpSettings) -> tuple[int, ...]:
    """The inputs that the reader is to watch.

    >>> ports(LlrpSettings("192.0.2.10", gpi={"2": "photo_eye", "1": "door"}))
    (1, 2)
    """
    triggers = (trigger.gpi for trigger in (settings.start_on, settings.stop_on) if trigger is not None)
    return tuple(sorted({*settings.inputs(), *triggers}))
