"""Who may read a secret file: nobody but its owner, and the owner is who runs the program."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from loom.deploy.credentials.vault import Vault
from loom.errors import Problem


def modes(path: Path) -> tuple[Problem, ...]:
    """What is wrong with the permissions of a secret file; nothing when it is not there."""
    try:
        bits = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return ()
    if bits & 0o077:
        return (Problem(f"can be read by others (mode {bits:04o})", str(path), hint=f"chmod 600 {path}"),)
    return ()


def strangers(vault: Vault, owners: Mapping[str, int]) -> tuple[Problem, ...]:
    """The parties whose containers could not read their own folders, as one remark with its remedy.

    `owners` is party -> user id of its container, -1 for whoever works on this machine. Processes of the
    native engine run as whoever started them, and mind nothing of this.
    """
    wrong = {
        party: owner
        for party, owner in owners.items()
        if owner >= 0 and any(path.stat().st_uid != owner for path in _all(vault.folder / party))
    }
    if not wrong:
        return ()
    who = "" if os.geteuid() == 0 else "sudo "
    commands = (
        f"{who}chown -R {owner} {' '.join(str(vault.folder / one) for one in wrong if wrong[one] == owner)}"
        for owner in sorted(set(wrong.values()))
    )
    said = f"the containers of {', '.join(wrong)} run as other users than their folders belong to"
    hint = f"before `--engine compose`: {' && '.join(commands)}"
    return (Problem(said, str(vault.folder), hint=hint),)


def _all(folder: Path) -> list[Path]:
    return [folder, *folder.iterdir()] if folder.is_dir() else []
