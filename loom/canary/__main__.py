"""`python -m loom.canary [--listen HOST:PORT]`."""

import argparse
import logging
import os
import signal
import sys
from threading import Event

from loom.canary.service import serve
from loom.canary.settings import from_environ
from loom.contract import canary
from loom.errors import LoomError

logger = logging.getLogger("loom.canary")


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code is 0 then, and the error's own before it could start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # A line for each request says nothing that the exported numbers do not.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser("loom.canary", description=__doc__)
    parser.add_argument("--listen", metavar="HOST:PORT", help=f"instead of {canary.LISTEN.name}")
    listen = parser.parse_args().listen
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        serve(from_environ({**os.environ, **({canary.LISTEN.name: listen} if listen else {})}), stop)
    except LoomError as error:
        logger.error("%s", error)  # noqa: TRY400 - what is wrong is in the message, its stack helps nobody
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
