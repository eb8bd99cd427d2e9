"""The same with a whole call of OTLP over gRPC: what a token decides about."""

from loom.deploy.verify.intrusion.knock import HOST, TIMEOUT, Answer, Hand

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# An export request without any span is, in protobuf's encoding, no bytes at all.
_NOTHING = b""


def call(port: int, hand: Hand, authorization: str = "") -> Answer:
    """Hand over no spans at all."""
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - grpcio ships no types, and is slow to import

    try:
        files = (hand.authority, hand.key or hand.certificate, hand.certificate)
        shown = grpc.ssl_channel_credentials(*(file.read_bytes() if file else None for file in files))
    except OSError as error:
        return Answer(f"cannot be tried: {error.strerror}", ours=True)
    told = (("authorization", authorization),) if authorization else ()
    with grpc.secure_channel(f"{HOST}:{port}", shown) as channel:
        try:
            channel.unary_unary(_EXPORT)(_NOTHING, timeout=TIMEOUT, metadata=told)
        except grpc.RpcError as error:
            return Answer(f"gRPC {error.code().name}", listens="refused" not in (error.details() or ""))
    return Answer("gRPC OK", let_in=True, served=True)
