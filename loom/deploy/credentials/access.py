"""What whoever works on this machine shows a protected deployment: `operator`'s files, read when used."""

import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.credentials.advice import complete, selection
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY, PASSWORD
from loom.deploy.plan.model import Plan
from loom.errors import EngineError, Problem


@dataclass(frozen=True, slots=True)
class Access:
    """A folder of credentials; nothing is read before it is asked for, so a rotation needs no restart."""

    folder: Path | None = None
    """None where everything is plain."""
    user: str = OPERATOR
    """The name it calls itself by where a password is asked for."""
    options: str = ""
    """By which `loom-deploy certs` knows whose credentials these are: `--profile prod`."""

    def context(self) -> ssl.SSLContext | None:
        """Trusts the deployment's authority and shows our certificate; EngineError when a file is missing."""
        if self.folder is None:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.folder / CA))
            _show(context, self.folder)
        except OSError as error:  # ssl.SSLError is one
            hint = complete(
                "run `loom-deploy certs create`, or `loom-deploy certs check` to see what is wrong",
                self.options,
            )
            raise EngineError(
                Problem(f"no certificates to show: {error}", str(self.folder), hint=hint)
            ) from error
        return context

    def login(self) -> tuple[str, str] | None:
        """User and password; None without."""
        if self.folder is None or not (self.folder / PASSWORD).is_file():
            return None
        return self.user, (self.folder / PASSWORD).read_text().strip()

    def headers(self) -> dict[str, str]:
        """What an HTTP request carries."""
        login = self.login()
        return {"Authorization": f"Basic {b64encode(':'.join(login).encode()).decode()}"} if login else {}


def _show(context: ssl.SSLContext, folder: Path) -> None:
    """Load certificate and key; again when they were renewed between the one and the other. OSError."""
    for left in reversed(range(_TRIES)):
        try:
            context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
        except ssl.SSLError as error:
            if error.reason != "KEY_VALUES_MISMATCH" or not left:
                raise
        else:
            return


_TRIES = 3
PLAIN = Access()
"""For a deployment without protection."""


def access(plan: Plan, secrets: Path, name: str = "") -> Access:
    """What is shown to a plan's deployment of that name, whose credentials lie below `secrets`."""
    if not any(edge.encrypted for edge in plan.edges):
        return PLAIN
    return Access(secrets / OPERATOR, options=selection(plan.profile.name, name))
