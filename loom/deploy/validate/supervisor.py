"""supervisord's own options class on its configuration; nothing is started.

In a Python of its own: the class reads the process' environment when it is made.
"""

import sys
from collections.abc import Iterator, Sequence

from loom.deploy.artifacts.model import Artifact
from loom.deploy.validate.model import Verdict, Workspace, accepted, refused
from loom.deploy.validate.process import ask

DEADLINE = 30.0
"""Seconds."""
_SCRIPT = """
import sys
from supervisor.options import ServerOptions
options = ServerOptions()
options.realize(["-c", sys.argv[1]], doc="supervisord")
assert options.process_group_configs, "it starts nothing"
"""


def check(workspace: Workspace, artifacts: Sequence[Artifact]) -> Iterator[Verdict]:
    """One answer a file."""
    for artifact in artifacts:
        command = (sys.executable, "-c", _SCRIPT, str(workspace.file(artifact)))
        answer = ask(command, workspace.folder, workspace.environment, DEADLINE)
        yield refused(artifact, answer.words) if answer.code else accepted(artifact)
