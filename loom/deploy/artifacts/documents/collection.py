"""All documents; the list of files comes last, since it names the others."""

from collections.abc import Sequence

from loom.deploy.artifacts.documents import files, metrics, quickstart
from loom.deploy.artifacts.model import Artifact
from loom.deploy.plan.model import Plan


def artifacts(plan: Plan, others: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """QUICKSTART.md, METRICS.md and FILES.md; `others` are all other files of the profile."""
    first = (quickstart.artifact(plan, others), metrics.artifact(plan))
    return (*first, files.artifact(plan, (*others, *first)))
