"""Who hears of alerts, and whether anybody does."""

from collections.abc import Iterator

from loom.deploy.plan.finding import at
from loom.deploy.plan.model import Plan
from loom.deploy.plan.policy import PRODUCTION
from loom.errors import Problem


def remarks(plan: Plan) -> Iterator[Problem]:
    """Production in which an alert, or the end of all alerting, would go unnoticed."""
    profile = plan.profile
    if profile.environment not in PRODUCTION:
        return
    if not profile.alerting.receivers:
        message = "nobody is called: alerts show in Alertmanager only"
        yield at(profile, "alerting.receivers", message, "name a receiver in a profile that extends this one")
    if profile.alerting.heartbeat is None:
        message = "nobody notices when alerting itself stops"
        yield at(profile, "alerting.heartbeat", message, "name whom Alertmanager calls while it lives")
