"""Jaeger really starts on its configuration and answers that it is ready.

The rendered file has fixed ports and folders. The copy that Jaeger starts on has free ports of the loopback
interface in their place, and a temporary folder for the data; nothing else differs.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from loom.deploy.artifacts.model import Artifact
from loom.deploy.credentials.access import Access
from loom.deploy.programs import JAEGER
from loom.deploy.validate import credentials
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import Answer

NEEDS = (JAEGER,)
DEADLINE = 60.0
"""Seconds until it must be ready."""
STOP = 20.0
"""Seconds it may take to end."""
ATTEMPTS = 3
"""Starts, should somebody else take a port between its choice and its use."""
_TAKEN = "address already in use"
_PAUSE = 0.05
_ADDRESS = re.compile(r": (?:0\.0\.0\.0|127\.0\.0\.1):\d+$", re.MULTILINE)
_HOST_PORT = re.compile(r"host: \S+(\s+)port: \d+")
_DATA = re.compile(r"\b(keys|values): \S+")
_HEALTH = re.compile(r"healthcheckv2:\s.*?endpoint: (\S+)", re.DOTALL)


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One start a file."""
    for artifact in artifacts:
        words = _TAKEN
        for attempt in range(ATTEMPTS):
            if _TAKEN not in words:
                break
            words = _accept(workspace, artifact, attempt)
        yield refused(artifact, words) if words else accepted(artifact)


def _accept(workspace: Workspace, artifact: Artifact, attempt: int) -> str:
    """Empty when Jaeger became ready on the file, else its words."""
    folder = workspace.folder / ".jaeger" / f"{artifact.path.replace('/', '-')}-{attempt}"
    folder.mkdir(parents=True)
    text = moved(credentials.redirected(artifact.text, workspace.folder), folder)
    (folder / "jaeger.yaml").write_text(text)
    health = _HEALTH.search(text)
    scheme = "https" if credentials.PLACE in text else "http"
    return _start(workspace, folder, f"{scheme}://{health[1]}/status") if health else "no health endpoint"


def moved(text: str, folder: Path) -> str:
    """The same text with a free port in each address, and data below `folder`."""
    with ExitStack() as held:  # each port is held until all are chosen, or two addresses might get the same
        text = _ADDRESS.sub(lambda _: f": 127.0.0.1:{_free_port(held)}", text)
        text = _HOST_PORT.sub(lambda match: f"host: 127.0.0.1{match[1]}port: {_free_port(held)}", text)
    return _DATA.sub(lambda match: f"{match[1]}: {folder}/{match[1]}", text)


def _free_port(held: ExitStack) -> int:
    listener = held.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    return port


def _start(workspace: Workspace, folder: Path, status: str) -> str:
    """Empty when it became ready, else its words."""
    log = folder / "log"
    command = [str(workspace.programs.paths[JAEGER.name]), "--config", "jaeger.yaml"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the pinned program, on a file of ours
            command,
            cwd=folder,
            env=dict(workspace.environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ready = _ready(
            process, status, Access(workspace.folder / credentials.PLACE if "https" in status else None)
        )
    finally:
        _stop(process)
    return "" if ready else Answer(process.returncode, log.read_text(errors="replace")).words


def _ready(process: subprocess.Popen[bytes], status: str, access: Access) -> bool:
    end = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < end:
        if _healthy(status, access):
            return True
        time.sleep(_PAUSE)
    return False


def _healthy(status: str, access: Access) -> bool:
    try:
        with urlopen(status, timeout=2, context=access.context()) as answer:  # noqa: S310 - on the loopback interface
            return bool(json.load(answer).get("status") == "StatusOK")
    except (URLError, OSError, ValueError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
