"""The image below Loom's own: a small Python from a registry, or one made of Debian packages here."""

import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from loom.deploy.images.command import run
from loom.deploy.images.daemon import Daemon
from loom.deploy.toolchain import cache_root
from loom.errors import EngineError, Problem

PACKAGES = ("python3", "ca-certificates")
SUITE = "bookworm"
"""Debian's release where this machine is none of its own."""
UNNEEDED = (
    "var/cache/apt/",
    "var/lib/apt/lists/",
    "var/log/",
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/man/",
)
"""Folders whose files are left out."""
REPOSITORY = "localhost/loom-python-base"
SOURCES = ("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Identifier: Packages")
"""Asks apt where this machine has its packages from."""

Say = Callable[[str], None]
"""Takes a line about what is done."""


def python_base(dockerfile: str, daemon: Daemon, environ: Mapping[str, str], say: Say) -> str:
    """The reference of the base: the Dockerfile's own where it is here or can be pulled, else ours."""
    wished = default(dockerfile)
    if daemon.inspect(wished) is not None:
        return wished
    suite = release(Path("/etc/os-release"))
    ours = reference(suite)
    if daemon.inspect(ours) is not None:
        return ours
    try:
        daemon.pull(wished)
    except EngineError:
        say(
            f"{wished} cannot be pulled here: making a base of Debian {suite} packages (about a minute, once)"
        )
        bootstrap(suite, ours, daemon, environ)
        return ours
    return wished


def default(dockerfile: str) -> str:
    """What the Dockerfile names as its base."""
    found = re.search(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    if found is None:
        message = "the Dockerfile has no line ARG BASE=…"
        raise EngineError(message)
    return found[1]


def release(file: Path) -> str:
    """Debian's release that this machine runs, from its os-release; `SUITE` when it runs something else."""
    text = file.read_text() if file.is_file() else ""
    facts = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    name = facts.get("VERSION_CODENAME", "").strip('"')
    return name if facts.get("ID") == "debian" and name else SUITE


def reference(suite: str) -> str:
    """The reference of our base: another recipe, another tag."""
    recipe = sha256(repr((PACKAGES, UNNEEDED)).encode()).hexdigest()[:12]
    return f"{REPOSITORY}:{suite}-{recipe}"


def bootstrap(suite: str, tag: str, daemon: Daemon, environ: Mapping[str, str]) -> None:
    """Make the base of Debian packages and import it; EngineError when this machine cannot."""
    program = shutil.which("debootstrap", path=f"{environ.get('PATH', '')}:/usr/sbin")
    if program is None or os.geteuid() != 0:
        need = "there is no debootstrap" if program is None else "debootstrap needs root"
        hint = "load a Python base image (docker load), or install debootstrap and run this as root"
        raise EngineError(
            Problem(f"no base image for Loom can be had: none can be pulled, and {need}", hint=hint)
        )
    work = cache_root(environ)
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=work, prefix="base-"))
    try:
        options = ("--variant=minbase", f"--include={','.join(PACKAGES)}")
        # A mount namespace of its own: what debootstrap mounts goes with it, however it ends.
        command = ("unshare", "--mount", program, *options, suite, str(folder / "root"), *_mirror(suite))
        run(command, folder)
        archive = folder / "base.tar"
        pack(folder / "root", archive)
        daemon.import_archive(archive, tag, ['CMD ["python3"]', f"LABEL {_LABEL}={suite}"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_LABEL = "dev.loom.deploy.base"


def pack(root: Path, archive: Path) -> None:
    """A tar archive of a root file system, owners by number, without the files that nobody needs."""
    with tarfile.open(archive, "w") as tar:
        tar.add(root, arcname=".", filter=_needed)


def _needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = entry.name.removeprefix("./")
    if not entry.isdir() and path.startswith(UNNEEDED):
        return None
    entry.uname = entry.gname = ""
    return entry


def _mirror(suite: str) -> tuple[str, ...]:
    """Where this machine has the release's packages from; nothing when unknown: debootstrap has its own."""
    if shutil.which("apt-get") is None:
        return ()
    rows = [line.split() for line in run(SOURCES, Path.cwd())]
    return next(((row[0],) for row in rows if row[1:] == [suite, "main"]), ())
