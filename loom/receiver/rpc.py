"""OTLP/gRPC."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # nor does protobuf

from loom.receiver.signals import MAX_BYTES, Signal, Sink, serialized, signals

_THREADS = 4
_GRACE = 2.0
"""Seconds for requests under way when it stops."""
_OPTIONS = (
    # Without it two receivers would share a port, and each get half of what is sent.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_BYTES),
)


class RpcServer:
    """A gRPC server in its own threads."""

    def __init__(self, sink: Sink, host: str, port: int) -> None:
        """Listen from now on; port 0 takes a free one. OSError when the port cannot be had."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp-grpc")
        self._server = grpc.server(self._threads, options=_OPTIONS)
        self._server.add_generic_rpc_handlers([_handler(signal) for signal in signals(sink)])
        try:
            self.port: int = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            message = f"cannot listen on {host}:{port}: {error}"
            raise OSError(message) from error
        self._server.start()

    def close(self) -> None:
        """Finish what is under way, and stop."""
        self._server.stop(_GRACE).wait()
        self._threads.shutdown()


def _handler(signal: Signal) -> grpc.GenericRpcHandler:
    # Bytes in and out: with grpc's own deserializer a malformed request would be answered INTERNAL, which
    # says that the fault is ours.
    method = grpc.unary_unary_rpc_method_handler(_export(signal))
    return grpc.method_handlers_generic_handler(signal.service, {"Export": method})


def _export(signal: Signal) -> Callable[[bytes, Any], bytes]:
    def export(body: bytes, context: Any) -> bytes:  # noqa: ANN401 - grpc ships no types
        request = signal.request()
        try:
            request.ParseFromString(body)
        except DecodeError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"not an OTLP request: {error}")
        return serialized(signal.answer(request))

    return export
