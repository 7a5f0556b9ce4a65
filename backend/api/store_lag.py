"""How far the telemetry store is behind, for /metrics: asked beside the request, which never waits long for a store."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from sqlalchemy.exc import SQLAlchemyError

WAIT_S = 2.0


class StoreLag:
    """Asks a store that may be away or hang; one question at a time, whoever else scrapes meanwhile."""

    def __init__(self, ask: Callable[[], int], wait_s: float = WAIT_S) -> None:
        self._ask = ask
        self._wait_s = wait_s
        self._asking: Future[int] | None = None
        self._thread = ThreadPoolExecutor(1, "store-lag")

    def rows(self) -> int | None:
        """Readings and ledger entries that the store does not have yet; None while it does not answer."""
        asking = self._asking = self._asking or self._thread.submit(self._ask)
        if not wait([asking], self._wait_s).done:
            return None
        self._asking = None
        try:
            return asking.result()
        except (OSError, SQLAlchemyError):
            return None
