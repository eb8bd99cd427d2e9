"""The receiver: both transports, one sink."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loom.receiver.rpc import RpcServer
from loom.receiver.signals import Sink

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to listen; port 0 takes a free one."""

    host: str = LOOPBACK
    grpc: int = 0
    http: int | None = 0
    """None: gRPC only, which starts faster."""


ANYWHERE = Addresses()


class Receiver:
    """Listens until it is closed."""

    def __init__(self, sink: Sink, addresses: Addresses = ANYWHERE) -> None:
        """Listen from now on; OSError when a port cannot be had, and then nothing listens."""
        self._host = addresses.host
        self._rpc = RpcServer(sink, addresses.host, addresses.grpc)
        self._web = None
        if addresses.http is not None:
            # Late: who wants gRPC only does without a web server.
            from loom.receiver import http_intake, web  # noqa: PLC0415 - as just said

            try:
                bound = web.bind(addresses.host, addresses.http)
            except OSError:
                self._rpc.close()
                raise
            self._web = web.WebServer(http_intake.application(sink), bound)

    @property
    def endpoint(self) -> str:
        """URL of OTLP/gRPC."""
        return f"http://{self._host}:{self._rpc.port}"

    @property
    def http_endpoint(self) -> str:
        """URL of OTLP/HTTP; empty when it was not wanted."""
        return f"http://{self._host}:{self._web.port}" if self._web else ""

    def close(self) -> None:
        """Stop listening; what was under way has been taken."""
        self._rpc.close()
        if self._web:
            self._web.close()


@contextmanager
def receiving(sink: Sink, addresses: Addresses = ANYWHERE) -> Iterator[Receiver]:
    """A receiver that is closed behind the block."""
    receiver = Receiver(sink, addresses)
    try:
        yield receiver
    finally:
        receiver.close()
