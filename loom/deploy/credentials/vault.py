"""Where a deployment's credentials lie: a folder for each party, and one for the authority that signs.

`<rendered>/secrets` is a link to `<rendered>-secrets` beside it. A render replaces its folder by a new one
that belongs to whoever rendered: containers that mounted the old one would never see a rotation, or could not
read the new one at all. What the link leads to stays the same folder, with its owners. A plain folder
`<rendered>/secrets` that is there already is taken as it is.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.credentials.file import folder, refused
from loom.deploy.plan.identity import CA, CERTIFICATE, FOLDER, KEY
from loom.deploy.writer.lock import locked
from loom.errors import MachineError, Problem

AUTHORITY = "authority"
"""Folder of the authority's own certificate and key; no party reads it, and its key may be taken away."""
IGNORE = ".gitignore"
_WHO = "another `loom-deploy certs` or `secrets`"


@dataclass(frozen=True, slots=True)
class Vault:
    """The folder of all credentials of a deployment."""

    folder: Path

    def file(self, party: str, name: str) -> Path:
        """A file of a party: `secrets/prometheus/key.pem`."""
        return self.folder / party / name

    def identity(self, party: str) -> tuple[Path, Path, Path]:
        """A party's trusted authorities, certificate and key."""
        return self.file(party, CA), self.file(party, CERTIFICATE), self.file(party, KEY)

    @property
    def authority(self) -> Path:
        """The authority's folder."""
        return self.folder / AUTHORITY

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else makes or rotates credentials meanwhile; WriteError when somebody does for too long."""
        try:
            with locked(self.folder, who=_WHO):
                yield
        except OSError as error:
            raise refused(error, self.folder) from error


def vault(rendered: Path) -> Vault:
    """The vault of a rendered folder; MachineError when none was made."""
    found = Vault(rendered / FOLDER)
    if lack := absent(found):
        raise MachineError(lack)
    return found


def absent(vault: Vault) -> Problem | None:
    """What is said when none was made; None when one was."""
    if vault.folder.is_dir():
        return None
    hint = "run: loom-deploy certs create, and loom-deploy secrets init"
    return Problem("there are no credentials", str(vault.folder), hint=hint)


def prepare(rendered: Path) -> Vault:
    """The vault of a rendered folder, made when there is none; WriteError."""
    link = rendered / FOLDER
    if not link.is_dir():
        place = rendered.absolute()  # `.` has no name
        real = place.with_name(f"{place.name}-{FOLDER}")
        if link.is_symlink():  # whoever removed the folder left the link to it
            real = Path(os.path.realpath(link))
        try:
            folder(real)
            # Whoever keeps the rendered folder in version control is not to commit the keys beside it.
            (real / IGNORE).write_text("*\n")
            rendered.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(Path("..") / real.name)
        except OSError as error:
            raise refused(error, link) from error
    return Vault(link)
