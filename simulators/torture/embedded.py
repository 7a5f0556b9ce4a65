"""A broker for who has no Mosquitto: `python -m simulators.torture.embedded PORT`, until it is ended or killed."""

import signal
import sys

MOST_BYTES = 1 << 20


def main() -> None:
    """Run the embedded broker on loopback."""
    from iotcore import Broker  # noqa: PLC0415 - only who has no other broker needs this extra

    broker = Broker(port=int(sys.argv[1]), listen="127.0.0.1", max_payload_size=MOST_BYTES)
    broker.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    broker.stop()


if __name__ == "__main__":
    main()
