"""PORT GATEWAY READINGS_PER_S IN_FLIGHT: sends batches of 500 until it is ended; prints what it sent and its mark.

IN_FLIGHT 0: it never waits for a receipt. Else so many batches are in flight at most, as those of a real edge, and
after two seconds of silence it begins again behind its mark.
"""

import signal
import sys
import time
from datetime import UTC, datetime
from threading import Event

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from edge.outbox_file import new_epoch
from models import wire
from models.reading import Signal

BATCH, SILENT_S = 500, 2.0


def main(port: int, gateway: str, per_s: int, in_flight: int) -> None:
    """Send until SIGTERM."""
    stop, mark, rose = Event(), 0, time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(1000)

    def heard(_client: Client, _data: object, message: object) -> None:
        nonlocal mark, rose
        receipt = msgspec.json.decode(message.payload, type=wire.Receipt)  # type: ignore[attr-defined]
        if receipt.seq > mark:
            mark, rose = receipt.seq, time.monotonic()

    client.on_connect = lambda me, *_: me.subscribe(wire.topic(gateway, "receipt"), 1)
    client.on_message = heard
    client.connect("127.0.0.1", port)
    client.loop_start()
    now, epoch, seq, sent = datetime.now(UTC), new_epoch(), 1, 0
    texts = [wire.encode(Signal(f"flood-{k % 5}", now, "load", float(k), "kg")) for k in range(BATCH)]
    print("sending", flush=True)
    begin = time.monotonic()
    while not stop.is_set():
        if in_flight and seq - 1 - mark >= in_flight * BATCH:
            if time.monotonic() - rose > SILENT_S:
                seq, rose = mark + 1, time.monotonic()
            stop.wait(0.002)
            continue
        client.publish(wire.topic(gateway, "readings"), wire.encode_batch(epoch, seq, now, texts), qos=1)
        seq += BATCH
        sent += BATCH
        stop.wait(max(0.0, begin + sent / per_s - time.monotonic()))
    client.disconnect()
    print(sent, mark, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
