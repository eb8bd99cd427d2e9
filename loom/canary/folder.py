"""The folder of credentials that it shows to the stores, and to those who scrape it."""

from dataclasses import dataclass
from pathlib import Path
from ssl import CERT_REQUIRED, PROTOCOL_TLS_SERVER, SSLContext, TLSVersion, create_default_context
from threading import Lock

from loom.telemetry.credentials import Credentials, Stamp


@dataclass(frozen=True, slots=True)
class Folder:
    """`ca.pem`, `cert.pem`, `key.pem`, and `password` where a store asks for one."""

    path: Path

    @property
    def credentials(self) -> Credentials:
        """The three files."""
        authority, certificate, key = (str(self.path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
        return Credentials(authority, certificate, key)

    def password(self) -> str:
        """Its password as the file has it now; empty when there is none."""
        try:
            return (self.path / "password").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def calling(self) -> SSLContext:
        """What a client of the stores trusts and shows now. OSError or ValueError when it cannot be read."""
        files = self.credentials
        context = create_default_context(cafile=files.authority)
        context.load_cert_chain(files.certificate, files.key)
        return context


class Answering:
    """What its own port shows, and whom it lets in: by TLS 1.3, with a certificate of our authority."""

    def __init__(self, folder: Folder) -> None:
        """OSError or ValueError when the files cannot be read."""
        self._credentials = folder.credentials
        self._stamp: Stamp = ()
        self._lock = Lock()
        self._context = self._load()

    def current(self) -> SSLContext:
        """From the files as they are now, or from the former ones while they do not belong together."""
        with self._lock:
            if self._credentials.stamp != self._stamp and not any(self._credentials.faults()):
                self._context = self._load()
            return self._context

    def _load(self) -> SSLContext:
        files = self._credentials
        stamp = files.stamp
        # A new one each time: authorities can be added to a context, and never taken away.
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.minimum_version = TLSVersion.TLSv1_3
        context.load_cert_chain(files.certificate, files.key)
        context.load_verify_locations(files.authority)
        context.verify_mode = CERT_REQUIRED
        self._stamp = stamp
        return context
