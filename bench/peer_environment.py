"""The environment that the peer runs in, made once beside the tools of `loomw`."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.outcome import ROOT

PLACE = ROOT / ".loomw" / "bench"
_SECONDS = 600


def interpreter(given: str) -> str:
    """A Python that has autogen-core: the one that was named, or one of our own making.

    Empty when it cannot be made here; then the peer's gate is void.
    """
    if given:
        return given
    python = PLACE / "bin" / "python"
    return str(python) if python.exists() or _make(python) else ""


def _make(python: Path) -> bool:
    uv = shutil.which("uv")
    if uv is None:
        return False
    lock = ROOT / "locks" / "bench.txt"
    print(f"making {PLACE.relative_to(ROOT)} from {lock.relative_to(ROOT)} (once)", file=sys.stderr)
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(PLACE)],
        [uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)],
    ):
        if subprocess.run(command, check=False, timeout=_SECONDS).returncode:
            shutil.rmtree(PLACE, ignore_errors=True)
            return False
    return True
