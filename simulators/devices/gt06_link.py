"""A GT06 tracker's connection: packets out, type and serial number of each answer in."""

import time

from simulators.devices.gt06_codec import MARK, STOP, crc_itu
from simulators.devices.tracker_link import LinkLost, TrackerLink

ANSWER_BYTES = 10


class Gt06Link(TrackerLink):
    """See TrackerLink."""

    def answers(self, expected: set[tuple[int, int]], timeout_s: float) -> list[tuple[int, int]]:
        """Those of the expected answers, types and serial numbers, that came in time; others are passed over."""
        heard: list[tuple[int, int]] = []
        until = time.monotonic() + timeout_s
        while len(heard) < len(expected) and time.monotonic() < until:
            try:
                answer = self._answer()
            except LinkLost:
                break
            if answer in expected and answer not in heard:
                heard.append(answer)
        return heard

    def _answer(self) -> tuple[int, int]:
        data = self.exactly(ANSWER_BYTES)
        body, crc = data[2:6], int.from_bytes(data[6:8], "big")
        if not (data.startswith(MARK + b"\x05") and data.endswith(STOP) and crc == crc_itu(body)):
            raise LinkLost(f"answered with {data.hex()}")
        return body[1], int.from_bytes(body[2:], "big")
