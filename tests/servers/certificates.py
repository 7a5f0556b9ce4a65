"""A throw-away certificate authority by the openssl program: servers and clients, of any length of life."""

import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPENSSL = shutil.which("openssl")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
SERVER_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
CLIENT_USE = "extendedKeyUsage=clientAuth\n"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """Signs what a test needs; `ca` is what its peers are told to trust."""

    folder: Path
    pair: Pair

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """A new one in a folder of its own below `folder`."""
        place = folder / f"ca-{secrets.token_hex(3)}"
        place.mkdir(parents=True)
        pair = Pair(place / "ca.crt", place / "ca.key")
        subject = ("-subj", f"/CN=test authority {place.name}", "-days", "30")
        _openssl("req", "-x509", *_KEY, *subject, "-keyout", pair.key, "-out", pair.cert)
        return cls(place, pair)

    @property
    def ca(self) -> Path:
        return self.pair.cert

    def server(self, days: int = 365, name: str = "localhost") -> Pair:
        """For a server at localhost or 127.0.0.1."""
        return self._sign(name, days, SERVER_NAMES)

    def client(self, name: str, days: int = 365) -> Pair:
        """For a client of this name."""
        return self._sign(name, days, CLIENT_USE)

    def _sign(self, name: str, days: int, extensions: str) -> Pair:
        stem = f"{name}-{secrets.token_hex(3)}"
        pair = Pair(self.folder / f"{stem}.crt", self.folder / f"{stem}.key")
        request, more = self.folder / f"{stem}.csr", self.folder / f"{stem}.ext"
        more.write_text(extensions)
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
        signed_by = ("-CA", self.pair.cert, "-CAkey", self.pair.key, "-set_serial", str(secrets.randbits(60)))
        _openssl("x509", "-req", "-in", request, *signed_by, "-days", str(days), "-extfile", more, "-out", pair.cert)
        pair.key.chmod(0o644)  # a broker that gives up root reads it as another user
        return pair


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run([str(OPENSSL), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"
