"""One attempt on one port: connect, shake hands, ask, and see what comes back."""

import socket
import ssl
import warnings
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path

HOST = "127.0.0.1"
TIMEOUT = 5.0
"""Seconds for one answer."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""How a client of HTTP/2 begins, with no settings of its own."""
_FRAME, _SETTINGS = 9, 4
"""Bytes of a frame's head; the kind with which a server of HTTP/2 answers, once it has let somebody in."""
_SUCCESS = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TLS_WANTED = b"HTTPS server"
"""In what Go's servers answer, with 400, to plain text on a port with TLS."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What is shown while shaking hands."""

    authority: Path | None
    """Whom the server must be signed by; None speaks plain text."""
    certificate: Path | None = None
    key: Path | None = None
    """Empty where the certificate's file holds both."""
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked once the connection stands."""

    method: str = "GET"
    path: str = "/"
    authorization: str = ""
    rpc: bool = False
    """HTTP/2 with nothing but its beginning, instead of HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    how: str
    """In the words of the server, as far as it had any."""
    let_in: bool = False
    """Whether the caller was not turned away."""
    served: bool = False
    """Whether it was given what it asked for, too."""
    ours: bool = False
    """Whether it failed on our side, so that nothing is known of the other."""
    listens: bool = True
    """Whether there is anybody."""


def knock(port: int, hand: Hand, request: Request) -> Answer:
    """Try it, on loopback."""
    try:
        context = _context(hand, request) if hand.authority else None
    except OSError as error:
        return Answer(f"cannot be tried: {error.strerror or error}", ours=True)
    try:
        connection = socket.create_connection((HOST, port), TIMEOUT)
    except OSError:
        return Answer("nobody listens", listens=False)
    with closing(connection):
        return _answer(connection, context, request)


def _answer(connection: socket.socket, context: ssl.SSLContext | None, request: Request) -> Answer:
    """With TLS 1.3 a refusal is seen only once somebody reads; writing may fail before."""
    try:
        if context is None:
            return _ask(connection, request)
        with context.wrap_socket(connection, server_hostname=HOST) as secured:
            return _ask(secured, request)
    except ssl.SSLEOFError:
        return Answer("connection closed")
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).lower().replace("_", " ")
        _, alert, text = reason.partition("alert ")
        return Answer(f"{alert}{text}" if alert else reason, ours=not alert)
    except TimeoutError:
        return Answer("no answer")
    except (OSError, HTTPException):
        return Answer("connection closed")


def _context(hand: Hand, request: Request) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(hand.authority))
    if hand.certificate:
        context.load_cert_chain(hand.certificate, hand.key)
    with warnings.catch_warnings():
        # That it is old is why it is tried.
        warnings.simplefilter("ignore", DeprecationWarning)
        if hand.newest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, hand.newest
    context.set_alpn_protocols(["h2"] if request.rpc else ["http/1.1"])
    return context


def _ask(connection: socket.socket, request: Request) -> Answer:
    return _begin(connection) if request.rpc else _get(connection, request)


def _get(connection: socket.socket, request: Request) -> Answer:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {HOST}", "Connection: close"]
    lines += [f"Authorization: {request.authorization}"] if request.authorization else []
    lines += ["Content-Type: application/x-protobuf", "Content-Length: 0"] if request.method == "POST" else []
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    with closing(HTTPResponse(connection)) as response:
        response.begin()
        status, odd = (
            response.status,
            response.status == HTTPStatus.BAD_REQUEST and _TLS_WANTED in response.read(),
        )
    if odd:
        return Answer(f"HTTP {status}: wants TLS")
    return Answer(f"HTTP {status}", let_in=status not in _DENIED, served=status in _SUCCESS)


def _begin(connection: socket.socket) -> Answer:
    connection.sendall(_PREFACE)
    head = connection.recv(_FRAME)
    if len(head) == _FRAME and head[3] == _SETTINGS:
        return Answer("HTTP/2 begins", let_in=True, served=True)
    return Answer("connection closed" if not head else "no HTTP/2")
