"""One OTLP export, tried as a Loom process would make it."""

import os
import ssl
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from loom.deploy.doctor.environment import GRPC, HTTP
from loom.deploy.doctor.papers import Papers

TIMEOUT = 3.0
"""Seconds for one answer."""
_EXPORTS = {
    GRPC: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    HTTP: "/v1/traces",
}
# An export request without any span is, in protobuf's encoding, no bytes at all.
_NOTHING = b""


def export(url: str, protocol: str, papers: Papers) -> str:
    """Send a request without a span; what went wrong, empty when it was taken."""
    try:
        return _export_http(url, papers) if protocol == HTTP else _export_grpc(url, papers)
    except OSError as error:  # ssl.SSLError is one
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{(error.strerror or str(error)).lower()}"


def _export_grpc(url: str, papers: Papers) -> str:
    # What is refused is told as a finding; gRPC would write lines of its own beside it.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - grpcio ships no types, and is slow to import

    parts = urlsplit(url)
    target = f"{parts.hostname}:{parts.port or 4317}"
    if parts.scheme == "https":
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(*_read(papers)))
    else:
        channel = grpc.insecure_channel(target)
    try:
        channel.unary_unary(_EXPORTS[GRPC])(_NOTHING, timeout=TIMEOUT, metadata=_bearer(papers))
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    finally:
        channel.close()
    return ""


def _export_http(url: str, papers: Papers) -> str:
    import httpx2  # noqa: PLC0415 - as above

    headers = {"Content-Type": "application/x-protobuf", **dict(_bearer(papers))}
    try:
        with httpx2.Client(timeout=TIMEOUT, trust_env=False, verify=_context(papers)) as client:
            response = client.post(url.rstrip("/") + _EXPORTS[HTTP], content=_NOTHING, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return (str(error) or type(error).__name__).lower()
    return "" if response.is_success else f"HTTP {response.status_code}: {response.text[:120].strip()}"


def _read(papers: Papers) -> list[bytes | None]:
    """Authority, key and certificate; OSError with the name of the file that cannot be read."""
    files = (papers.authority, papers.key, papers.certificate)
    return [Path(name).read_bytes() if name else None for name in files]


def _context(papers: Papers) -> ssl.SSLContext:
    if not papers.authority and not papers.certificate:
        return trust()
    _read(papers)  # what `ssl` says of a file that it cannot read has no name in it
    context = ssl.create_default_context(cafile=papers.authority or None)
    if papers.certificate:
        context.load_cert_chain(papers.certificate, papers.key or None)
    return context


def _bearer(papers: Papers) -> tuple[tuple[str, str], ...]:
    if not papers.token:
        return ()
    # Of two, the first is the one that is shown; the other is taken until it is rotated out.
    words = Path(papers.token).read_text().split()
    return (("authorization", f"Bearer {words[0]}"),) if words else ()


@cache
def trust() -> ssl.SSLContext:
    """The machine's certificates, read once: that takes longer than most answers."""
    return ssl.create_default_context()
