"""`stockyard` with a fuse: it ends by SIGKILL between a commit and the receipts for it, once the file FUSE is there.

`python crashing_backend.py FUSE serve -c backend.toml`. The receipts that nobody was sent are left in FUSE.burnt.
"""

import os
import signal
import sys
from pathlib import Path

import msgspec

from backend.cli import main
from backend.ingest import Outcome
from backend.worker import IngestWorker

FUSE = Path(sys.argv.pop(1)) if __name__ == "__main__" else Path()
tell = IngestWorker._tell  # pyright: ignore[reportPrivateUsage] - between commit and receipt there is nothing public


def tell_or_die(self: IngestWorker, outcome: Outcome) -> None:
    if outcome.readings and FUSE.exists():
        FUSE.write_bytes(msgspec.json.encode([(receipt.epoch, receipt.seq) for _, receipt in outcome.receipts]))
        FUSE.rename(f"{FUSE}.burnt")
        os.kill(os.getpid(), signal.SIGKILL)
    tell(self, outcome)


if __name__ == "__main__":
    IngestWorker._tell = tell_or_die  # type: ignore[method-assign]
    main()
