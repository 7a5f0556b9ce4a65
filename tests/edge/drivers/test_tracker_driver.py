"""How many connections the ports of one gateway are promised, whatever comes to them."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from edge import open_files
from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from edge.drivers.osmand import OsmandDriver, OsmandSettings
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings
from edge.drivers.tracker_keeping import Keeping
from edge.open_files import SPARE
from tests.edge.delivery_site import free_port


class Nobody:
    def reading(self) -> None:
        pass

    def bad_frame(self, why: str) -> None:
        pass


@pytest.mark.parametrize(
    ("driver", "settings"),
    [(OsmandDriver, OsmandSettings), (TeltonikaDriver, TeltonikaSettings), (Gt06Driver, Gt06Settings)],
)
def test_ports_share_the_files_and_give_them_back(driver: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [1024, 2300]
    monkeypatch.setattr(open_files, "_promised", [])
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _what: tuple(limits))
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _what, wanted: limits.__setitem__(0, wanted[0]))
    one, other = (driver("x", settings(listen=f"127.0.0.1:{free_port()}")) for _ in range(2))
    keeping = Keeping(lambda _said: Future(), Nobody())

    async def main() -> None:
        async with one.serving(keeping):
            async with other.serving(keeping):
                assert open_files._promised == [2000, 2300 - SPARE - 2000]
            with pytest.raises(OSError, match="in use"):
                async with one.serving(keeping):
                    pass
            assert open_files._promised == [2000], "the address was taken, and nothing is kept for it"

    asyncio.run(main())
    keeping.close()
    assert open_files._promised == []
