"""The embedded engine's process: receiver and page until it is asked to end, problems in its log."""

import argparse
import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from loom.deploy.embedded.live import Live
from loom.deploy.embedded.page import About, application
from loom.receiver.decode import Decoder
from loom.receiver.receiver import LOOPBACK, Addresses, receiving
from loom.receiver.web import WebServer, bind

logger = logging.getLogger("loom.embedded")

HEALTH = "/api/health"
"""Answers 200 once everything listens."""
_LOOK = 1.0
"""Seconds between two looks for new problems to log."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 4 when a port cannot be had."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    live = Live()
    try:
        with _serving(live, options):
            _watch(live, stop)
    except OSError as error:
        logger.error("%s", error)  # noqa: TRY400 - a port that is taken needs no traceback
        return 4
    logger.info("stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loom.deploy.embedded", description=__doc__)
    parser.add_argument("--name", default="embedded", help="name of the deployment")
    parser.add_argument("--host", default=LOOPBACK)
    for port, meaning in (("grpc", "OTLP/gRPC"), ("http", "OTLP/HTTP"), ("page", "the page")):
        parser.add_argument(
            f"--{port}", type=int, default=0, metavar="PORT", help=f"of {meaning}; 0: a free one"
        )
    return parser


@contextmanager
def _serving(live: Live, options: argparse.Namespace) -> Iterator[None]:
    addresses = Addresses(options.host, options.grpc, options.http)
    with receiving(Decoder(live.take), addresses) as receiver:
        about = About(options.name, receiver.endpoint, receiver.http_endpoint)
        page = WebServer(application(live, about), bind(options.host, options.page))
        try:
            logger.info("receives OTLP/gRPC at %s, OTLP/HTTP at %s", about.grpc, about.http)
            logger.info("the page is at http://%s:%d", options.host, page.port)
            yield
        finally:
            live.closed = True
            page.close()


def _watch(live: Live, stop: threading.Event) -> None:
    """Log each problem once, when it appears."""
    logged: set[str] = set()
    seen = -1
    while not stop.wait(_LOOK):
        if live.version == seen:
            continue
        seen = live.version
        for counted in live.report().faults:
            problem = str(counted.fault.problem)
            if problem not in logged:
                logged.add(problem)
                logger.warning("%s", problem)
