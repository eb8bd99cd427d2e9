"""Build contexts on disk: the folder that a stand-in is made of, and the sha256 of such a folder."""

import os
import re
import shutil
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path

from loom.deploy.artifacts.template import fill
from loom.deploy.images.model import CONTENT, LABEL, SOURCE, Standin
from loom.deploy.toolchain import RECIPES
from loom.errors import EngineError, Problem

CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
"""Where Go programs look first."""
_ELSEWHERE = (
    f"/{CERTIFICATES}",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_USERS = {
    "passwd": "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "group": "root:x:0:\nnobody:x:65534:\n",
}


def dockerfile(standin: Standin) -> str:
    """The Dockerfile of a stand-in."""
    return fill("images/standin.Dockerfile.j2", standin=standin, source=source(standin))


def source(standin: Standin) -> str:
    """`module@version` that its program is built from, as the toolchain's lock has it."""
    recipe = RECIPES[standin.program.name]
    # The collector is a program of ours around the module that is the collector.
    package = recipe.package if recipe.package != "." else "go.opentelemetry.io/collector/otelcol"
    required = re.findall(
        r"^(?:require )?\s*(\S+) (v\S+)", (recipe.source / "go.mod").read_text(), re.MULTILINE
    )
    module, version = max(
        ((name, version) for name, version in required if f"{package}/".startswith(f"{name}/")),
        key=lambda found: len(found[0]),
    )
    return f"{module}@{version}"


def stage(standin: Standin, programs: Mapping[str, Path], certificates: Path, folder: Path) -> None:
    """Make the build context of a stand-in in `folder`, from the programs by name."""
    rootfs = folder / "rootfs"
    _install(certificates, rootfs / CERTIFICATES, 0o644)
    for name, text in _USERS.items():
        (rootfs / "etc" / name).write_text(text)
    for program, path in standin.files:
        _install(programs[program.name], rootfs / path.lstrip("/"), 0o755)
    for shared in standin.shared:
        made = rootfs / shared.lstrip("/")
        made.mkdir(parents=True)
        made.chmod(0o1777)
    if standin.home:
        (folder / "data").mkdir()
    (folder / "Dockerfile").write_text(dockerfile(standin))


def find_certificates() -> Path:
    """The machine's bundle of certificate authorities, the site's own among them."""
    usual = ssl.get_default_verify_paths().cafile
    found = next((Path(name) for name in (*_ELSEWHERE, usual) if name and Path(name).is_file()), None)
    if found is None:
        hint = "install them (Debian: apt-get install ca-certificates)"
        raise EngineError(Problem("this machine has no bundle of certificate authorities", hint=hint))
    return found


def content(files: Iterable[tuple[str, Path]]) -> str:
    """sha256 over the names, modes and bytes of files, in any order."""
    total = sha256()
    for name, path in sorted(files):
        with path.open("rb") as stream:
            inner = file_digest(stream, "sha256").hexdigest()
        total.update(f"{name}\0{path.stat().st_mode & 0o111:o}\0{inner}\n".encode())
    return total.hexdigest()


def standin_content(standin: Standin, programs: Mapping[str, Path], certificates: Path) -> str:
    """What `CONTENT` says of a stand-in made from these: another value means another image."""
    files = [(path, programs[program.name]) for program, path in standin.files]
    inner = content([*files, (CERTIFICATES, certificates)])
    return sha256(f"{dockerfile(standin)}\0{_USERS}\0{inner}".encode()).hexdigest()


def labels(program_version: str, made_of: str, digest: str) -> dict[str, str]:
    """The labels of an image of ours: whose it is, what it is made from."""
    return {
        f"{LABEL}.built-by": "loom-deploy",
        SOURCE: made_of,
        CONTENT: digest,
        "org.opencontainers.image.version": program_version,
        "org.opencontainers.image.vendor": "built by loom-deploy; not published by the upstream project",
    }


def below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder that decides something, by its POSIX path; compiled Python does not."""
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path


def _install(origin: Path, target: Path, mode: int) -> None:
    """A second name for the file where that can be, else a copy: contexts are large and live for seconds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # A second name has the same mode.
    if origin.stat().st_mode & 0o777 == mode and not origin.is_symlink():
        with suppress(OSError):
            os.link(origin, target)
            return
    shutil.copyfile(origin, target)
    target.chmod(mode)
