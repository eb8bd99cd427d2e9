"""What one Prometheus gives another: recorded series only, and what they are called there."""

from loom.contract.promql import Matcher
from loom.contract.resource import JOB

NAME_LABEL = "__name__"
DEPLOYMENT_LABEL = "loom_deployment"
"""External label with the profile's name: whose samples these are, where several deployments meet."""
RECORDED = f"{JOB}:.+"
"""Matches the name of every recorded series: all are of the level `job`."""
SELECTOR = f"{{{Matcher(NAME_LABEL, '=~', RECORDED)}}}"
"""Asks /federate for them."""
FEDERATED = "federated"
"""Their level where they are gathered, instead of `job`. Rules and alerts there are about `job:…`: none is
computed or fires a second time for what another deployment has computed and alerted on already."""
FEDERATED_RULE = (f"{JOB}:(.+)", f"{FEDERATED}:$1")
"""The name there, as a relabelling: what is matched, and what takes its place."""
