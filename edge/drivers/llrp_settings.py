"""`[[device]]` with driver = "llrp": what a person may set for one reader.

What can be wrong by itself is refused here, when the configuration is read; what depends on the reader when it is
connected (`llrp_inventory`).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.address import host_port

PORT, TLS_PORT = 5084, 5085
MAX_GPI = 255

Antenna = Annotated[int, Meta(ge=1, le=255)]
Prefix = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{1,62}$(?!\n)")]
InputName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
Power = Annotated[float, Meta(ge=-50, le=50)]


class GpiTrigger(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of one of the reader's inputs that starts or stops its radio."""

    gpi: Annotated[int, Meta(ge=1, le=MAX_GPI)]
    """The input's port number."""
    on: bool = True
    """Whether the input goes on, or off."""
    timeout_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """Only to stop: so long after the start at the latest, in seconds; 0: never."""


class LlrpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]` with driver = "llrp". Raises ValueError naming the key."""

    address: str
    """HOST or HOST:PORT; port 5084 if none, with tls 5085."""
    antennas: tuple[Antenna, ...] = ()
    """Antenna ports to use; empty: all that the reader has."""
    window_s: Annotated[float, Meta(ge=0, le=60)] = 0.5
    """Reads of one tag at one antenna within this time are one reading; 0: every entry of a report is one."""
    report_every_n: Annotated[int, Meta(ge=1, le=1000)] = 10
    """The reader reports every n tags."""
    report_poll_s: Annotated[float, Meta(ge=0, le=60)] = 0.5
    """After this long without a report it is asked for one; 0: never."""
    keepalive_s: Annotated[float, Meta(ge=0.1, le=600)] = 5.0
    """The reader says so often that it is alive; three silent intervals are a loss."""
    session: Annotated[int, Meta(ge=0, le=3)] = 1
    """Gen2 session: 0 and 1 read a tag that stays again and again, 2 and 3 seldom."""
    tag_population: Annotated[int, Meta(ge=1, le=65535)] = 32
    """Tags expected at once."""
    tx_power_dbm: Power | dict[str, Power] | None = None
    """Transmit power, or a table of antenna = power; left as the reader has it if not given."""
    mode: Literal["auto"] | Annotated[int, Meta(ge=0, le=65535)] = "auto"
    """Reader mode, an identifier of the reader's own table; "auto": left as the reader has it."""
    include: tuple[Prefix, ...] = ()
    """EPC prefixes in hex: only tags that begin with one of them are told; empty: all."""
    exclude: tuple[Prefix, ...] = ()
    """EPC prefixes in hex: tags that begin with one of them are not told."""
    impinj: bool = True
    """Of an Impinj reader phase, RSSI in 0.01 dBm and Doppler are asked for; others are not asked."""
    gpi: dict[str, InputName] = {}
    """The reader's inputs by port: the name under which each is told."""
    start_on: GpiTrigger | None = None
    """The input that starts the radio; not given: it always runs."""
    stop_on: GpiTrigger | None = None
    """The input that stops it again."""
    antenna_quiet_s: Annotated[float, Meta(ge=0, le=2_678_400)] = 0.0
    """An antenna silent for so long while the others are busy is told as quiet; 0: never."""
    tls: bool = False
    """LLRP over TLS."""
    ca_file: str = ""
    """With tls: who signs the reader's certificate, or that certificate; empty: the system's list."""
    cert_file: str = ""
    """With tls: this gateway's certificate, if the reader asks for one."""
    key_file: str = ""
    """With tls: its key."""
    verify_host: bool = True
    """With tls: the certificate must name the address."""
    capture: str = ""
    """A file that keeps what the reader says, for replay; empty: none."""
    capture_mb: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """The most that it may hold."""

    def __post_init__(self) -> None:
        host_port(self.address, PORT, "address")
        _check_powers(self)
        _check_gpi(self)
        _check_tls(self)

    def where(self) -> tuple[str, int]:
        """Host and port."""
        return host_port(self.address, TLS_PORT if self.tls else PORT)

    def inputs(self) -> dict[int, str]:
        """The names of the inputs by port."""
        return {int(port): name for port, name in self.gpi.items()}

    def powers_dbm(self) -> dict[int, float]:
        """The transmit power by antenna as far as one was asked for; antenna 0 is all."""
        if isinstance(self.tx_power_dbm, dict):
            return {int(antenna): power for antenna, power in self.tx_power_dbm.items()}
        return {} if self.tx_power_dbm is None else {0: self.tx_power_dbm}


def _check_powers(settings: LlrpSettings) -> None:
    if len(set(settings.antennas)) != len(settings.antennas):
        msg = f"antennas: each once expected, got {list(settings.antennas)}"
        raise ValueError(msg)
    if not isinstance(settings.tx_power_dbm, dict):
        return
    for key in settings.tx_power_dbm:
        _port("tx_power_dbm", "an antenna", key)
        if settings.antennas and int(key) not in settings.antennas:
            msg = f"tx_power_dbm.{key}: an antenna of antennas expected, they are {list(settings.antennas)}"
            raise ValueError(msg)


def _check_gpi(settings: LlrpSettings) -> None:
    for key in settings.gpi:
        _port("gpi", "an input's port", key)
    if len(set(settings.gpi.values())) != len(settings.gpi):
        msg = f"gpi: a name of its own for each input expected, got {list(settings.gpi.values())}"
        raise ValueError(msg)
    if (settings.start_on is None) != (settings.stop_on is None):
        msg = "start_on, stop_on: both or neither expected, or the radio would never start or never stop again"
        raise ValueError(msg)
    if settings.start_on is not None and settings.start_on.timeout_s:
        msg = "start_on.timeout_s: only stop_on has one"
        raise ValueError(msg)


def _port(where: str, what: str, key: str) -> None:
    if not key.isascii() or not key.isdecimal() or not 1 <= int(key) <= MAX_GPI or key != str(int(key)):
        msg = f"{where}: {what}, 1 ... {MAX_GPI}, expected as key, got {key!r}"
        raise ValueError(msg)


def _check_tls(settings: LlrpSettings) -> None:
    given = [name for name in ("ca_file", "cert_file", "key_file") if getattr(settings, name)]
    if given and not settings.tls:
        msg = f"{given[0]}: needs tls = true"
        raise ValueError(msg)
    if settings.key_file and not settings.cert_file:
        msg = "key_file: needs cert_file"
        raise ValueError(msg)
