"""HOST:PORT as people write it in a configuration."""

MAX_PORT = 65_535


def host_port(text: str, default_port: int | None = None, key: str = "") -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[IPv6]:PORT`, or `HOST` where there is a default. Raises ValueError naming `key`.

    >>> host_port("192.0.2.10:5084"), host_port("[2001:db8::1]", 5084)
    (('192.0.2.10', 5084), ('2001:db8::1', 5084))
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = text, ""
    if not port and default_port is not None:
        port = str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
        msg = f"{key}{key and ': '}HOST:PORT expected, got {text!r}"
        raise ValueError(msg)
    return host, int(port)
