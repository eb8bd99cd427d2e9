"""What a party among the containers is given: its networks and its credentials."""

from loom.deploy.plan.identity import identities, secrets
from loom.deploy.plan.model import Plan
from loom.deploy.plan.outward import outward


def networks(plan: Plan, party: str) -> tuple[str, ...]:
    """The networks of a container: those of its edges."""
    own = {str(edge.network) for edge in plan.edges if party in {edge.source, str(edge.service)}}
    own |= {str(edge.network) for edge in outward(plan) if edge.source == party}
    return tuple(sorted(own))


def credentials(plan: Plan, party: str) -> str:
    """Whose folder of credentials it is given: its own; empty when it has none."""
    holders = {one.name for one in identities(plan)} | {one.holder for one in secrets(plan)}
    return party if party in holders else ""
