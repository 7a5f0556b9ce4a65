"""A driver that trackers connect to by TCP, whatever their protocol: it gives a `Conversation` for each connection."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager

from edge.address import host_port
from edge.drivers.conversation import Conversation
from edge.drivers.tracker_keeping import Keeping
from edge.drivers.tracker_listener import Limits, Listener
from edge.drivers.tracker_port import Listening, TrackerPort
from edge.open_files import room_for


class TrackerDriver(TrackerPort):
    """All trackers of one port. `allowed` names those that are served, as devices; empty: every tracker."""

    def __init__(self, settings: Listening, talk: Callable[[], Conversation], allowed: Iterable[str] = ()) -> None:
        super().__init__(settings, allowed)
        self._talk = talk

    @asynccontextmanager
    async def serving(self, keeping: Keeping) -> AsyncGenerator[None, None]:
        """See TrackerPort."""
        settings = self._settings
        with room_for(settings.max_connections) as room:
            listener = Listener(Limits(self._allowed, room, settings.idle_s), self._talk, self._presence, keeping)
            async with listener.listening(*host_port(settings.listen)):
                yield
