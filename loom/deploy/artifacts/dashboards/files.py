"""The dashboards as files."""

from loom.deploy.artifacts.dashboards.catalogue import boards
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.plan.model import Plan

FOLDER = "grafana/dashboards"


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """One JSON file a dashboard."""
    # The SDK takes as long to import as the rest of a render: only who wants JSON pays for it.
    from loom.deploy.artifacts.dashboards.classic import encode  # noqa: PLC0415 - see above

    return tuple(
        Artifact(
            f"{FOLDER}/{board.name}.json",
            encode(board, plan),
            f"Dashboard `{board.title}`.",
            Check.DASHBOARD,
        )
        for board in boards(plan)
    )
